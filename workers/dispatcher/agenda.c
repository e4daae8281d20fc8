/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/agenda.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/store/pg.h"
#include "common/store/planned.h"
#include "common/base/schedule.h"
#include "workers/dispatcher/timetable.h"
#include "workers/dispatcher/trigger.h"

struct agenda {
	const struct conf *conf;
	const char *node;
	struct plan *plan;
	struct timetable *table;
	struct trigger trigger;
	char *mark;	    /* of the settings in the database that the plan has */
	int64_t look_ms;    /* monotonic: when to look at them again */
	int64_t next_us;    /* when the timetable is to be looked at */
	bool registered;
};

int agenda_open(struct agenda **ret, const struct conf *conf, const char *node, struct err *e)
{
	struct agenda *a = mem_zalloc(sizeof *a);
	int r;

	a->conf = conf;
	a->node = node;
	a->plan = plan_new(conf);
	r = timetable_open(&a->table, a->plan, conf, node, e);
	if (r < 0) {
		agenda_close(a);
		return r;
	}
	*ret = a;
	return 0;
}

void agenda_close(struct agenda *a)
{
	if (!a)
		return;
	timetable_close(a->table);
	plan_free(a->plan);
	free(a->mark);
	free(a);
}

static void tell_wrong(void *ctx, const char *name, const struct err *why)
{
	log_error("a schedule of the database is wrong, left out schedule=%s reason=\"%s\"", name,
		  why->msg);
	pg_run(ctx, "SELECT jobfleet.raise_alert('schedule_wrong', $1, 'ERROR', $2)",
	       PG_PARAMS(PG_TEXT(name), PG_TEXT(why->msg)), NULL, NULL);
}

static int take_plan(struct agenda *a, struct pg *pg, struct err *e)
{
	struct timetable *table = NULL;
	struct plan *plan = NULL;
	char *mark = NULL;
	int r = planned_read(pg, a->conf, tell_wrong, pg, &plan, &mark, e);

	if (r == 0)
		r = timetable_open(&table, plan, a->conf, a->node, e);
	if (r < 0) {
		plan_free(plan);
		free(mark);
		return r;
	}
	if (a->mark)
		log_info("schedules changed in the database schedules=%zu", timetable_count(table));
	timetable_close(a->table);
	plan_free(a->plan);
	mem_replace(&a->mark, mark);
	a->plan = plan;
	a->table = table;
	a->registered = false;
	return 0;
}

/* 1 = the database's settings are others than the plan's. */
static int is_stale(struct agenda *a, struct pg *pg, struct err *e)
{
	char *mark = NULL;
	int r;

	if (!a->mark)
		return 1;
	if (clock_mono_ms() < a->look_ms)
		return 0;
	r = planned_mark(pg, &mark, e);
	if (r == 0)
		r = strcmp(mark, a->mark) != 0;
	free(mark);
	return r;
}

static int keep_up(struct agenda *a, struct pg *pg, int64_t now_us, struct err *e)
{
	int r = is_stale(a, pg, e);

	if (r > 0)
		r = take_plan(a, pg, e);
	if (r == 0 && clock_mono_ms() >= a->look_ms)
		a->look_ms = clock_mono_ms() + AGENDA_LOOK_MS;
	if (r < 0 || a->registered)
		return r;
	r = timetable_register(a->table, pg, now_us, e);
	a->registered = r == 0;
	a->next_us = 0;
	return r;
}

int agenda_turn(struct agenda *a, struct pg *pg, int64_t now_us, struct err *e)
{
	int r = keep_up(a, pg, now_us, e);

	if (r == 0 && a->next_us <= now_us)
		r = timetable_turn(a->table, pg, now_us, &a->next_us, e);
	return r;
}

int agenda_follow(struct agenda *a, struct pg *pg, int64_t now_us, struct err *e)
{
	if (!a->registered)
		return 0;
	return trigger_turn(&a->trigger, a->table, a->conf, pg, now_us, a->node, e);
}

int64_t agenda_next_us(const struct agenda *a)
{
	return a->registered ? a->next_us : 0;
}

size_t agenda_count(const struct agenda *a)
{
	return timetable_count(a->table);
}
