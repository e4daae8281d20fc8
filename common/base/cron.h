/* SPDX-License-Identifier: MIT */
/* cron: a schedule expression, and when it comes next in a time zone. Pure.
 *
 * Five fields, or six with the second in front (without it the second is 0):
 *
 *	[second] minute hour day-of-month month day-of-week
 *	 0-59    0-59   0-23 1-31         1-12  0-7 (0 and 7 are Sunday)
 *
 * or @yearly (@annually), @monthly, @weekly, @daily (@midnight), @hourly.
 * A field is a list "a,b" of: "*" every value ("?" is the same for both kinds of day); "a";
 * "a-b"; each of these with a step "/n" ("a/n" goes on to the field's end). Months and days of
 * the week also by name (JAN, MON), any case.
 * Day of month: "L" is the last day, "L-3" three days before it. Day of week: "5L" (or "L5",
 * "FRIL") is the last Friday of the month, "5#2" (or "FRI#2") the second one.
 * Where both day-of-month and day-of-week are given (cover less than all), a day that fits either
 * of them fits, as POSIX crontab says.
 *
 * Times that the clock skips or shows twice (daylight saving):
 *   gap     a time that is left out fires once, at the first instant after the gap;
 *   repeat  a time that comes twice fires once, at its first occurrence.
 * An expression whose hour field covers every hour means distances rather than times of day: it
 * fires whenever the clock shows a fitting time, in both passes of a repeat, and nothing is made
 * up for a gap. So an hourly job runs each hour and a daily one each day, whatever clocks do. */
#ifndef COMMON_BASE_CRON_H
#define COMMON_BASE_CRON_H

#include <stdint.h>

struct err;
struct zone;

/* Plain data, bit n = value n; copy it as you like. Filled by cron_parse only. */
struct cron {
	uint64_t seconds, minutes, hours, days, months, weekdays; /* weekdays: 0 to 6 */
	uint32_t days_before_last;				  /* bit 0 = L, bit 3 = L-3 */
	uint8_t last_weekdays;					  /* bit 5 = 5L */
	uint8_t nth_weekdays[6];				  /* [2] bit 5 = 5#2; [0] unused */
};

/* -ERR_INVALID names the field, quotes what is wrong there and says what would be right; an
 * expression that never comes (30 February) is wrong, too. */
int cron_parse(const char *text, struct cron *ret, struct err *e);

/* The first fire after after_s (seconds since the epoch). 1 = *ret_s is set, 0 = none before
 * the year 2100. */
int cron_next(const struct cron *c, const struct zone *z, int64_t after_s, int64_t *ret_s);

/* The last fire in (from_s, until_s]: 1 = *ret_s is set, 0 = none. */
int cron_last(const struct cron *c, const struct zone *z, int64_t from_s, int64_t until_s,
	      int64_t *ret_s);

#endif
