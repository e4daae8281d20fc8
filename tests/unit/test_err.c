/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"

static void every_code_has_its_own_name_a_text_and_an_exception(void **state)
{
	static const char *const builtins[] = {
		"ValueError",	   "TypeError",	   "LookupError", "RuntimeError",   "OverflowError",
		"PermissionError", "TimeoutError", "OSError",	  "ConnectionError"
	};

	(void)state;
	for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
		struct err e = { .code = (enum err_code)code };
		const char *exc = err_exc_type(&e);
		bool known = strcmp(err_exc_module(&e), "billiard.exceptions") == 0;

		assert_true(strlen(err_name((enum err_code)code)) > 0);
		assert_true(strlen(err_text((enum err_code)code)) > 0);
		for (size_t i = 0; i < COUNT(builtins); i++)
			known = known || strcmp(exc, builtins[i]) == 0;
		assert_true(known);
		for (int other = ERR_NONE; other < code; other++)
			assert_string_not_equal(err_name((enum err_code)code),
						err_name((enum err_code)other));
	}
	assert_string_equal(err_name(ERR_COUNT), "UNKNOWN");
	assert_string_equal(err_text(ERR_COUNT), "unknown error");
}

static void only_what_can_pass_by_itself_is_transient(void **state)
{
	static const enum err_code transient[] = { ERR_QUOTA,	ERR_LIMITED, ERR_PARKED,
						   ERR_TIMEOUT, ERR_IO,	     ERR_NET,
						   ERR_HTTP,	ERR_BROKER,  ERR_UNROUTED,
						   ERR_DB,	ERR_REDIS,   ERR_AGAIN };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(transient); i++)
		assert_true(err_is_transient(transient[i]));
	for (int code = ERR_NONE; code <= ERR_COUNT; code++)
		n += err_is_transient((enum err_code)code);
	assert_int_equal(n, COUNT(transient));
}

static void set_fills_everything_and_answers_the_negative_code(void **state)
{
	struct err e = { .retry_after_ms = 5, .exc_type = "Old" };

	(void)state;
	assert_int_equal(err_set(&e, ERR_DB, "%s is %d", "port", 5432), -ERR_DB);
	assert_int_equal(e.code, ERR_DB);
	assert_string_equal(e.msg, "port is 5432");
	assert_string_equal(e.exc_type, "");
	assert_int_equal(e.retry_after_ms, 0);
	assert_int_equal(err_set(NULL, ERR_NET, "nobody listens"), -ERR_NET);
}

static void a_prefix_keeps_code_and_text(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_NET, "refused");
	assert_int_equal(err_prefix(&e, "source %s", "bls"), -ERR_NET);
	assert_string_equal(e.msg, "source bls: refused");
}

static void a_text_can_take_part_in_making_itself(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_NET, "refused");
	assert_int_equal(err_set(&e, ERR_IO, "gave up: %s", e.msg), -ERR_IO);
	assert_string_equal(e.msg, "gave up: refused");
}

static void a_long_text_is_cut_between_letters(void **state)
{
	char text[2 * ERR_MSG_SIZE];
	struct err e = { 0 };

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof text; i += 3)
			memcpy(text + i, "€", 3);
		text[sizeof text - 4] = '\0';
		err_set(&e, ERR_INVALID, "%s", text);
		assert_true(strlen(e.msg) < ERR_MSG_SIZE && strlen(e.msg) > ERR_MSG_SIZE - 5);
		assert_int_equal((strlen(e.msg) - shift) % 3, 0);
		err_prefix(&e, "x");
		assert_int_equal((strlen(e.msg) - shift - 3) % 3, 0);
	}
}

static void what_is_no_utf8_becomes_question_marks(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_PROTOCOL, "peer said \xff\xfe and \xc3");
	assert_string_equal(e.msg, "peer said ?? and ?");
	err_set(&e, ERR_PROTOCOL, "né \xed\xa0\x80 €");	/* a lone surrogate */
	assert_string_equal(e.msg, "né ??? €");
}

static void an_exception_of_its_own_lives_in_our_module(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_INVALID, "x");
	assert_string_equal(err_exc_type(&e), "ValueError");
	assert_string_equal(err_exc_module(&e), "builtins");
	snprintf(e.exc_type, sizeof e.exc_type, "QuotaExceeded");
	assert_string_equal(err_exc_type(&e), "QuotaExceeded");
	assert_string_equal(err_exc_module(&e), "jobfleet");
	snprintf(e.exc_type, sizeof e.exc_type, "NotRegistered");
	assert_string_equal(err_exc_module(&e), "celery.exceptions");
	snprintf(e.exc_type, sizeof e.exc_type, "ContentDisallowed");
	assert_string_equal(err_exc_module(&e), "kombu.exceptions");
	err_clear(&e);
	assert_int_equal(e.code, ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_its_own_name_a_text_and_an_exception),
		cmocka_unit_test(only_what_can_pass_by_itself_is_transient),
		cmocka_unit_test(set_fills_everything_and_answers_the_negative_code),
		cmocka_unit_test(a_prefix_keeps_code_and_text),
		cmocka_unit_test(a_text_can_take_part_in_making_itself),
		cmocka_unit_test(a_long_text_is_cut_between_letters),
		cmocka_unit_test(what_is_no_utf8_becomes_question_marks),
		cmocka_unit_test(an_exception_of_its_own_lives_in_our_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
