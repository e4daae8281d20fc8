/* SPDX-License-Identifier: MIT */
/* cron: what it reads, what it refuses, and when it fires; beside two calculators that share
 * no line with it (tests/unit/cron_oracle.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/cron.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/zone.h"

static struct zone *must_zone(const char *name)
{
	struct zone *z = NULL;
	struct err e = { 0 };

	if (zone_open(&z, name, &e) < 0)
		fail_msg("%s", e.msg);
	return z;
}

static struct cron must_parse(const char *text)
{
	struct cron c = { 0 };
	struct err e = { 0 };

	if (cron_parse(text, &c, &e) < 0)
		fail_msg("%s", e.msg);
	return c;
}

static int64_t seconds(const char *iso)
{
	int64_t us = 0;

	assert_int_equal(clock_parse_iso(iso, &us, NULL), 0);
	return us / 1000000;
}

/* want: the fires after start, ISO 8601, NULL ends them. */
static void check_fires(const char *text, const char *zone, const char *start,
			const char *const *want)
{
	struct zone *z = must_zone(zone);
	struct cron c = must_parse(text);
	int64_t s = seconds(start);
	char got[CLOCK_ISO_SIZE];

	for (; *want; want++) {
		assert_int_equal(cron_next(&c, z, s, &s), 1);
		clock_iso(s * 1000000, got);
		if (s != seconds(*want))
			fail_msg("%s in %s: %s instead of %s", text, zone, got, *want);
	}
	zone_close(z);
}
#define CHECK_FIRES(text, zone, start, ...) \
	check_fires(text, zone, start, (const char *const[]){ __VA_ARGS__, NULL })

static void fields_take_lists_ranges_steps_and_names(void **state)
{
	(void)state;
	CHECK_FIRES("0 9 * * *", "UTC", "2026-11-21T22:00:00Z", "2026-11-22T09:00Z",
		    "2026-11-23T09:00Z");
	CHECK_FIRES("0,30 8-9 * * mon-FRI", "UTC", "2026-11-20T09:00:00Z", "2026-11-20T09:30Z",
		    "2026-11-23T08:00Z", "2026-11-23T08:30Z", "2026-11-23T09:00Z");
	CHECK_FIRES("10/20 0 1 JAN,jul ?", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:10Z",
		    "2026-01-01T00:30Z", "2026-01-01T00:50Z", "2026-07-01T00:10Z");
	CHECK_FIRES("*/20 59 23 31 12 *", "UTC", "2026-12-31T23:59:10Z", "2026-12-31T23:59:20Z",
		    "2026-12-31T23:59:40Z", "2027-12-31T23:59:00Z");
	CHECK_FIRES("0 0 * * 7", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00Z");
	CHECK_FIRES("0 0 * * FRI-SUN", "UTC", "2026-11-18T00:00:00Z", "2026-11-20T00:00Z",
		    "2026-11-21T00:00Z", "2026-11-22T00:00Z", "2026-11-27T00:00Z");
}

static void last_and_nth_days_are_found(void **state)
{
	(void)state;
	CHECK_FIRES("0 0 L * *", "UTC", "2028-01-01T00:00:00Z", "2028-01-31T00:00Z",
		    "2028-02-29T00:00Z", "2028-03-31T00:00Z", "2028-04-30T00:00Z");
	CHECK_FIRES("0 0 L-1 2 *", "UTC", "2026-01-01T00:00:00Z", "2026-02-27T00:00Z",
		    "2027-02-27T00:00Z", "2028-02-28T00:00Z");
	CHECK_FIRES("0 0 * * 5L", "UTC", "2026-11-01T00:00:00Z", "2026-11-27T00:00Z",
		    "2026-12-25T00:00Z", "2027-01-29T00:00Z");
	CHECK_FIRES("0 0 * * friL", "UTC", "2026-11-01T00:00:00Z", "2026-11-27T00:00Z");
	CHECK_FIRES("0 0 * * L5", "UTC", "2026-11-01T00:00:00Z", "2026-11-27T00:00Z");
	CHECK_FIRES("0 0 * * TUE#5,0#1", "UTC", "2026-11-21T00:00:00Z", "2026-12-06T00:00Z",
		    "2026-12-29T00:00Z", "2027-01-03T00:00Z");
}

static void either_kind_of_day_fits_when_both_are_given(void **state)
{
	(void)state;
	CHECK_FIRES("0 0 13 * FRI", "UTC", "2026-11-10T00:00:00Z", "2026-11-13T00:00Z",
		    "2026-11-20T00:00Z", "2026-11-27T00:00Z", "2026-12-04T00:00Z",
		    "2026-12-11T00:00Z", "2026-12-13T00:00Z");
}

static void nicknames_stand_for_their_expressions(void **state)
{
	(void)state;
	CHECK_FIRES("@yearly", "UTC", "2026-11-21T00:00:00Z", "2027-01-01T00:00Z");
	CHECK_FIRES("@monthly", "UTC", "2026-11-21T00:00:00Z", "2026-12-01T00:00Z");
	CHECK_FIRES("@weekly", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00Z");
	CHECK_FIRES("@Daily", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00Z");
	CHECK_FIRES("@hourly", "UTC", "2026-11-21T00:00:00Z", "2026-11-21T01:00Z");
}

static void a_skipped_time_fires_once_right_after_the_gap(void **state)
{
	(void)state;
	CHECK_FIRES("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z",
		    "2026-03-30T00:30:00Z");
	CHECK_FIRES("0,15,30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z",
		    "2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z");
	CHECK_FIRES("0 0 * * *", "America/Santiago", "2025-09-06T12:00:00Z", "2025-09-07T04:00:00Z",
		    "2025-09-08T03:00:00Z");
	/* an hourly one keeps its distance instead */
	CHECK_FIRES("15 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T00:15:00Z",
		    "2026-03-29T01:15:00Z");
}

static void a_repeated_time_fires_at_its_first_occurrence_only(void **state)
{
	(void)state;
	CHECK_FIRES("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z",
		    "2026-10-26T01:30:00Z");
	/* asked in the second pass */
	CHECK_FIRES("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z");
	CHECK_FIRES("0 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", "2026-11-01T05:00:00Z",
		    "2026-11-02T06:00:00Z");
	CHECK_FIRES("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z",
		    "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z");
}

static void the_last_fire_of_a_span_is_found(void **state)
{
	struct zone *z = must_zone("UTC");
	struct cron daily = must_parse("0 9 * * *"), dense = must_parse("* * * * * *");
	int64_t from = seconds("2026-01-01T00:00Z"), until = seconds("2026-11-21T22:00Z"), s = 0;

	(void)state;
	assert_int_equal(cron_last(&daily, z, from, until, &s), 1);
	assert_int_equal(s, seconds("2026-11-21T09:00Z"));
	assert_int_equal(cron_last(&daily, z, seconds("2026-11-21T09:00Z"), until, &s), 0);
	assert_int_equal(cron_last(&dense, z, from, until, &s), 1);
	assert_int_equal(s, until);
	zone_close(z);
}

static void no_fire_is_promised_past_2099(void **state)
{
	struct zone *z = must_zone("UTC");
	struct cron c = must_parse("0 0 1 1 *");
	int64_t s = 0;

	(void)state;
	assert_int_equal(cron_next(&c, z, seconds("2098-06-01T00:00Z"), &s), 1);
	assert_int_equal(s, seconds("2099-01-01T00:00Z"));
	assert_int_equal(cron_next(&c, z, s, &s), 0);
	zone_close(z);
}

static void wrong_expressions_say_where_and_what_would_be_right(void **state)
{
	static const struct {
		const char *text, *want;
	} WRONG[] = {
		{ "", "0 fields; write 5" },
		{ "* * *", "3 fields; write 5 (minute hour day-of-month month day-of-week), 6" },
		{ "* * * * * * *", "7 fields" },
		{ "61 * * * *", "cron \"61 * * * *\": minute: \"61\" is not 0 to 59" },
		{ "60 * * * * *", "second: \"60\" is not 0 to 59" },
		{ "* 24 * * *", "hour: \"24\" is not 0 to 23" },
		{ "* * 0 * *", "day of month: \"0\" is not 1 to 31, L or L-n" },
		{ "* * L-31 * *", "day of month: \"L-31\" is not L or L-0 to L-30" },
		{ "* * * FEBB *", "month: \"FEBB\" is not 1 to 12 or JAN to DEC" },
		{ "* * * * 8", "day of week: \"8\" is not 0 to 7 or SUN to SAT" },
		{ "* * * * L", "day of week: L needs a day with it, as in 5L or FRIL" },
		{ "* * * * 5#6", "day of week: \"6\" after # is not 1 to 5" },
		{ "* * * * #2", "day of week: \"\" is not 0 to 7" },
		{ "*/0 * * * *", "minute: step \"0\" is not 1 to 59" },
		{ "*/ * * * *", "minute: step \"\" is not 1 to 59" },
		{ "1- * * * *", "minute: \"\" is not 0 to 59" },
		{ "1,,2 * * * *", "minute: \"\" is not 0 to 59" },
		{ "-1 * * * *", "minute: \"\" is not 0 to 59" },
		{ "+1 * * * *", "minute: \"+1\" is not 0 to 59" },
		{ "? * * * *", "minute: \"?\" is not 0 to 59" },
		{ "0 22-2 * * *", "hour: the range 22-2 runs backwards; write 22-23,0-2" },
		{ "0 0 30 2 *", "no such day ever comes; check day of month and month" },
		{ "0 0 31 4,6,9,11 *", "no such day ever comes" },
		{ "@reboot", "unknown name; write @yearly" },
		{ "99999999999999999999 * * * *", "minute: \"99999999999999999999\" is not" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		struct err e = { 0 };
		struct cron c = { .seconds = 42 };

		assert_int_equal(cron_parse(WRONG[i].text, &c, &e), -ERR_INVALID);
		if (!strstr(e.msg, WRONG[i].want))
			fail_msg("\"%s\": %s", WRONG[i].text, e.msg);
		assert_int_equal(c.seconds, 42);
	}
}

/* Pieces of expressions put together at random: whatever is taken must also fire. */
static void no_text_breaks_the_parser(void **state)
{
	static const char *const PIECES[] = { " ", " ", " ", " ", "*", "/", "-", ",", "L", "#", "?",
					      "@", "0", "1", "5", "7", "31", "59", "60", "MON",
					      "feb", "-1", "99999999999", "\xff", "daily", "\t" };
	struct zone *z = must_zone("Europe/Berlin");
	unsigned seed = 1;
	int taken = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct cron c;
		char text[400] = "";
		int64_t s;

		for (int n = rand_r(&seed) % 24; n > 0; n--)
			strncat(text, PIECES[(size_t)rand_r(&seed) % COUNT(PIECES)], 12);
		if (cron_parse(text, &c, NULL) < 0)
			continue;
		assert_int_equal(cron_next(&c, z, seconds("2026-11-21T00:00Z"), &s), 1);
		taken++;
	}
	assert_true(taken > 0);
	zone_close(z);
}

/* Lines of one zone come one after the other, and opening one reads all its years. */
static struct zone *same_zone(const char *name)
{
	static struct zone *last;

	if (!last || strcmp(zone_name(last), name) != 0) {
		zone_close(last);
		last = must_zone(name);
	}
	return last;
}

/* One line of cron_oracle.py; the last fire it names is followed by one past its window. */
static void check_line(char *line)
{
	char *text = strsep(&line, "\t"), *zone = strsep(&line, "\t"), *start = strsep(&line, "\t");
	char *fires = strsep(&line, "\n"), *fire;
	struct zone *z = same_zone(zone);
	struct cron c = must_parse(text);
	int64_t s, want;

	assert_int_equal(scan_int64(start, 0, INT64_MAX, &s, NULL), 0);
	while ((fire = strsep(&fires, " ")) && *fire) {
		int64_t before = s;

		assert_int_equal(scan_int64(fire, 0, INT64_MAX, &want, NULL), 0);
		assert_int_equal(cron_next(&c, z, before, &s), 1);
		if (s != want)
			fail_msg("%s in %s after %lld: %lld instead of %lld", text, zone,
				 (long long)before, (long long)s, (long long)want);
	}
}

static void check_oracle(const char *command, int least)
{
	FILE *f = popen(command, "r");
	char *line = NULL;
	size_t cap = 0;
	int lines = 0, status;

	assert_non_null(f);
	for (; getline(&line, &cap, f) > 0; lines++)
		check_line(line);
	free(line);
	status = pclose(f);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	assert_true(lines >= least);
}

static void random_expressions_fire_as_croniter_says(void **state)
{
	(void)state;
	check_oracle("/usr/bin/python3 tests/unit/cron_oracle.py random", 600);
}

static void clock_changes_are_kept_minute_by_minute(void **state)
{
	(void)state;
	check_oracle("/usr/bin/python3 tests/unit/cron_oracle.py changes", 190);
}

/* JOBFLEET_CRON_ZONES=all takes all zones and ten years: minutes instead of seconds. */
static void every_distinct_zone_fires_as_croniter_and_zoneinfo_say(void **state)
{
	(void)state;
	check_oracle("/usr/bin/python3 tests/unit/cron_oracle.py zones", 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_take_lists_ranges_steps_and_names),
		cmocka_unit_test(last_and_nth_days_are_found),
		cmocka_unit_test(either_kind_of_day_fits_when_both_are_given),
		cmocka_unit_test(nicknames_stand_for_their_expressions),
		cmocka_unit_test(a_skipped_time_fires_once_right_after_the_gap),
		cmocka_unit_test(a_repeated_time_fires_at_its_first_occurrence_only),
		cmocka_unit_test(the_last_fire_of_a_span_is_found),
		cmocka_unit_test(no_fire_is_promised_past_2099),
		cmocka_unit_test(wrong_expressions_say_where_and_what_would_be_right),
		cmocka_unit_test(no_text_breaks_the_parser),
		cmocka_unit_test(random_expressions_fire_as_croniter_says),
		cmocka_unit_test(clock_changes_are_kept_minute_by_minute),
		cmocka_unit_test(every_distinct_zone_fires_as_croniter_and_zoneinfo_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
