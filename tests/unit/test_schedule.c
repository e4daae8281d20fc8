/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/schedule.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static int64_t us(const char *iso)
{
	int64_t t = 0;

	assert_int_equal(clock_parse_iso(iso, &t, NULL), 0);
	return t;
}

static struct conf_schedule settings(const char *cron, int64_t every_ms)
{
	return (struct conf_schedule){ .name = "s",
				       .cron = cron,
				       .every_ms = every_ms,
				       .at = "",
				       .after = "",
				       .condition = "",
				       .max_retries = CONF_UNSET,
				       .timezone = "UTC",
				       .task = "t",
				       .args = "[]",
				       .kwargs = "{}",
				       .queue = "q" };
}

/* The due times of one look, as text of days and hours: "21 09, 22 09 -> 23 09". */
static void check_look(const struct conf_schedule *conf, const char *next, const char *now,
		       const char *want)
{
	int64_t dues[SCHEDULE_MAX_DUES], after;
	struct schedule s;
	struct err e = { 0 };
	char got[4096] = "", iso[CLOCK_ISO_SIZE];
	size_t n, len = 0;

	assert_int_equal(schedule_init(&s, conf, &e), 0);
	n = schedule_dues(&s, us(next), us(now), dues, &after);
	for (size_t i = 0; i < n; i++) {
		clock_iso(dues[i], iso);
		len += (size_t)snprintf(got + len, sizeof got - len, "%s%.2s %.2s", i ? ", " : "",
					iso + 8, iso + 11);
	}
	clock_iso(after, iso);
	snprintf(got + len, sizeof got - len, " -> %.2s %.2s", iso + 8, iso + 11);
	assert_string_equal(got, want);
	schedule_release(&s);
}

static void what_is_on_time_fires_under_every_policy(void **state)
{
	struct conf_schedule c = settings("0 9 * * *", 0);

	(void)state;
	for (int policy = CONF_CATCH_UP_SKIP; policy <= CONF_CATCH_UP_ALL; policy++) {
		c.catch_up = policy;
		check_look(&c, "2026-11-21T09:00Z", "2026-11-21T08:59:59Z", " -> 21 09");
		check_look(&c, "2026-11-21T09:00Z", "2026-11-21T09:00Z", "21 09 -> 22 09");
		check_look(&c, "2026-11-21T09:00Z", "2026-11-21T09:00:59Z", "21 09 -> 22 09");
	}
}

static void missed_times_are_skipped_or_caught_up_as_said(void **state)
{
	struct conf_schedule c = settings("0 9 * * *", 0);

	(void)state;
	c.catch_up = CONF_CATCH_UP_SKIP;
	check_look(&c, "2026-11-18T09:00Z", "2026-11-21T12:00Z", " -> 22 09");
	c.catch_up = CONF_CATCH_UP_LAST;
	check_look(&c, "2026-11-18T09:00Z", "2026-11-21T12:00Z", "21 09 -> 22 09");
	c.catch_up = CONF_CATCH_UP_ALL;
	check_look(&c, "2026-11-18T09:00Z", "2026-11-21T12:00Z",
		   "18 09, 19 09, 20 09, 21 09 -> 22 09");
	c.catch_up_max = 2;
	check_look(&c, "2026-11-18T09:00Z", "2026-11-21T12:00Z", "20 09, 21 09 -> 22 09");
	c.catch_up_max = 9;
	check_look(&c, "2026-11-20T09:00Z", "2026-11-21T12:00Z", "20 09, 21 09 -> 22 09");
}

static void a_time_that_is_on_time_makes_up_for_missed_ones_under_last(void **state)
{
	struct conf_schedule c = settings("0 9 * * *", 0);

	(void)state;
	c.catch_up = CONF_CATCH_UP_LAST;
	check_look(&c, "2026-11-18T09:00Z", "2026-11-21T09:00:30Z", "21 09 -> 22 09");
	c.catch_up = CONF_CATCH_UP_SKIP;
	check_look(&c, "2026-11-18T09:00Z", "2026-11-21T09:00:30Z", "21 09 -> 22 09");
}

static void a_long_list_is_continued_by_the_next_look(void **state)
{
	struct conf_schedule c = settings("* * * * * *", 0);
	int64_t dues[SCHEDULE_MAX_DUES], next = us("2026-11-21T00:00Z"), now = next + 999 * SECOND;
	int64_t expected = next;
	struct schedule s;
	size_t total = 0, n;

	(void)state;
	c.catch_up = CONF_CATCH_UP_ALL;
	assert_int_equal(schedule_init(&s, &c, NULL), 0);
	do {
		n = schedule_dues(&s, next, now, dues, &next);
		for (size_t i = 0; i < n; i++, expected += SECOND)
			assert_int_equal(dues[i], expected);
		total += n;
	} while (next <= now);
	assert_int_equal(total, 1000);
	schedule_release(&s);
}

static void every_counts_from_its_anchor(void **state)
{
	struct conf_schedule c = settings("", 90000);
	struct schedule s;

	(void)state;
	assert_int_equal(schedule_init(&s, &c, NULL), 0);
	s.anchor_us = us("2026-11-21T10:00:10Z");
	assert_int_equal(schedule_next(&s, s.anchor_us), s.anchor_us + 90 * SECOND);
	assert_int_equal(schedule_next(&s, s.anchor_us + 90 * SECOND - 1),
			 s.anchor_us + 90 * SECOND);
	assert_int_equal(schedule_next(&s, s.anchor_us + 90 * SECOND), s.anchor_us + 180 * SECOND);
	schedule_release(&s);
}

static void the_last_missed_distance_is_found_by_reckoning(void **state)
{
	struct conf_schedule c = settings("", 3600000);
	int64_t dues[SCHEDULE_MAX_DUES], next, start = us("2020-01-01T00:00Z");
	struct schedule s;

	(void)state;
	c.catch_up = CONF_CATCH_UP_LAST;
	assert_int_equal(schedule_init(&s, &c, NULL), 0);
	s.anchor_us = start;
	assert_int_equal(schedule_dues(&s, start, us("2026-11-21T12:30Z"), dues, &next), 1);
	assert_int_equal(dues[0], us("2026-11-21T12:00Z"));
	assert_int_equal(next, us("2026-11-21T13:00Z"));
	schedule_release(&s);
}

static void once_comes_once_at_the_first_instant_that_shows_it(void **state)
{
	static const char *const pairs[][2] = {
		{ "2026-12-24T18:00:00Z", "2026-12-24T18:00Z" },
		{ "2026-12-24T18:00:00+01:00", "2026-12-24T17:00Z" },
		{ "2026-12-24T18:00", "2026-12-24T17:00Z" },
		{ "2026-03-29 02:30", "2026-03-29T01:00Z" },	/* left out by the clock */
		{ "2026-10-25 02:30", "2026-10-25T00:30Z" },	/* shown twice */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct conf_schedule c = settings("", 0);
		int64_t dues[SCHEDULE_MAX_DUES], next, at = us(pairs[i][1]);
		struct schedule s;

		c.at = pairs[i][0];
		c.timezone = "Europe/Berlin";
		assert_int_equal(schedule_init(&s, &c, NULL), 0);
		assert_true(schedule_is_timed(&s));
		assert_int_equal(schedule_next(&s, 0), at);
		assert_true(schedule_next(&s, at) == SCHEDULE_NEVER);
		assert_int_equal(schedule_dues(&s, at, at + SECOND, dues, &next), 1);
		assert_true(next == SCHEDULE_NEVER);
		/* missed: as catch_up says */
		assert_int_equal(schedule_dues(&s, at, at + DAY, dues, &next), 0);
		c.catch_up = CONF_CATCH_UP_LAST;
		assert_int_equal(schedule_dues(&s, at, at + DAY, dues, &next), 1);
		schedule_release(&s);
	}
}

static void a_task_id_belongs_to_name_and_due_time(void **state)
{
	struct conf_schedule c = settings("0 9 * * *", 0), other = c;
	struct schedule s, t;
	char a[UUID_SIZE], b[UUID_SIZE];

	(void)state;
	other.name = "other";
	assert_int_equal(schedule_init(&s, &c, NULL), 0);
	assert_int_equal(schedule_init(&t, &other, NULL), 0);
	schedule_task_id(&s, DAY, a);
	schedule_task_id(&s, DAY, b);
	assert_string_equal(a, b);
	schedule_task_id(&s, DAY + 1, b);
	assert_string_not_equal(a, b);
	schedule_task_id(&t, DAY, b);
	assert_string_not_equal(a, b);
	schedule_release(&s);
	schedule_release(&t);
}

static void jitter_is_fixed_by_the_name_and_bounded(void **state)
{
	struct conf_schedule c = settings("0 9 * * *", 0);
	struct schedule s, again;

	(void)state;
	c.jitter_ms = 60000;
	assert_int_equal(schedule_init(&s, &c, NULL), 0);
	assert_int_equal(schedule_init(&again, &c, NULL), 0);
	assert_int_equal(s.offset_us, again.offset_us);
	assert_in_range(s.offset_us, 0, 60 * SECOND - 1);
	schedule_release(&s);
	schedule_release(&again);
}

static void wrong_settings_name_the_schedule(void **state)
{
	struct conf_schedule c = settings("0 25 * * *", 0);
	struct schedule s;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(schedule_init(&s, &c, &e), -ERR_INVALID);
	assert_string_equal(e.msg, "schedule s: cron \"0 25 * * *\": hour: \"25\" is not 0 to 23");
	c = settings("0 2 * * *", 0);
	c.timezone = "Mars/Olympus";
	assert_int_equal(schedule_init(&s, &c, &e), -ERR_INVALID);
	assert_non_null(strstr(e.msg, "schedule s: unknown time zone \"Mars/Olympus\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_on_time_fires_under_every_policy),
		cmocka_unit_test(missed_times_are_skipped_or_caught_up_as_said),
		cmocka_unit_test(a_time_that_is_on_time_makes_up_for_missed_ones_under_last),
		cmocka_unit_test(a_long_list_is_continued_by_the_next_look),
		cmocka_unit_test(every_counts_from_its_anchor),
		cmocka_unit_test(the_last_missed_distance_is_found_by_reckoning),
		cmocka_unit_test(once_comes_once_at_the_first_instant_that_shows_it),
		cmocka_unit_test(a_task_id_belongs_to_name_and_due_time),
		cmocka_unit_test(jitter_is_fixed_by_the_name_and_bounded),
		cmocka_unit_test(wrong_settings_name_the_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
