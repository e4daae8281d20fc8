/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/meta.h"

static struct meta parsed(const char *text)
{
	struct meta m = { 0 };
	struct err e = { 0 };

	if (meta_parse(&m, text, strlen(text), &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	assert_string_equal(m.text, text);
	return m;
}

static void the_result_keeps_its_text(void **state)
{
	static const struct {
		const char *text, *result;
	} cases[] = {
		{ "{\"status\": \"SUCCESS\", \"result\": 5}", "5" },
		{ "{\"result\": 12345678901234567890.10, \"status\": \"SUCCESS\"}", "12345678901234567890.10" },
		{ " { \"a\" : [ {\"result\": 1} ] , \"result\" : {\"x\" : \"}\\\"\"} ,\"status\":\"SUCCESS\" } ",
		  "{\"x\" : \"}\\\"\"}" },
		{ "{\"status\": \"SUCCESS\", \"result\": \"text, \\u00fc\"}", "\"text, \\u00fc\"" },
		{ "{\"status\": \"SUCCESS\", \"result\": null}", "null" },
		{ "{\"status\": \"SUCCESS\"}", "null" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct meta m = parsed(cases[i].text);

		assert_string_equal(m.result, cases[i].result);
		assert_true(m.final);
		meta_release(&m);
	}
}

static void only_three_states_are_final(void **state)
{
	static const struct {
		const char *status;
		bool final;
	} cases[] = {
		{ "SUCCESS", true }, { "FAILURE", true }, { "REVOKED", true }, { "RETRY", false },
		{ "STARTED", false }, { "PROGRESS", false }, { "IGNORED", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = mem_printf("{\"status\": \"%s\"}", cases[i].status);
		struct meta m = parsed(text);

		assert_int_equal(m.final, cases[i].final);
		meta_release(&m);
		free(text);
	}
}

static void an_exception_is_told_in_words(void **state)
{
	struct meta m = parsed("{\"status\": \"FAILURE\", \"result\": {\"exc_type\": \"MyError\","
			       " \"exc_message\": [\"boom\"]}, \"traceback\": \"T\"}");

	(void)state;
	assert_string_equal(m.exc_type, "MyError");
	assert_string_equal(m.exc_message, "boom");
	assert_string_equal(m.traceback, "T");
	meta_release(&m);
	m = parsed("{\"status\": \"FAILURE\", \"result\": {\"exc_message\": [\"boom\", 7]}}");
	assert_string_equal(m.exc_message, "[\"boom\",7]");
	assert_string_equal(m.exc_type, "");
	meta_release(&m);
	m = parsed(
		"{\"status\": \"RETRY\", \"result\": {\"exc_type\": \"E\", \"exc_message\":"
		" \"text\"}}");
	assert_string_equal(m.exc_message, "text");
	meta_release(&m);
	m = parsed("{\"status\": \"FAILURE\", \"result\": 5}");
	assert_string_equal(m.exc_message, "");
	meta_release(&m);
}

static void progress_has_its_numbers(void **state)
{
	struct meta m =
		parsed("{\"status\": \"PROGRESS\", \"result\": {\"current\": 3, \"total\": 9,"
		       " \"step\": \"page\"}}");

	(void)state;
	assert_int_equal(m.current, 3);
	assert_int_equal(m.total, 9);
	assert_string_equal(m.step, "page");
	meta_release(&m);
}

static void what_is_no_state_is_refused(void **state)
{
	static const char *const cases[] = { "", "{", "5", "[]", "{}", "{\"status\": 1}", "null" };
	struct meta m = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(meta_parse(&m, cases[i], strlen(cases[i]), &e), -ERR_PROTOCOL);
		assert_null(m.text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_result_keeps_its_text),
		cmocka_unit_test(only_three_states_are_final),
		cmocka_unit_test(an_exception_is_told_in_words),
		cmocka_unit_test(progress_has_its_numbers),
		cmocka_unit_test(what_is_no_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
