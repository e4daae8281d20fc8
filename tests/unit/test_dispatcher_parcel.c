/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "workers/dispatcher/parcel.h"

#define BODY "[[1], {}, {}]"

/* Packs p and reads the result as a worker would. */
static void pack(const struct parcel *p, struct message *ret)
{
	struct message m;
	struct buf props;
	struct err e = { 0 };

	message_init(&m);
	message_init(ret);
	buf_init(&props, 1 << 20);
	if (parcel_pack(p, &m, &props, &e) < 0 ||
	    message_decode(ret, props.data, props.len, m.body, m.body_len, &e) < 0)
		fail_msg("%s", e.msg);
	message_release(&m);
	buf_release(&props);
}

static int code_of(const struct parcel *p)
{
	struct message m;
	struct buf props;
	int r;

	message_init(&m);
	buf_init(&props, 1 << 20);
	r = parcel_pack(p, &m, &props, NULL);
	message_release(&m);
	buf_release(&props);
	return r;
}

static void a_row_with_headers_becomes_a_message(void **state)
{
	struct parcel p = {
		.task = "t.a",
		.task_id = "id-1",
		.hop = 2,
		.retries = 3,
		.priority = 7,
		.generation = 1,
		.body = BODY,
		.body_len = strlen(BODY),
		.headers =
			"{\"task\": \"forged\", \"lang\": \"sql\", \"eta\": \"2026-11-21T09:00:00+00:00\","
			" \"timelimit\": [30, 20.5], \"group\": null, \"x-own\": {\"a\": [1, null]},"
			" \"ignore_result\": true, \"x-jobfleet-hop\": 99}",
	};
	struct message m;
	cJSON *own;

	(void)state;
	pack(&p, &m);
	assert_string_equal(m.task, "t.a");
	assert_string_equal(m.id, "id-1");
	assert_string_equal(m.root_id, "id-1");
	assert_string_equal(m.correlation_id, "id-1");
	assert_string_equal(m.eta, "2026-11-21T09:00:00+00:00");
	assert_int_equal(m.hop, 3);
	assert_int_equal(m.retries, 3);
	assert_int_equal(m.generation, 1);
	assert_int_equal(m.priority, 7);
	assert_int_equal(m.hard_ms, 30000);
	assert_int_equal(m.soft_ms, 20500);
	assert_true(m.ignore_result);
	assert_null(m.group);
	assert_memory_equal(m.body, BODY, m.body_len);
	own = message_header(&m, "x-own");
	assert_true(cJSON_IsObject(own));
	cJSON_Delete(own);
	message_release(&m);
}

static void a_row_with_properties_keeps_them_and_counts_the_hop(void **state)
{
	struct message first, m;
	struct buf props;
	struct parcel p = { .task = "t.a",
			    .task_id = "id-2",
			    .hop = 4,
			    .retries = 1,
			    .priority = MESSAGE_NO_PRIORITY };
	cJSON *trace = cJSON_CreateString("00-ab-cd-01");

	(void)state;
	message_init(&first);
	buf_init(&props, 1 << 20);
	assert_int_equal(message_new(&first, "t.a", "id-2", "[1]", NULL, NULL), 0);
	assert_int_equal(message_set_header(&first, "traceparent", trace, NULL), 0);
	first.priority = 5;
	first.hop = 4;
	assert_int_equal(message_encode(&first, &props, NULL), 0);
	p.props = props.data;
	p.props_len = props.len;
	p.body = first.body;
	p.body_len = first.body_len;
	pack(&p, &m);
	assert_int_equal(m.hop, 5);
	assert_int_equal(m.retries, 1);
	assert_int_equal(m.priority, 5);
	assert_string_equal(m.origin, first.origin);
	assert_memory_equal(m.body, first.body, first.body_len);
	cJSON_Delete(trace);
	trace = message_header(&m, "traceparent");
	assert_string_equal(cJSON_GetStringValue(trace), "00-ab-cd-01");
	cJSON_Delete(trace);
	message_release(&m);
	message_release(&first);
	buf_release(&props);
}

static void a_row_of_no_use_is_refused(void **state)
{
	struct parcel p = { .task = "t",
			    .task_id = "x",
			    .body = BODY,
			    .body_len = strlen(BODY),
			    .priority = MESSAGE_NO_PRIORITY };

	(void)state;
	p.headers = "[1]";
	assert_int_equal(code_of(&p), -ERR_PROTOCOL);
	p.headers = "{";
	assert_int_equal(code_of(&p), -ERR_PROTOCOL);
	p.headers = NULL;
	p.props = "\xff\xff\xff";
	p.props_len = 3;
	assert_int_equal(code_of(&p), -ERR_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_with_headers_becomes_a_message),
		cmocka_unit_test(a_row_with_properties_keeps_them_and_counts_the_hop),
		cmocka_unit_test(a_row_of_no_use_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
