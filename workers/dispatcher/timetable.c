/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/timetable.h"

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/store/pg.h"
#include "workers/dispatcher/fire.h"
#include "common/base/schedule.h"

#define TURN_MS 5000
#define LOCKED_WAIT_US INT64_C(200000)
#define OTHERWISE_WAIT_US INT64_C(10000000) /* before one that others know otherwise is looked at */
#define FAILED_WAIT_US INT64_C(10000000) /* before a schedule that cannot be fired is tried again */

/* A new definition starts anew; an equal one keeps its place. The update without effect lets
 * RETURNING show the row in either case. */
static const char SQL_REGISTER[] =
	"INSERT INTO jobfleet.schedules AS s (name, definition, since, next_due)"
	" VALUES ($1, $2, $3::timestamptz, $4::timestamptz)"
	" ON CONFLICT (name) DO UPDATE SET definition = excluded.definition,"
	" since = CASE WHEN s.definition = excluded.definition THEN s.since"
	" ELSE excluded.since END,"
	" next_due = CASE WHEN s.definition = excluded.definition THEN s.next_due"
	" ELSE excluded.next_due END"
	" RETURNING (extract(epoch FROM since) * 1000000)::bigint,"
	" CASE WHEN isfinite(next_due) THEN (extract(epoch FROM next_due) * 1000000)::bigint END";

static const char SQL_LOCK[] =
	"SELECT definition, paused,"
	" CASE WHEN isfinite(next_due) THEN (extract(epoch FROM next_due) * 1000000)::bigint END"
	" FROM jobfleet.schedules WHERE name = $1 FOR UPDATE SKIP LOCKED";

static const char SQL_MOVE[] =
	"UPDATE jobfleet.schedules SET next_due = $2::timestamptz WHERE name = $1";

struct entry {
	struct schedule schedule;
	int64_t look_us; /* when to look at its row; SCHEDULE_NEVER for "after" */
	bool warned;	 /* that others know it otherwise */
};

struct timetable {
	const struct conf *conf;
	char *node;
	struct entry *entries;
	size_t count;
};

static void print_due(int64_t us, char out[CLOCK_ISO_SIZE])
{
	if (us == SCHEDULE_NEVER)
		snprintf(out, CLOCK_ISO_SIZE, "infinity");
	else
		clock_iso(us, out);
}

static int64_t cell_due(const struct pg_rows *rows, int col)
{
	return pg_cell(rows, 0, col) ? pg_int(rows, 0, col) : SCHEDULE_NEVER;
}

static int register_one(struct entry *en, struct pg *pg, int64_t now_us, struct err *e)
{
	struct schedule *s = &en->schedule;
	char now[CLOCK_ISO_SIZE], next[CLOCK_ISO_SIZE];
	struct pg_rows *rows = NULL;
	int64_t n;

	s->anchor_us = now_us;
	clock_iso(now_us, now);
	/* for "after" this is how far its triggers were looked through */
	print_due(schedule_is_timed(s) ? schedule_next(s, now_us) : now_us, next);
	n = pg_run(pg, SQL_REGISTER,
		   PG_PARAMS(PG_TEXT(s->conf->name), PG_TEXT(s->definition), PG_TEXT(now),
			     PG_TEXT(next)),
		   &rows, e);
	if (n > 0) {
		s->anchor_us = pg_int(rows, 0, 0);
		en->look_us = schedule_is_timed(s) ? cell_due(rows, 1) : SCHEDULE_NEVER;
	}
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

int timetable_register(struct timetable *t, struct pg *pg, int64_t now_us, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->count; i++)
		r = register_one(&t->entries[i], pg, now_us, e);
	return r;
}

static int fire_one(struct timetable *t, struct schedule *s, struct pg *pg, int64_t due_us,
		    int64_t now_us, bool missed, struct err *e)
{
	char id[UUID_SIZE];
	struct fire fire = { .schedule = s,
			     .due_us = due_us,
			     .now_us = now_us,
			     .task_id = id,
			     .kind = "time",
			     .node = t->node };

	schedule_task_id(s, due_us, id);
	return missed ? fire_missed(pg, &fire, e) : fire_due(pg, t->conf, &fire, e);
}

static int fire_dues(struct timetable *t, struct entry *en, struct pg *pg, int64_t next_us,
		     int64_t now_us, struct err *e)
{
	struct schedule *s = &en->schedule;
	int64_t dues[SCHEDULE_MAX_DUES], after_us;
	size_t n = schedule_dues(s, next_us, now_us, dues, &after_us);
	char after[CLOCK_ISO_SIZE];
	int fired = 0, r = 0;

	if (n > 0 ? dues[0] > next_us : after_us > next_us)
		r = fire_one(t, s, pg, next_us, now_us, true, e);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = fire_one(t, s, pg, dues[i], now_us, false, e);
		fired += r > 0;
	}
	print_due(after_us, after);
	if (r >= 0)
		r = (int)pg_run(pg, SQL_MOVE, PG_PARAMS(PG_TEXT(s->conf->name), PG_TEXT(after)),
				NULL, e);
	if (r < 0)
		return r;
	en->look_us = after_us;
	return fired;
}

/* With the schedule's row locked. Returns the number of fires. */
static int look(struct timetable *t, struct entry *en, struct pg *pg, int64_t now_us, struct err *e)
{
	struct schedule *s = &en->schedule;
	struct pg_rows *rows = NULL;
	int64_t next_us, n = pg_run(pg, SQL_LOCK, PG_PARAMS(PG_TEXT(s->conf->name)), &rows, e);
	char next[CLOCK_ISO_SIZE];
	int r;

	if (n <= 0) {
		/* another dispatcher is at it, or the row is gone */
		en->look_us = now_us + LOCKED_WAIT_US;
		pg_rows_free(rows);
		return (int)n;
	}
	if (strcmp(pg_text(rows, 0, 0), s->definition) != 0) {
		if (!en->warned && *pg_text(rows, 0, 0))
			log_warn("another dispatcher knows this schedule otherwise, left to it "
				 "until a reload schedule=%s theirs=\"%s\"", s->conf->name,
				 pg_text(rows, 0, 0));
		en->warned = en->warned || *pg_text(rows, 0, 0);
		en->look_us = now_us + OTHERWISE_WAIT_US;
		pg_rows_free(rows);
		return 0;
	}
	next_us = cell_due(rows, 2);
	if (next_us > now_us) {
		en->look_us = next_us;
		r = 0;
	} else if (pg_bool(rows, 0, 1)) {
		en->look_us = schedule_next(s, now_us);
		print_due(en->look_us, next);
		r = (int)pg_run(pg, SQL_MOVE, PG_PARAMS(PG_TEXT(s->conf->name), PG_TEXT(next)),
				NULL, e);
	} else {
		r = fire_dues(t, en, pg, next_us, now_us, e);
	}
	pg_rows_free(rows);
	return r;
}

/* A schedule that cannot be fired (its task has no queue) must not stop the others. */
static void put_off(struct entry *en, struct pg *pg, int64_t now_us, const struct err *why)
{
	log_error("schedule cannot be fired schedule=%s reason=\"%s\"", en->schedule.conf->name,
		  why->msg);
	en->look_us = now_us + FAILED_WAIT_US;
	pg_run(pg, "SELECT jobfleet.raise_alert('schedule_failed', $1, 'ERROR', $2)",
	       PG_PARAMS(PG_TEXT(en->schedule.conf->name), PG_TEXT(why->msg)), NULL, NULL);
}

static int look_alone(struct timetable *t, struct entry *en, struct pg *pg, int64_t now_us,
		      struct err *e)
{
	int r = pg_begin(pg, TURN_MS, e), fired;

	if (r < 0)
		return r;
	r = fired = look(t, en, pg, now_us, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	if (r >= 0)
		return fired;
	pg_rollback(pg);
	if (err_is_transient(e->code) || !pg_is_alive(pg))
		return r;
	put_off(en, pg, now_us, e);
	return 0;
}

int timetable_turn(struct timetable *t, struct pg *pg, int64_t now_us, int64_t *ret_next_us,
		   struct err *e)
{
	int64_t next_us = SCHEDULE_NEVER;
	int fired = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct entry *en = &t->entries[i];
		int r = 0;

		if (en->look_us <= now_us)
			r = look_alone(t, en, pg, now_us, e);
		if (r < 0)
			return r;
		fired += r;
		if (en->look_us < next_us)
			next_us = en->look_us;
	}
	*ret_next_us = next_us;
	return fired;
}

size_t timetable_count(const struct timetable *t)
{
	return t->count;
}

const struct schedule *timetable_at(const struct timetable *t, size_t i)
{
	return &t->entries[i].schedule;
}

int timetable_open(struct timetable **ret, const struct plan *plan, const struct conf *conf,
		   const char *node, struct err *e)
{
	struct timetable *t = mem_zalloc(sizeof *t);
	int r = 0;

	t->conf = conf;
	t->node = mem_strdup(node);
	t->entries = mem_zalloc((plan_count(plan) + 1) * sizeof *t->entries);
	for (size_t i = 0; r == 0 && i < plan_count(plan); i++) {
		const struct conf_schedule *c = plan_at(plan, i);

		if (!c->enabled)
			continue;
		r = schedule_init(&t->entries[t->count].schedule, c, e);
		if (r == 0)
			t->entries[t->count++].look_us = SCHEDULE_NEVER;
	}
	if (r < 0) {
		timetable_close(t);
		return r;
	}
	*ret = t;
	return 0;
}

void timetable_close(struct timetable *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		schedule_release(&t->entries[i].schedule);
	free(t->entries);
	free(t->node);
	free(t);
}
