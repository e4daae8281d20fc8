/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/doctor.h"

static char *printed(const struct checkup *k, int how)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (how == 2)
		checkup_print_json(k, out);
	else
		checkup_print(k, how == 1, out);
	fclose(out);
	return text;
}

static void findings_are_counted_and_told_with_what_to_do(void **state)
{
	struct checkup *k = checkup_new();
	char *text;

	(void)state;
	checkup_add(k, "a", "one", CHECKUP_OK, NULL, "%d of %d", 1, 2);
	checkup_add(k, "b", "two", CHECKUP_FAIL, "do it", "broken");
	assert_int_equal(checkup_count(k, CHECKUP_FAIL), 1);
	assert_int_equal(checkup_count(k, CHECKUP_WARN), 0);
	text = printed(k, 0);
	assert_string_equal(text, "ok           a one: 1 of 2\n"
				  "fail         b two: broken\n"
				  "               do it\n"
				  "1 ok, 0 warnings, 1 failures, 0 not checked\n");
	free(text);
	text = printed(k, 1);
	assert_null(strstr(text, "a one"));
	free(text);
	text = printed(k, 2);
	assert_string_equal(text, "[{\"area\":\"a\",\"check\":\"one\",\"level\":\"ok\",\"text\":"
				  "\"1 of 2\",\"advice\":null},{\"area\":\"b\",\"check\":\"two\","
				  "\"level\":\"fail\",\"text\":\"broken\",\"advice\":\"do it\"}]\n");
	free(text);
	checkup_free(k);
}

/* A slow answer is no skewed clock. */
static void a_clock_is_off_only_beyond_what_the_way_took(void **state)
{
	static const struct {
		int64_t theirs, before, after;
		size_t warnings;
	} cases[] = {
		{ 10000000, 10000000, 10000000, 0 }, { 11500000, 10000000, 10000000, 1 },
		{ 8500000, 10000000, 10000000, 1 },  { 11500000, 10000000, 12000000, 0 },
		{ 14500000, 10000000, 12000000, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct checkup *k = checkup_new();

		doctor_clock(k, "x", cases[i].theirs, cases[i].before, cases[i].after);
		assert_int_equal(checkup_count(k, CHECKUP_WARN), cases[i].warnings);
		checkup_free(k);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_are_counted_and_told_with_what_to_do),
		cmocka_unit_test(a_clock_is_off_only_beyond_what_the_way_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
