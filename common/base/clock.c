/* SPDX-License-Identifier: MIT */
#include "common/base/clock.h"

#include <ctype.h>
#include <stdbool.h>

#include "common/base/err.h"

static int64_t fixed_us;

static int64_t now_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_wall_us(void)
{
	return fixed_us ? fixed_us : now_us(CLOCK_REALTIME);
}

int64_t clock_wall_ms(void)
{
	return clock_wall_us() / 1000;
}

void clock_fix_wall(int64_t us)
{
	fixed_us = us;
}

void clock_iso(int64_t us, char out[CLOCK_ISO_SIZE])
{
	time_t s = (time_t)(us / 1000000);
	int frac = (int)(us % 1000000);
	struct tm tm;

	if (frac < 0) {
		frac += 1000000;
		s--;
	}
	gmtime_r(&s, &tm);
	snprintf(out, CLOCK_ISO_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, frac);
}

/* Exactly n digits at *p, as a number; moves *p behind them. */
static bool digits(const char **p, int n, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		v = v * 10 + (**p - '0');
	}
	*ret = v;
	return true;
}

static bool fraction(const char **p, int *ret_us)
{
	int scale = 100000, n = 0;

	*ret_us = 0;
	if (**p != '.' && **p != ',')
		return true;
	for ((*p)++; isdigit((unsigned char)**p); (*p)++, n++) {
		*ret_us += (**p - '0') * scale;
		scale /= 10;
	}
	return n > 0 && n <= 9;
}

static bool offset(const char **p, int *ret_min)
{
	int sign = **p == '-' ? -1 : 1, h = 0, m = 0;
	bool colon;

	*ret_min = 0;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return true;
	}
	if (**p != '+' && **p != '-')
		return true;
	(*p)++;
	if (!digits(p, 2, &h))
		return false;
	colon = **p == ':';
	*p += colon;
	if ((colon || **p) && !digits(p, 2, &m))
		return false;
	*ret_min = sign * (h * 60 + m);
	return h <= 23 && m <= 59;
}

static bool time_of_day(const char **p, struct tm *tm, int *ret_us)
{
	*ret_us = 0;
	if (!**p)
		return true;
	if (**p != 'T' && **p != 't' && **p != ' ')
		return false;
	(*p)++;
	if (!digits(p, 2, &tm->tm_hour) || *(*p)++ != ':' || !digits(p, 2, &tm->tm_min))
		return false;
	if (**p == ':') {
		(*p)++;
		if (!digits(p, 2, &tm->tm_sec))
			return false;
	}
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60 && fraction(p, ret_us);
}

int clock_parse_iso(const char *text, int64_t *ret_us, struct err *e)
{
	struct tm tm = { 0 }, day;
	const char *p = text;
	int us = 0, off_min = 0;
	time_t s;

	if (!digits(&p, 4, &tm.tm_year) || *p++ != '-' || !digits(&p, 2, &tm.tm_mon) ||
	    *p++ != '-' || !digits(&p, 2, &tm.tm_mday) || !time_of_day(&p, &tm, &us) ||
	    !offset(&p, &off_min) || *p)
		goto bad;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	day = tm;
	day.tm_sec = 0;		/* 60 of a leap second must not move the date under the check */
	s = timegm(&day) + tm.tm_sec;
	if (tm.tm_year < -1899 || day.tm_mon != tm.tm_mon || day.tm_mday != tm.tm_mday)
		goto bad;
	*ret_us = ((int64_t)s - off_min * 60) * 1000000 + us;
	return 0;
bad:
	return err_set(e, ERR_INVALID, "\"%.60s\" is not an ISO 8601 time such as "
		       "2026-11-21T20:18:49+00:00", text);
}
