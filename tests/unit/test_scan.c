/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

static void whole_numbers_are_read_up_to_the_ends_of_their_type(void **state)
{
	static const struct { const char *text; int64_t expect; } GOOD[] = {
		{ "0", 0 }, { "-0", 0 }, { "+7", 7 }, { "007", 7 },
		{ "9223372036854775807", INT64_MAX }, { "-9223372036854775808", INT64_MIN },
	};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		assert_int_equal(scan_int64(GOOD[i].text, INT64_MIN, INT64_MAX, &v, NULL), 0);
		assert_true(v == GOOD[i].expect);
	}
}

static void what_is_no_whole_number_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = { "",
					   " 1",
					   "1 ",
					   "1\n",
					   "0x10",
					   "1e3",
					   "1.0",
					   "--1",
					   "+",
					   "-",
					   "1-2",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "٣",
					   NULL };
	int64_t v = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(scan_int64(bad[i], INT64_MIN, INT64_MAX, &v, NULL), -ERR_INVALID);
		assert_true(v == 42);
	}
}

static void bounds_belong_to_the_range(void **state)
{
	struct err e = { 0 };
	int v = 0;

	(void)state;
	assert_int_equal(scan_int("10", 1, 10, &v, &e), 0);
	assert_int_equal(scan_int("1", 1, 10, &v, &e), 0);
	assert_int_equal(scan_int("11", 1, 10, &v, &e), -ERR_INVALID);
	assert_string_equal(e.msg, "\"11\" is not a whole number from 1 to 10");
	assert_int_equal(v, 1);
}

static void a_long_text_is_quoted_in_part_and_stays_utf8(void **state)
{
	struct err e = { 0 };
	int v;

	(void)state;
	/* 59 bytes, then a letter of two: the quote ends between its bytes */
	assert_int_equal(scan_int("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé", 0,
				  1, &v, &e),
			 -ERR_INVALID);
	assert_null(strstr(e.msg, "\xc3"));
}

static void fractions_are_plain_decimals(void **state)
{
	static const char *const bad[] = { "",	   "nan",  "inf",   "-inf", "0x10", "0x1p3", "1,5",
					   "1.5 ", " 1.5", "1e999", "e5",   ".",    "1.5.2" };
	double v = 42;

	(void)state;
	assert_int_equal(scan_double("-1.5e2", -1000, 1000, &v, NULL), 0);
	assert_true(v == -150);
	assert_int_equal(scan_double(".5", 0, 1, &v, NULL), 0);
	assert_true(v == 0.5);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(scan_double(bad[i], -1e9, 1e9, &v, NULL), -ERR_INVALID);
	assert_int_equal(scan_double("1.01", 0, 1, &v, NULL), -ERR_INVALID);
	assert_true(v == 0.5);
}

static void truth_has_eight_spellings(void **state)
{
	static const char *const yes[] = { "true", "Yes", "ON", "1" },
				 *const no[] = { "FALSE", "no", "off", "0" };
	bool v = false;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(scan_bool(yes[i], &v, NULL), 0);
		assert_true(v);
		assert_int_equal(scan_bool(no[i], &v, NULL), 0);
		assert_false(v);
	}
	assert_int_equal(scan_bool("y", &v, NULL), -ERR_INVALID);
	assert_int_equal(scan_bool("", &v, NULL), -ERR_INVALID);
	assert_int_equal(scan_bool(NULL, &v, NULL), -ERR_INVALID);
}

static void durations_carry_their_unit(void **state)
{
	static const struct { const char *text; int64_t ms; } GOOD[] = {
		{ "0", 0 }, { "5", 5000 }, { "0.5", 500 }, { "250ms", 250 }, { "5s", 5000 }, { "10m", 600000 },
		{ "10min", 600000 }, { "2h", 7200000 }, { "7d", 604800000 }, { "1.5h", 5400000 }, { "5 s", 5000 },
	};
	static const char *const bad[] = { "",	  "s",	 "-5s",	  "5x",	   "5S",   "5s ", "5 ",
					   " 5s", "5ss", "1e30d", "0x10s", "infs", NULL };
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		assert_int_equal(scan_duration_ms(GOOD[i].text, &ms, NULL), 0);
		assert_int_equal(ms, GOOD[i].ms);
	}
	ms = 42;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(scan_duration_ms(bad[i], &ms, NULL), -ERR_INVALID);
		assert_int_equal(ms, 42);
	}
}

static void sizes_are_powers_of_1024(void **state)
{
	static const struct { const char *text; int64_t bytes; } GOOD[] = {
		{ "0", 0 }, { "4096", 4096 }, { "64K", 65536 }, { "32M", 33554432 }, { "1G", 1073741824 },
		{ "1.5KiB", 1536 }, { "2MiB", 2097152 }, { "1GiB", 1073741824 },
	};
	static const char *const bad[] = { "", "K", "1KB", "1k", "-1", "1T", "1 K ", "1e20", NULL };
	int64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		assert_int_equal(scan_size(GOOD[i].text, &v, NULL), 0);
		assert_int_equal(v, GOOD[i].bytes);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(scan_size(bad[i], &v, NULL), -ERR_INVALID);
}

static void rates_are_events_a_second(void **state)
{
	static const struct { const char *text; double per_s; } GOOD[] = {
		{ "", 0 }, { "0", 0 }, { "5", 5 }, { "0.5/s", 0.5 }, { "30/m", 0.5 }, { "1800/h", 0.5 },
		{ "43200/d", 0.5 },
	};
	static const char *const bad[] = { "/s", "10/", "10/w", "-1/s", "ten/s", "10/m ", "9e92",
					   "1000000001", NULL };
	double v;

	(void)state;
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		assert_int_equal(scan_rate(GOOD[i].text, &v, NULL), 0);
		assert_true(v > GOOD[i].per_s - 1e-9 && v < GOOD[i].per_s + 1e-9);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(scan_rate(bad[i], &v, NULL), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_are_read_up_to_the_ends_of_their_type),
		cmocka_unit_test(what_is_no_whole_number_is_refused_and_changes_nothing),
		cmocka_unit_test(bounds_belong_to_the_range),
		cmocka_unit_test(a_long_text_is_quoted_in_part_and_stays_utf8),
		cmocka_unit_test(fractions_are_plain_decimals),
		cmocka_unit_test(truth_has_eight_spellings),
		cmocka_unit_test(durations_carry_their_unit),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(rates_are_events_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
