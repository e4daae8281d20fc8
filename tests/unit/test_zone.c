/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/zone.h"

static struct zone *must_zone(const char *name)
{
	struct zone *z = NULL;
	struct err e = { 0 };

	if (zone_open(&z, name, &e) < 0)
		fail_msg("%s", e.msg);
	return z;
}

static int64_t seconds(const char *iso)
{
	int64_t us = 0;

	assert_int_equal(clock_parse_iso(iso, &us, NULL), 0);
	return us / 1000000;
}

static void a_gap_ends_at_its_first_instant(void **state)
{
	struct zone *z = must_zone("Europe/Berlin");
	int64_t after_gap = seconds("2026-03-29T01:00:00Z");

	(void)state;
	assert_int_equal(zone_first(z, seconds("2026-03-29T01:59:59")), after_gap - 1);
	assert_int_equal(zone_first(z, seconds("2026-03-29T02:00:00")), after_gap);
	assert_int_equal(zone_first(z, seconds("2026-03-29T02:59:59")), after_gap);
	assert_int_equal(zone_first(z, seconds("2026-03-29T03:00:01")), after_gap + 1);
	assert_int_equal(zone_next_change(z, after_gap - 1), after_gap);
	zone_close(z);
}

static void a_repeated_hour_is_its_first_occurrence(void **state)
{
	struct zone *z = must_zone("Europe/Berlin");

	(void)state;
	assert_int_equal(zone_first(z, seconds("2026-10-25T02:30:00")),
			 seconds("2026-10-25T00:30:00Z"));
	assert_int_equal(zone_first(z, seconds("2026-10-25T03:00:00")),
			 seconds("2026-10-25T02:00:00Z"));
	assert_int_equal(zone_local(z, seconds("2026-10-25T01:30:00Z")),
			 seconds("2026-10-25T02:30:00"));
	zone_close(z);
}

static void a_skipped_day_is_one_long_gap(void **state)
{
	struct zone *z = must_zone("Pacific/Apia");

	(void)state;
	assert_int_equal(zone_first(z, seconds("2011-12-30T09:00:00")),
			 seconds("2011-12-30T10:00:00Z"));
	zone_close(z);
}

static void utc_never_changes(void **state)
{
	struct zone *z = must_zone("UTC");

	(void)state;
	assert_int_equal(zone_local(z, 1000), 1000);
	assert_int_equal(zone_first(z, 1000), 1000);
	assert_true(zone_next_change(z, 0) == INT64_MAX);
	assert_string_equal(zone_name(z), "UTC");
	zone_close(z);
}

static void names_that_are_no_zone_are_refused(void **state)
{
	static const char *const WRONG[] = {
		"",
		"Europe/Berln",
		"/etc/passwd",
		"../zoneinfo/UTC",
		"Europe",
		"right/Europe/Berlin",
		"CET-1CEST",
		"Europe/Berlin ",
		"tzdata.zi",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		struct zone *z = NULL;
		struct err e = { 0 };

		assert_int_equal(zone_open(&z, WRONG[i], &e), -ERR_INVALID);
		assert_null(z);
		if (!strstr(e.msg, "; did you mean ") &&
		    !strstr(e.msg, "; write an IANA name such as Europe/Berlin or UTC"))
			fail_msg("%s", e.msg);
	}
}

static void a_wrong_name_brings_the_one_that_was_meant(void **state)
{
	static const char *const pairs[][2] = {
		{ "Berlin", "Europe/Berlin" },		{ "europe/berlin", "Europe/Berlin" },
		{ "America/New-York", "America/New_York" }, { "Asia/Tokio", "Asia/Tokyo" },
		{ "utc", "UTC" },			{ "Nowhere/At_All", "" },
	};
	char got[ZONE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		zone_suggest(pairs[i][0], got);
		assert_string_equal(got, pairs[i][1]);
	}
}

static void the_environment_is_given_back(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	zone_close(must_zone("America/New_York"));
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	unsetenv("TZ");
	zone_close(must_zone("America/New_York"));
	assert_null(getenv("TZ"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_ends_at_its_first_instant),
		cmocka_unit_test(a_repeated_hour_is_its_first_occurrence),
		cmocka_unit_test(a_skipped_day_is_one_long_gap),
		cmocka_unit_test(utc_never_changes),
		cmocka_unit_test(names_that_are_no_zone_are_refused),
		cmocka_unit_test(a_wrong_name_brings_the_one_that_was_meant),
		cmocka_unit_test(the_environment_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
