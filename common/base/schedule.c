/* SPDX-License-Identifier: MIT */
#include "common/base/schedule.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/zone.h"

#define SECOND_US INT64_C(1000000)

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static char *describe(const struct conf_schedule *c)
{
	if (*c->cron)
		return mem_printf("cron %s in %s", c->cron, c->timezone);
	if (c->every_ms)
		return mem_printf("every %lld ms", (long long)c->every_ms);
	if (*c->at)
		return mem_printf("at %s in %s", c->at, c->timezone);
	return mem_printf("after %s + %lld ms", c->after, (long long)c->delay_ms);
}

/* FNV-1a: spreads names evenly, and stays what it is over versions. */
static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return h;
}

static bool has_offset(const char *iso)
{
	return strlen(iso) > 10 && strpbrk(iso + 10, "Zz+-");
}

static int take_at(struct schedule *s, struct err *e)
{
	int64_t us;
	int r = clock_parse_iso(s->conf->at, &us, e);

	if (r < 0)
		return r;
	s->at_us = has_offset(s->conf->at)
		? us
		: zone_first(s->zone, floor_div(us, SECOND_US)) * SECOND_US + us % SECOND_US;
	return 0;
}

int schedule_init(struct schedule *s, const struct conf_schedule *conf, struct err *e)
{
	struct schedule fresh = { .conf = conf };
	int r = 0;

	if (*conf->cron)
		r = cron_parse(conf->cron, &fresh.cron, e);
	if (r == 0 && (*conf->cron || *conf->at))
		r = zone_open(&fresh.zone, conf->timezone, e);
	if (r == 0 && *conf->at)
		r = take_at(&fresh, e);
	if (r < 0) {
		zone_close(fresh.zone);
		err_prefix(e, "schedule %s", conf->name);
		return r;
	}
	if (conf->jitter_ms > 0)
		fresh.offset_us = (int64_t)(hash(conf->name) % (uint64_t)(conf->jitter_ms * 1000));
	fresh.definition = describe(conf);
	*s = fresh;
	return 0;
}

void schedule_release(struct schedule *s)
{
	zone_close(s->zone);
	free(s->definition);
	memset(s, 0, sizeof *s);
}

bool schedule_is_timed(const struct schedule *s)
{
	return *s->conf->cron || s->conf->every_ms > 0 || *s->conf->at;
}

static int64_t every_after(const struct schedule *s, int64_t after_us)
{
	int64_t every_us = s->conf->every_ms * 1000;

	return s->anchor_us + (floor_div(after_us - s->anchor_us, every_us) + 1) * every_us;
}

int64_t schedule_next(const struct schedule *s, int64_t after_us)
{
	int64_t found_s;

	if (s->conf->every_ms > 0)
		return every_after(s, after_us);
	if (*s->conf->at)
		return s->at_us > after_us ? s->at_us : SCHEDULE_NEVER;
	if (!*s->conf->cron)
		return SCHEDULE_NEVER;
	if (cron_next(&s->cron, s->zone, floor_div(after_us, SECOND_US), &found_s) == 0)
		return SCHEDULE_NEVER;
	return found_s * SECOND_US;
}

/* The latest due time in [from_us, until_us), or SCHEDULE_NEVER. */
static int64_t last_before(const struct schedule *s, int64_t from_us, int64_t until_us)
{
	int64_t every_us = s->conf->every_ms * 1000, found;

	if (every_us > 0) {
		found = every_after(s, until_us - 1 - every_us);
		return found >= from_us ? found : SCHEDULE_NEVER;
	}
	if (*s->conf->at)
		return s->at_us >= from_us && s->at_us < until_us ? s->at_us : SCHEDULE_NEVER;
	if (cron_last(&s->cron, s->zone, floor_div(from_us - 1, SECOND_US),
		      floor_div(until_us - 1, SECOND_US), &found) == 0)
		return SCHEDULE_NEVER;
	return found * SECOND_US;
}

/* Where to begin so that at most `most` missed due times are fired; next_us with none to drop.
 * Walking them all is what "the latest N" costs; a ring keeps N. */
static int64_t latest_missed(const struct schedule *s, int64_t next_us, int64_t until_us, int most)
{
	int64_t *ring = mem_alloc((size_t)most * sizeof *ring), start;
	size_t n = 0;

	for (int64_t t = next_us; t < until_us; t = schedule_next(s, t))
		ring[n++ % (size_t)most] = t;
	start = n <= (size_t)most ? next_us : ring[n % (size_t)most];
	free(ring);
	return start;
}

/* The first due time that is to be fired. */
static int64_t first_wanted(const struct schedule *s, int64_t next_us, int64_t now_us)
{
	int64_t fresh_us = now_us - SCHEDULE_GRACE_US, first, last;

	if (next_us >= fresh_us)
		return next_us;
	if (s->conf->catch_up == CONF_CATCH_UP_ALL)
		return s->conf->catch_up_max > 0
			? latest_missed(s, next_us, fresh_us, s->conf->catch_up_max)
			: next_us;
	first = schedule_next(s, fresh_us - 1);
	if (s->conf->catch_up == CONF_CATCH_UP_SKIP || first <= now_us)
		return first;
	last = last_before(s, next_us, fresh_us);
	return last == SCHEDULE_NEVER ? first : last;
}

size_t schedule_dues(const struct schedule *s, int64_t next_us, int64_t now_us, int64_t *ret_dues,
		     int64_t *ret_next_us)
{
	int64_t t = next_us;
	size_t n = 0;

	if (t <= now_us)
		t = first_wanted(s, next_us, now_us);
	for (; t <= now_us && n < SCHEDULE_MAX_DUES; t = schedule_next(s, t))
		ret_dues[n++] = t;
	*ret_next_us = t;
	return n;
}

void schedule_task_id(const struct schedule *s, int64_t due_us, char out[UUID_SIZE])
{
	char *name = mem_printf("schedule\n%s\n%lld", s->conf->name, (long long)due_us);

	uuid_v5(name, strlen(name), out);
	free(name);
}
