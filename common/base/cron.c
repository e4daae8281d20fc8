/* SPDX-License-Identifier: MIT */
#include "common/base/cron.h"

#include <ctype.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/zone.h"

#define DAY_S INT64_C(86400)
#define END_DAY INT64_C(47482)		/* 2100-01-01 */
#define CHECK_FROM_S INT64_C(946684800) /* 2000-01-01 */
#define MAX_TEXT 255
#define ALL(first, last) (((UINT64_C(1) << ((last) - (first) + 1)) - 1) << (first))
#define BIT(n) (UINT64_C(1) << (n))

enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

static const char *const MONTHS[] = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
				      "AUG", "SEP", "OCT", "NOV", "DEC", NULL };
static const char *const WEEKDAYS[] = { "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL };
static const char *const NONE[] = { NULL };

/* last is where "*" and "a/n" end; max is what may be written (7 is Sunday again). */
static const struct field {
	const char *name;
	int first, last, max;
	const char *const *names; /* of first and the following values */
	const char *want;
} FIELDS[FIELD_COUNT] = {
	[SECOND] = { "second", 0, 59, 59, NONE, "0 to 59" },
	[MINUTE] = { "minute", 0, 59, 59, NONE, "0 to 59" },
	[HOUR] = { "hour", 0, 23, 23, NONE, "0 to 23" },
	[DAY] = { "day of month", 1, 31, 31, NONE, "1 to 31, L or L-n" },
	[MONTH] = { "month", 1, 12, 12, MONTHS, "1 to 12 or JAN to DEC" },
	[WEEKDAY] = { "day of week", 0, 6, 7, WEEKDAYS, "0 to 7 or SUN to SAT" },
};

static const struct {
	const char *name, *text;
} NICKNAMES[] = {
	{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
	{ "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },	  { "@midnight", "0 0 * * *" },
	{ "@hourly", "0 * * * *" },
};

/* ---- reading ---- */

static int refuse(const struct field *f, const char *text, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s: \"%.40s\" is not %s", f->name, text, f->want);
}

static int parse_value(const struct field *f, const char *text, int *ret, struct err *e)
{
	for (int i = 0; f->names[i]; i++) {
		if (strcasecmp(text, f->names[i]) == 0) {
			*ret = f->first + i;
			return 0;
		}
	}
	if (!isdigit((unsigned char)*text) || scan_int(text, f->first, f->max, ret, NULL) < 0)
		return refuse(f, text, e);
	return 0;
}

/* "*", "?", "a" or "a-b"; *ret_open says that a step goes on to the field's end. */
static int parse_range(const struct field *f, char *text, int *ret_from, int *ret_to,
		       bool *ret_open, struct err *e)
{
	char *dash = strchr(text, '-');
	int r;

	*ret_open = false;
	*ret_from = f->first;
	*ret_to = f->last;
	if (strcmp(text, "*") == 0)
		return 0;
	if (strcmp(text, "?") == 0 && (f == &FIELDS[DAY] || f == &FIELDS[WEEKDAY]))
		return 0;
	if (dash)
		*dash = '\0';
	r = parse_value(f, text, ret_from, e);
	if (r == 0)
		r = parse_value(f, dash ? dash + 1 : text, ret_to, e);
	if (r < 0)
		return r;
	*ret_open = !dash;
	if (f == &FIELDS[WEEKDAY] && *ret_to == 0 && *ret_from > 0)
		*ret_to = 7;
	if (*ret_from > *ret_to)
		return err_set(e, ERR_INVALID,
			       "%s: the range %d-%d runs backwards; write %d-%d,%d-%d", f->name,
			       *ret_from, *ret_to, *ret_from, f->last, f->first, *ret_to);
	return 0;
}

static int parse_step(const struct field *f, const char *text, int *ret, struct err *e)
{
	if (!isdigit((unsigned char)*text) || scan_int(text, 1, f->last, ret, NULL) < 0)
		return err_set(e, ERR_INVALID, "%s: step \"%.40s\" is not 1 to %d", f->name, text,
			       f->last);
	return 0;
}

static int parse_plain(const struct field *f, char *text, uint64_t *mask, struct err *e)
{
	char *slash = strchr(text, '/');
	int from, to, step = 1, r;
	bool open;

	if (slash)
		*slash = '\0';
	r = parse_range(f, text, &from, &to, &open, e);
	if (r == 0 && slash)
		r = parse_step(f, slash + 1, &step, e);
	if (r < 0)
		return r;
	if (slash && open)
		to = f->last;
	for (int v = from; v <= to; v += step)
		*mask |= BIT(f == &FIELDS[WEEKDAY] ? v % 7 : v);
	return 0;
}

/* "L" and "L-3". */
static int parse_last_day(const char *text, struct cron *c, struct err *e)
{
	int before = 0;

	if (text[1] &&
	    (text[1] != '-' || !isdigit((unsigned char)text[2]) ||
	     scan_int(text + 2, 0, 30, &before, NULL) < 0))
		return err_set(e, ERR_INVALID, "%s: \"%.40s\" is not L or L-0 to L-30",
			       FIELDS[DAY].name, text);
	c->days_before_last |= (uint32_t)BIT(before);
	return 0;
}

/* "5#2"; hash points into text. */
static int parse_nth_weekday(char *text, char *hash, struct cron *c, struct err *e)
{
	int nth, weekday, r;

	*hash = '\0';
	r = parse_value(&FIELDS[WEEKDAY], text, &weekday, e);
	if (r < 0)
		return r;
	if (scan_int(hash + 1, 1, 5, &nth, NULL) < 0)
		return err_set(e, ERR_INVALID, "%s: \"%.40s\" after # is not 1 to 5",
			       FIELDS[WEEKDAY].name, hash + 1);
	c->nth_weekdays[nth] |= (uint8_t)BIT(weekday % 7);
	return 0;
}

/* "5L", "L5", "FRIL"; *ret_rest is what names the day, in text. False: no such form. */
static bool is_last_weekday(char *text, char **ret_rest)
{
	size_t n = strlen(text);

	if (toupper((unsigned char)text[0]) == 'L') {
		*ret_rest = text + 1;
		return true;
	}
	if (n < 2 || toupper((unsigned char)text[n - 1]) != 'L' || strpbrk(text, "-/"))
		return false;
	text[n - 1] = '\0';
	*ret_rest = text;
	return true;
}

static int parse_last_weekday(const char *rest, struct cron *c, struct err *e)
{
	int weekday;

	if (!*rest)
		return err_set(e, ERR_INVALID, "%s: L needs a day with it, as in 5L or FRIL",
			       FIELDS[WEEKDAY].name);
	if (parse_value(&FIELDS[WEEKDAY], rest, &weekday, e) < 0)
		return -ERR_INVALID;
	c->last_weekdays |= (uint8_t)BIT(weekday % 7);
	return 0;
}

static int parse_item(int field, char *text, struct cron *c, struct err *e)
{
	uint64_t *masks[] = { &c->seconds, &c->minutes, &c->hours,
			      &c->days,	   &c->months,	&c->weekdays };
	char *hash = strchr(text, '#'), *rest;

	if (!*text)
		return refuse(&FIELDS[field], text, e);
	if (field == DAY && toupper((unsigned char)*text) == 'L')
		return parse_last_day(text, c, e);
	if (field == WEEKDAY && hash)
		return parse_nth_weekday(text, hash, c, e);
	if (field == WEEKDAY && is_last_weekday(text, &rest))
		return parse_last_weekday(rest, c, e);
	return parse_plain(&FIELDS[field], text, masks[field], e);
}

static int parse_field(int field, char *text, struct cron *c, struct err *e)
{
	char *item;
	int r = 0;

	while (r == 0 && (item = strsep(&text, ",")))
		r = parse_item(field, item, c, e);
	return r;
}

static int parse_fields(char *text, struct cron *c, struct err *e)
{
	char *fields[FIELD_COUNT], *word;
	int n = 0, r = 0;

	while ((word = strsep(&text, " \t"))) {
		if (!*word)
			continue;
		if (n < FIELD_COUNT)
			fields[n] = word;
		n++;
	}
	if (n != FIELD_COUNT && n != FIELD_COUNT - 1)
		return err_set(e, ERR_INVALID,
			       "%d fields; write 5 (minute hour day-of-month month "
			       "day-of-week), 6 (second in front), or @daily and the like",
			       n);
	if (n == FIELD_COUNT - 1)
		c->seconds = BIT(0);
	for (int i = 0; r == 0 && i < n; i++)
		r = parse_field(i + FIELD_COUNT - n, fields[i], c, e);
	return r;
}

static int parse_nickname(const char *text, const char **ret_text, struct err *e)
{
	for (size_t i = 0; i < COUNT(NICKNAMES); i++) {
		if (strcasecmp(text, NICKNAMES[i].name) == 0) {
			*ret_text = NICKNAMES[i].text;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID,
		       "unknown name; write @yearly, @annually, @monthly, @weekly, "
		       "@daily, @midnight or @hourly");
}

/* ---- reckoning, in local time ---- */

static int days_in_month(const struct tm *tm)
{
	int year = tm->tm_year + 1900;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return tm->tm_mon == 1 ? 28 + leap : 31 - (BIT(tm->tm_mon) & 0x528 ? 1 : 0);
}

static bool fits_day_of_month(const struct cron *c, const struct tm *tm)
{
	int left = days_in_month(tm) - tm->tm_mday;

	return (c->days & BIT(tm->tm_mday)) || (c->days_before_last & BIT(left));
}

static bool fits_weekday(const struct cron *c, const struct tm *tm)
{
	uint64_t day = BIT(tm->tm_wday);

	return (c->weekdays & day) || (c->nth_weekdays[(tm->tm_mday + 6) / 7] & day) ||
		((c->last_weekdays & day) && days_in_month(tm) - tm->tm_mday < 7);
}

static bool fits_date(const struct cron *c, int64_t day)
{
	time_t t = (time_t)(day * DAY_S);
	struct tm tm;

	gmtime_r(&t, &tm);
	if (!(c->months & BIT(tm.tm_mon + 1)))
		return false;
	if (c->days == ALL(1, 31))
		return fits_weekday(c, &tm);
	if (c->weekdays == ALL(0, 6))
		return fits_day_of_month(c, &tm);
	return fits_day_of_month(c, &tm) || fits_weekday(c, &tm);
}

/* The lowest member of mask from v on; false if there is none. */
static bool next_member(uint64_t mask, int v, int *ret)
{
	mask = v > 63 ? 0 : mask & ~(BIT(v) - 1);
	if (!mask)
		return false;
	*ret = __builtin_ctzll(mask);
	return true;
}

/* The first fitting second of a day that is not before `from`. */
static bool next_in_day(const struct cron *c, int from, int *ret)
{
	int hour = from / 3600, minute = from / 60 % 60, second = from % 60, h, m, s;

	if (!next_member(c->hours, hour, &h))
		return false;
	if (h > hour)
		minute = second = 0;
	if (!next_member(c->minutes, minute, &m))
		return next_in_day(c, (h + 1) * 3600, ret);
	if (h > hour || m > minute)
		second = 0;
	if (!next_member(c->seconds, second, &s))
		return next_in_day(c, h * 3600 + (m + 1) * 60, ret);
	*ret = h * 3600 + m * 60 + s;
	return true;
}

/* The first fitting local time after local_s. */
static bool next_local(const struct cron *c, int64_t local_s, int64_t *ret_s)
{
	int64_t day = (local_s + 1) / DAY_S;
	int from = (int)((local_s + 1) % DAY_S), found;

	if (local_s < 0)
		day = from = 0;
	for (; day < END_DAY; day++, from = 0) {
		if (fits_date(c, day) && next_in_day(c, from, &found)) {
			*ret_s = day * DAY_S + found;
			return true;
		}
	}
	return false;
}

/* ---- and on the real time line ---- */

/* Each local time is the instant at which clocks show it first: that never runs backwards, so
 * the first one that lies behind after_s is the next. */
static int next_by_clock(const struct cron *c, const struct zone *z, int64_t after_s,
			 int64_t *ret_s)
{
	int64_t local = zone_local(z, after_s), utc;

	do {
		if (!next_local(c, local, &local))
			return 0;
		utc = zone_first(z, local);
	} while (utc <= after_s);
	*ret_s = utc;
	return 1;
}

/* Within one offset local and real time run alike; behind a change the search starts anew. */
static int next_by_distance(const struct cron *c, const struct zone *z, int64_t after_s,
			    int64_t *ret_s)
{
	int64_t utc = after_s, local = zone_local(z, utc), change = zone_next_change(z, utc), found;

	while (next_local(c, local, &found)) {
		if (utc + (found - local) < change) {
			*ret_s = utc + (found - local);
			return 1;
		}
		utc = change - 1;
		local = zone_local(z, change) - 1;
		change = zone_next_change(z, change);
	}
	return 0;
}

int cron_next(const struct cron *c, const struct zone *z, int64_t after_s, int64_t *ret_s)
{
	if (c->hours == ALL(0, 23))
		return next_by_distance(c, z, after_s, ret_s);
	return next_by_clock(c, z, after_s, ret_s);
}

/* Looks back in windows that double, so neither a dense nor a rare schedule costs much. */
int cron_last(const struct cron *c, const struct zone *z, int64_t from_s, int64_t until_s,
	      int64_t *ret_s)
{
	int64_t start = until_s, width = 60, s, last;
	int found = 0;

	while (!found && start > from_s) {
		start = until_s - width > from_s ? until_s - width : from_s;
		width *= 2;
		for (s = start; cron_next(c, z, s, &s) == 1 && s <= until_s; found = 1)
			last = s;
	}
	if (found)
		*ret_s = last;
	return found;
}

int cron_parse(const char *text, struct cron *ret, struct err *e)
{
	const char *meant = text;
	struct cron c = { 0 };
	char *copy;
	int64_t first;
	int r = 0;

	if (strlen(text) > MAX_TEXT)
		r = err_set(e, ERR_INVALID, "longer than %d characters", MAX_TEXT);
	else if (*text == '@')
		r = parse_nickname(text, &meant, e);
	if (r == 0) {
		copy = mem_strdup(meant);
		r = parse_fields(copy, &c, e);
		free(copy);
	}
	if (r == 0 && !next_local(&c, CHECK_FROM_S, &first))
		r = err_set(e, ERR_INVALID, "no such day ever comes; check day of month and month");
	if (r < 0) {
		err_prefix(e, "cron \"%.80s\"", text);
		return r;
	}
	*ret = c;
	return 0;
}
