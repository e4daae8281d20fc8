/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"

static void iso_texts_are_read_to_the_microsecond(void **state)
{
	static const struct { const char *text; int64_t us; } GOOD[] = {
		{ "1970-01-01", 0 },
		{ "1970-01-01T00:00", 0 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-21T20:18:49.036633+00:00", 1795292329036633 },
		{ "2026-11-21 20:18:49.036633", 1795292329036633 },
		{ "2026-11-21T22:18:49.036633+02:00", 1795292329036633 },
		{ "2026-11-21T15:18:49.036633-0500", 1795292329036633 },
		{ "2026-11-21T15:18:49.036633-05", 1795292329036633 },
		{ "2026-11-21t20:18:49,036633z", 1795292329036633 },
		{ "2026-11-21T20:18:49.5Z", 1795292329500000 },
		{ "2026-11-21T20:18:49.123456789Z", 1795292329123456 },
		{ "2024-02-29T23:59:59Z", 1709251199000000 },
		{ "2016-12-31T23:59:60Z", 1483228800000000 },	/* a leap second is the next one's begin */
		{ "1969-12-31T23:59:59.999999Z", -1 },
		{ "0001-01-01T00:00:00Z", -62135596800000000 },
		{ "9999-12-31T23:59:59.999999Z", 253402300799999999 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		int64_t us = 42;
		struct err e = { 0 };

		if (clock_parse_iso(GOOD[i].text, &us, &e) < 0)
			fail_msg("%s", e.msg);
		if (us != GOOD[i].us)
			fail_msg("%s is %lld", GOOD[i].text, (long long)us);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "now", "2026", "2026-11", "2026-13-01", "2026-00-10", "2026-02-30",
		"2025-02-29", "2026-11-31", "0000-01-01", "2026-1-1", "2026-11-21T",
		"2026-11-21T20", "2026-11-21T24:00:00Z", "2026-11-21T20:60Z",
		"2026-11-21T20:18:61Z", "2026-11-21T20:18:49.Z",
		"2026-11-21T20:18:49.1234567890Z", "2026-11-21T20:18:49+24:00",
		"2026-11-21T20:18:49+05:", "2026-11-21T20:18:49+5", "2026-11-21T20:18:49+00:60",
		"2026-11-21T20:18:49Zx", " 2026-11-21", "2026-11-21 ", "2026/11/21",
		"20261121T201849Z", "-026-11-21", "2026-11-21X20:18", "2026-11-21T20-18",
		"2026-11-21T20:18:x9Z", "2026-11-21T20:18:",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t us = 42;

		if (clock_parse_iso(bad[i], &us, NULL) != -ERR_INVALID)
			fail_msg("\"%s\" is taken for a time", bad[i]);
		assert_int_equal(us, 42);
	}
}

static void iso_texts_are_written_as_celery_writes_them(void **state)
{
	char text[CLOCK_ISO_SIZE];

	(void)state;
	clock_iso(1795292329036633, text);
	assert_string_equal(text, "2026-11-21T20:18:49.036633+00:00");
	clock_iso(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000000+00:00");
	clock_iso(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999+00:00");
	clock_iso(-1000000, text);
	assert_string_equal(text, "1969-12-31T23:59:59.000000+00:00");
}

static void a_written_time_reads_as_itself(void **state)
{
	char text[CLOCK_ISO_SIZE];

	(void)state;
	for (int64_t us = -62135596800000000; us < 253402300799000000; us += 31556952123457 * 7) {
		int64_t back = 0;

		clock_iso(us, text);
		assert_int_equal(clock_parse_iso(text, &back, NULL), 0);
		assert_true(back == us);
	}
}

static void a_fixed_wall_clock_stands_still_and_the_other_goes_on(void **state)
{
	int64_t mono = clock_mono_us();

	(void)state;
	clock_fix_wall(1795292329036633);
	assert_true(clock_wall_us() == 1795292329036633);
	assert_true(clock_wall_ms() == 1795292329036);
	assert_true(clock_mono_us() >= mono);
	clock_fix_wall(0);
	assert_true(clock_wall_us() != 1795292329036633);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iso_texts_are_read_to_the_microsecond),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(iso_texts_are_written_as_celery_writes_them),
		cmocka_unit_test(a_written_time_reads_as_itself),
		cmocka_unit_test(a_fixed_wall_clock_stands_still_and_the_other_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
