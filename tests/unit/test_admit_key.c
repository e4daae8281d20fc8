/* SPDX-License-Identifier: MIT */
/* keeper_admit: the text of a concurrency key; message: the headers of admission. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "common/worker/catalog.h"
#include "common/worker/keeper_admit.h"

static int handler(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)args;
	(void)ret;
	(void)e;
	return 0;
}

static const struct task TASKS[] = { { "t.fetch", PARAMS("provider", "page?=1"), handler } };

/* As it comes from the broker. */
static void receive(struct message *m, const struct message *sent)
{
	struct err e = { 0 };
	struct buf props;

	buf_init(&props, 1 << 18);
	if (message_encode(sent, &props, &e) < 0)
		fail_msg("%s", e.msg);
	if (message_decode(m, props.data, props.len, sent->body, sent->body_len, &e) < 0)
		fail_msg("%s", e.msg);
	buf_release(&props);
}

static char *key_of(const char *args, const char *kwargs, const char *parameter)
{
	struct conf conf = { 0 };
	struct catalog catalog;
	struct message m, back;
	struct err e = { 0 };
	char *key = NULL;

	catalog_init(&catalog, &conf, "t", TASKS, COUNT(TASKS));
	message_init(&m);
	message_init(&back);
	if (message_new(&m, "t.fetch", NULL, args, kwargs, &e) < 0)
		fail_msg("%s", e.msg);
	receive(&back, &m);
	if (!keeper_admit_key(&catalog, &back, parameter, &key))
		key = NULL;
	message_release(&m);
	message_release(&back);
	catalog_release(&catalog);
	return key;
}

static void expect_key(const char *args, const char *kwargs, const char *parameter,
		       const char *expected)
{
	char *key = key_of(args, kwargs, parameter);

	if (!expected)
		assert_null(key);
	else
		assert_string_equal(key, expected);
	free(key);
}

static void a_key_is_the_value_of_its_parameter_by_place_or_name(void **state)
{
	(void)state;
	expect_key("[\"bls\"]", "{}", "provider", "bls");
	expect_key("[]", "{\"provider\": \"bls\"}", "provider", "bls");
	expect_key("[\"bls\", 7]", "{}", "page", "7");
	expect_key("[\"bls\"]", "{}", "page", "1");
	expect_key("[{\"a\": 1}]", "{}", "provider", "{\"a\":1}");
	expect_key("[\"bls\"]", "{}", "*", "*");
	expect_key("[\"bls\"]", "{}", "nothing", "null");
}

static void a_call_that_does_not_fit_has_no_key(void **state)
{
	(void)state;
	expect_key("[]", "{}", "provider", NULL);
	expect_key("[1, 2, 3]", "{}", "provider", NULL);
}

static void a_long_value_is_cut_to_a_digest(void **state)
{
	char args[600] = "[\"", *a, *b;

	(void)state;
	memset(args + 2, 'x', 500);
	memcpy(args + 502, "\"]", 3);
	a = key_of(args, "{}", "provider");
	args[2] = 'y';
	b = key_of(args, "{}", "provider");
	assert_true(uuid_is_valid(a));
	assert_true(uuid_is_valid(b));
	assert_string_not_equal(a, b);
	free(a);
	free(b);
}

static void the_headers_of_admission_survive_a_round_trip(void **state)
{
	struct message m, back;
	struct err e = { 0 };
	cJSON *key = mem_check(cJSON_CreateString("k")), *got;

	(void)state;
	message_init(&m);
	message_init(&back);
	if (message_new(&m, "t.fetch", "id", "[]", "{}", &e) < 0)
		fail_msg("%s", e.msg);
	m.admitted = 10000;
	m.slot_ms = 1764000000123;
	assert_true(message_set_header(&m, "x-jobfleet-unique-key", key, &e) >= 0);
	receive(&back, &m);
	assert_int_equal(back.admitted, 10000);
	assert_int_equal(back.slot_ms, 1764000000123);
	assert_true(back.unique);
	got = message_header(&back, "x-jobfleet-unique-key");
	assert_string_equal(cJSON_GetStringValue(got), "k");
	cJSON_Delete(got);
	cJSON_Delete(key);
	message_release(&m);
	message_release(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_the_value_of_its_parameter_by_place_or_name),
		cmocka_unit_test(a_call_that_does_not_fit_has_no_key),
		cmocka_unit_test(a_long_value_is_cut_to_a_digest),
		cmocka_unit_test(the_headers_of_admission_survive_a_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
