/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/trigger.h"

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/store/pg.h"
#include "workers/dispatcher/fire.h"
#include "common/base/schedule.h"
#include "workers/dispatcher/timetable.h"

#define TURN_MS 5000
#define BATCH 200
#define FAR_EVERY_US INT64_C(60000000)
#define FAILED_WAIT_US INT64_C(10000000)
#define MAX_SHIFT_US 1000

/* $1 schedule, $2 after, $3 how far back, $4 definition, $5 how many. next_due is how far earlier
 * looks came. */
static const char SQL_FIND[] =
	"SELECT f.task_id, f.settled_us, f.fire_id FROM (SELECT l.task_id, l.settled_at,"
	" (extract(epoch FROM l.settled_at) * 1000000)::bigint AS settled_us,"
	" md5(format('after %s %s %s', $1::text, l.task_id, l.generation))::uuid::text AS fire_id"
	" FROM jobfleet.schedules s JOIN jobfleet.ledger l ON l.settled_at > greatest(s.since,"
	" s.resumed_at, s.next_due - $3::bigint * interval '1 microsecond')"
	" AND l.settled_at >= s.since"
	" WHERE s.name = $1 AND s.definition = $4 AND NOT s.paused"
	" AND l.final AND l.outcome = 'success'"
	" AND (l.task = $2 OR EXISTS (SELECT 1 FROM jobfleet.schedule_fires o"
	" WHERE o.task_id = l.task_id AND o.schedule = $2))) AS f"
	" WHERE NOT EXISTS (SELECT 1 FROM jobfleet.schedule_fires x WHERE x.task_id = f.fire_id"
	" AND x.schedule = $1) AND NOT EXISTS (SELECT 1 FROM jobfleet.schedule_skips x"
	" WHERE x.task_id = f.fire_id AND x.schedule = $1) ORDER BY f.settled_at, f.task_id LIMIT $5::integer";

static const char SQL_SEEN[] =
	"UPDATE jobfleet.schedules SET next_due = $2::timestamptz"
	" WHERE name = $1 AND next_due < $2::timestamptz - interval '1 second'";

static const char SQL_FIRED[] =
	"SELECT 1 FROM jobfleet.schedule_fires WHERE schedule = $1 AND task_id = $2"
	" UNION ALL SELECT 1 FROM jobfleet.schedule_skips WHERE schedule = $1 AND task_id = $2";

/* What one look goes by. */
struct trigger_look {
	const struct conf *conf;
	const char *node;
	int64_t now_us, back_us;
};

/* Two successes of the same microsecond cannot share a due time, so one moves on by as much. */
static int fire_after(struct fire *f, struct pg *pg, const struct conf *conf, struct err *e)
{
	int r = 0;

	for (int shift = 0; r == 0 && shift < MAX_SHIFT_US; shift++, f->due_us++) {
		r = fire_due(pg, conf, f, e);
		if (r == 0 &&
		    pg_run(pg, SQL_FIRED,
			   PG_PARAMS(PG_TEXT(f->schedule->conf->name), PG_TEXT(f->task_id)), NULL,
			   NULL) > 0)
			return 0;
	}
	return r;
}

static int fire_found(const struct schedule *s, const struct pg_rows *rows, struct pg *pg,
		      const struct trigger_look *look, struct err *e)
{
	int fired = 0, r = 0;

	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows); i++) {
		struct fire fire = {
			.schedule = s,
			.due_us = pg_int(rows, i, 1) + s->conf->delay_ms * 1000,
			.now_us = look->now_us,
			.task_id = pg_text(rows, i, 2),
			.kind = "after",
			.trigger = pg_text(rows, i, 0),
			.node = look->node,
		};

		r = fire_after(&fire, pg, look->conf, e);
		fired += r > 0;
	}
	return r < 0 ? r : fired;
}

/* All rows of one look in one transaction: a look that breaks off is repeated whole. */
static int look(const struct schedule *s, struct pg *pg, const struct trigger_look *l,
		bool *ret_more, struct err *e)
{
	struct pg_rows *rows = NULL;
	char now[CLOCK_ISO_SIZE];
	int64_t n = pg_run(pg, SQL_FIND,
			   PG_PARAMS(PG_TEXT(s->conf->name), PG_TEXT(s->conf->after),
				     PG_INT(l->back_us), PG_TEXT(s->definition), PG_INT(BATCH)),
			   &rows, e);
	int fired = 0;

	clock_iso(l->now_us, now);
	*ret_more = n >= BATCH;
	if (n > 0)
		fired = fire_found(s, rows, pg, l, e);
	pg_rows_free(rows);
	if (n < 0 || fired < 0)
		return n < 0 ? (int)n : fired;
	if (n < BATCH)
		n = pg_run(pg, SQL_SEEN, PG_PARAMS(PG_TEXT(s->conf->name), PG_TEXT(now)), NULL, e);
	return n < 0 ? (int)n : fired;
}

static int look_alone(struct trigger *t, const struct schedule *s, struct pg *pg,
		      const struct trigger_look *l, bool *ret_more, struct err *e)
{
	int r = pg_begin(pg, TURN_MS, e), fired;

	*ret_more = false;
	if (r < 0)
		return r;
	r = fired = look(s, pg, l, ret_more, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	if (r >= 0)
		return fired;
	pg_rollback(pg);
	*ret_more = false;
	if (err_is_transient(e->code) || !pg_is_alive(pg))
		return r;
	t->failed_until_us = l->now_us + FAILED_WAIT_US;
	log_error("schedule cannot be fired schedule=%s reason=\"%s\"", s->conf->name, e->msg);
	pg_run(pg, "SELECT jobfleet.raise_alert('schedule_failed', $1, 'ERROR', $2)",
	       PG_PARAMS(PG_TEXT(s->conf->name), PG_TEXT(e->msg)), NULL, NULL);
	return 0;
}

int trigger_turn(struct trigger *t, const struct timetable *table, const struct conf *conf,
		 struct pg *pg, int64_t now_us, const char *node, struct err *e)
{
	bool far = now_us - t->far_look_us >= FAR_EVERY_US;
	struct trigger_look l = { .conf = conf, .node = node, .now_us = now_us,
				  .back_us = far ? TRIGGER_FAR_BACK_US : TRIGGER_BACK_US };
	int fired = 0, r = 0;

	for (size_t i = 0; i < timetable_count(table); i++) {
		const struct schedule *s = timetable_at(table, i);
		bool more = *s->conf->after != '\0';

		while (more && now_us >= t->failed_until_us) {
			r = look_alone(t, s, pg, &l, &more, e);
			if (r < 0)
				return r;
			fired += r;
		}
	}
	if (far)
		t->far_look_us = now_us;
	return fired;
}
