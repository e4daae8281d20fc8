/* SPDX-License-Identifier: MIT */
/* Remote control messages: what is read, what is refused, and whom they are for. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/props.h"
#include "common/worker/control_decode.h"

/* As Celery 5.2.6 sends it (captured). */
static const char PING[] =
	"{\"method\": \"ping\", \"arguments\": {\"x\": 1}, \"destination\": [\"w1@wire\", \"w2@wire\"], "
	"\"pattern\": null, \"matcher\": null, \"ticket\": \"d447\", \"reply_to\": "
	"{\"exchange\": \"reply.celery.pidbox\", \"routing_key\": \"733a\"}}";

static int decode(const char *body, struct control_call *ret, struct err *e)
{
	return control_decode(ret, body, strlen(body), "", 0, e);
}

static void a_request_is_read(void **state)
{
	struct control_call call;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(decode(PING, &call, &e), 0);
	assert_string_equal(call.method, "ping");
	assert_int_equal(json_int(call.arguments, "x", 0), 1);
	assert_string_equal(call.ticket, "d447");
	assert_string_equal(call.exchange, "reply.celery.pidbox");
	assert_string_equal(call.key, "733a");
	assert_int_equal(call.clock, 0);
	control_call_release(&call);
}

static void a_cast_needs_no_more_than_a_method(void **state)
{
	struct control_call call;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(decode("{\"method\": \"enable_events\"}", &call, &e), 0);
	assert_null(call.exchange);
	assert_null(call.arguments);
	assert_int_equal(control_is_for(&call, "anybody@here", &e), 1);
	control_call_release(&call);
}

static void clock_and_expiry_come_from_the_headers(void **state)
{
	cJSON *headers = cJSON_Parse("{\"clock\": 7, \"expires\": 1795292455.5}");
	struct control_call call;
	struct err e = { 0 };
	struct buf props;

	(void)state;
	buf_init(&props, 1 << 17);
	assert_int_equal(props_encode(&props, headers, &e), 0);
	assert_int_equal(control_decode(&call, PING, strlen(PING), props.data, props.len, &e), 0);
	assert_int_equal(call.clock, 7);
	assert_true(call.expires > 1795292455 && call.expires < 1795292456);
	control_call_release(&call);
	cJSON_Delete(headers);
	buf_release(&props);
}

static void what_is_no_request_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "{", "[]", "null", "7", "{}", "{\"method\": null}", "{\"method\": 1}",
		"{\"method\": \"x\", \"arguments\": 1}", "{\"method\": \"x\", \"arguments\": [1]}",
		"{\"method\": \"x\", \"destination\": \"me\"}",
		"{\"method\": \"x\", \"destination\": [1]}", "{\"method\": \"x\", \"pattern\": {}}",
		"{\"method\": \"x\", \"matcher\": 1}", "{\"method\": \"x\", \"ticket\": 1}",
		"{\"method\": \"x\", \"reply_to\": \"me\"}", "{\"method\": \"x\", \"reply_to\": {}}",
		"{\"method\": \"x\", \"reply_to\": {\"exchange\": \"x\", \"routing_key\": 1}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct control_call call;
		struct err e = { 0 };

		if (decode(wrong[i], &call, &e) >= 0)
			fail_msg("taken: %s", wrong[i]);
		assert_true(*e.msg);
	}
}

static int is_for(const char *members, const char *node)
{
	char *body = mem_printf("{\"method\": \"ping\", %s}", members);
	struct control_call call;
	struct err e = { 0 };
	int r = decode(body, &call, &e);

	assert_int_equal(r, 0);
	r = control_is_for(&call, node, &e);
	control_call_release(&call);
	free(body);
	return r;
}

static void destination_goes_before_pattern(void **state)
{
	(void)state;
	assert_int_equal(is_for("\"destination\": [\"a@x\", \"b@x\"]", "b@x"), 1);
	assert_int_equal(is_for("\"destination\": [\"a@x\"]", "b@x"), 0);
	assert_int_equal(is_for("\"destination\": []", "b@x"), 1);
	assert_int_equal(is_for("\"destination\": [\"a@x\"], \"pattern\": \"*\", "
				"\"matcher\": \"glob\"", "b@x"), 0);
}

static void globs_match_as_Python_s(void **state)
{
	(void)state;
	assert_int_equal(is_for("\"pattern\": \"b@*\", \"matcher\": \"glob\"", "b@x"), 1);
	assert_int_equal(is_for("\"pattern\": \"[!b]@*\", \"matcher\": \"glob\"", "b@x"), 0);
	assert_int_equal(is_for("\"pattern\": \"?@x\", \"matcher\": \"glob\"", "b@x"), 1);
	assert_int_equal(is_for("\"pattern\": \"b@x\", \"matcher\": null", "a@x"), 1);
	assert_true(is_for("\"pattern\": \"b\", \"matcher\": \"soundex\"", "b@x") < 0);
}

static void regular_expressions_are_anchored_at_the_start_and_bounded(void **state)
{
	(void)state;
	assert_int_equal(is_for("\"pattern\": \"b@\", \"matcher\": \"pcre\"", "b@x"), 1);
	assert_int_equal(is_for("\"pattern\": \"@x\", \"matcher\": \"pcre\"", "b@x"), 0);
	assert_int_equal(is_for("\"pattern\": \"(a|b)@.$\", \"matcher\": \"pcre\"", "b@x"), 1);
	assert_true(is_for("\"pattern\": \"(\", \"matcher\": \"pcre\"", "b@x") < 0);
	assert_true(is_for("\"pattern\": \"(a+)+$\", \"matcher\": \"pcre\"",
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(a_cast_needs_no_more_than_a_method),
		cmocka_unit_test(clock_and_expiry_come_from_the_headers),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(destination_goes_before_pattern),
		cmocka_unit_test(globs_match_as_Python_s),
		cmocka_unit_test(regular_expressions_are_anchored_at_the_start_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
