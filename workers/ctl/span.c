/* SPDX-License-Identifier: MIT */
#include "workers/ctl/span.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/base/zone.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, TICKS_AIM = 9 };

static const int64_t STEPS[] = {
	1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
	HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY,
	28 * DAY, 56 * DAY, 112 * DAY,
};

static int64_t step_for(int64_t seconds, int64_t most)
{
	size_t i = 0;

	while (i < COUNT(STEPS) - 1 && (seconds + STEPS[i] - 1) / STEPS[i] > most)
		i++;
	return STEPS[i];
}

static int64_t floor_to(int64_t v, int64_t step)
{
	int64_t rest = v % step;

	return v - (rest < 0 ? rest + step : rest);
}

void span_init(struct span *s, int64_t from_s, int64_t to_s, const struct zone *zone)
{
	int64_t local = zone_local(zone, from_s), step = step_for(to_s - from_s,
								   SPAN_INTERVALS_MAX - 1);

	s->zone = zone;
	s->step_s = step;
	s->from_s = from_s - (local - floor_to(local, step));
	s->to_s = to_s;
	s->n = (size_t)((to_s - s->from_s + step - 1) / step);
	if (s->n > SPAN_INTERVALS_MAX)
		s->n = SPAN_INTERVALS_MAX;
}

double span_place(const struct span *s, int64_t at_s)
{
	double all = (double)s->n * (double)s->step_s;

	return fmin(1, fmax(0, (double)(at_s - s->from_s) / all));
}

size_t span_ticks(const struct span *s, int64_t ret[SPAN_TICKS_MAX])
{
	int64_t end = s->from_s + (int64_t)s->n * s->step_s, last = s->from_s - 1;
	int64_t step = step_for(end - s->from_s, TICKS_AIM);
	int64_t local = floor_to(zone_local(s->zone, s->from_s) - 1, step) + step;
	size_t n = 0;

	for (; n < SPAN_TICKS_MAX; local += step) {
		int64_t at = zone_first(s->zone, local);

		if (at > end)
			break;
		if (at > last)
			ret[n++] = last = at;
	}
	return n;
}

static struct tm local_tm(const struct span *s, int64_t at_s)
{
	time_t local = (time_t)zone_local(s->zone, at_s);
	struct tm tm;

	gmtime_r(&local, &tm);
	return tm;
}

static size_t put_clock(char *out, size_t size, const struct tm *tm, bool seconds)
{
	return seconds ? strftime(out, size, "%H:%M:%S", tm) : strftime(out, size, "%H:%M", tm);
}

void span_tick_label(const struct span *s, int64_t at_s, char out[SPAN_LABEL_SIZE])
{
	struct tm tm = local_tm(s, at_s);

	if (tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0)
		strftime(out, SPAN_LABEL_SIZE, "%b %d", &tm);
	else
		put_clock(out, SPAN_LABEL_SIZE, &tm, s->step_s < 10);
}

void span_label(const struct span *s, size_t i, char out[SPAN_LABEL_SIZE])
{
	int64_t from = s->from_s + (int64_t)i * s->step_s;
	struct tm a = local_tm(s, from), b = local_tm(s, from + s->step_s);
	bool seconds = s->step_s < MINUTE;
	size_t n = strftime(out, SPAN_LABEL_SIZE, "%b %d", &a);

	if (s->step_s >= DAY) {
		n += (size_t)snprintf(out + n, SPAN_LABEL_SIZE - n, " to ");
		b = local_tm(s, from + s->step_s - 1);
		strftime(out + n, SPAN_LABEL_SIZE - n, "%b %d", &b);
		return;
	}
	out[n++] = ' ';
	n += put_clock(out + n, SPAN_LABEL_SIZE - n, &a, seconds);
	n += (size_t)snprintf(out + n, SPAN_LABEL_SIZE - n, " to ");
	put_clock(out + n, SPAN_LABEL_SIZE - n, &b, seconds);
}

void span_time(const struct span *s, int64_t at_s, char out[SPAN_LABEL_SIZE])
{
	struct tm tm = local_tm(s, at_s);

	strftime(out, SPAN_LABEL_SIZE, tm.tm_sec ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M", &tm);
}

void span_step_text(const struct span *s, char out[SPAN_LABEL_SIZE])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { DAY, "d" }, { HOUR, "h" }, { MINUTE, "min" }, { 1, "s" } };
	size_t i = 0;

	while (s->step_s % units[i].seconds != 0)
		i++;
	snprintf(out, SPAN_LABEL_SIZE, "%lld %s", (long long)(s->step_s / units[i].seconds),
		 units[i].name);
}
