/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/fire.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/dispatcher/holds.h"
#include "common/base/schedule.h"

static const char SQL_FIRE[] =
	"SELECT jobfleet.fire_schedule(schedule => $1, due => $2::timestamptz, at => $3::timestamptz,"
	" task_id => $4, task => $5, args => $6::jsonb, kwargs => $7::jsonb, queue => $8,"
	" priority => $9::integer, late => $10::bigint * interval '1 microsecond', kind => $11,"
	" fired_by => $12, headers => $13::jsonb, hold => $14::boolean, limit_ms => $15::bigint)";

static const char SQL_OPEN[] =
	"SELECT count(*), count(*) FILTER (WHERE held)"
	" FROM jobfleet.schedule_open($1, $2::timestamptz)";

static const char SQL_REPLACE[] = "SELECT jobfleet.replace_runs($1, $2, $3::timestamptz)";

static const char SQL_SKIP[] =
	"INSERT INTO jobfleet.schedule_skips (schedule, due, task_id, reason, noted_by, noted_at)"
	" SELECT $1, $2::timestamptz, $3, $4, $5, $6::timestamptz"
	" WHERE NOT EXISTS (SELECT 1 FROM jobfleet.schedule_fires WHERE schedule = $1"
	" AND due = $2::timestamptz) ON CONFLICT DO NOTHING";

static char *print_headers(const struct fire *f, const char *due)
{
	const struct conf_schedule *c = f->schedule->conf;
	cJSON *headers = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(headers, "x-jobfleet-due", due);
	if (f->trigger)
		json_set_str(headers, "x-jobfleet-trigger", f->trigger);
	if (c->max_retries != CONF_UNSET)
		json_set_num(headers, "x-jobfleet-max-retries", c->max_retries);
	if (c->retry_distance_ms > 0)
		json_set_num(headers, "x-jobfleet-retry-distance", (double)c->retry_distance_ms);
	text = json_print(headers);
	cJSON_Delete(headers);
	return text;
}

/* 1 = fired, 0 = it was before. */
static int insert(struct pg *pg, const struct fire *f, bool hold, struct err *e)
{
	const struct conf_schedule *c = f->schedule->conf;
	char due[CLOCK_ISO_SIZE], now[CLOCK_ISO_SIZE], *headers;
	struct pg_rows *rows = NULL;
	int64_t n;

	clock_iso(f->due_us, due);
	clock_iso(f->now_us, now);
	headers = print_headers(f, due);
	n = pg_run(pg, SQL_FIRE,
		   PG_PARAMS(PG_TEXT(c->name), PG_TEXT(due), PG_TEXT(now), PG_TEXT(f->task_id),
			     PG_TEXT(c->task), PG_TEXT(c->args), PG_TEXT(c->kwargs),
			     *c->queue ? PG_TEXT(c->queue) : PG_NULL,
			     c->priority == CONF_UNSET ? PG_NULL : PG_INT(c->priority),
			     PG_INT(f->schedule->offset_us), PG_TEXT(f->kind), PG_TEXT(f->node),
			     PG_TEXT(headers), PG_TEXT(hold ? "t" : "f"),
			     c->limit_ms > 0 ? PG_INT(c->limit_ms) : PG_NULL),
		   &rows, e);
	free(headers);
	if (n > 0)
		n = pg_bool(rows, 0, 0);
	pg_rows_free(rows);
	if (n > 0)
		log_info("schedule fires schedule=%s due=%s task_id=%s%s", c->name, due,
			 f->task_id, hold ? " waits_for=run_before" : "");
	return (int)n;
}

static int leave_out(struct pg *pg, const struct fire *f, const char *reason, struct err *e)
{
	char due[CLOCK_ISO_SIZE], now[CLOCK_ISO_SIZE];
	int64_t n;

	clock_iso(f->due_us, due);
	clock_iso(f->now_us, now);
	n = pg_run(pg, SQL_SKIP,
		   PG_PARAMS(PG_TEXT(f->schedule->conf->name), PG_TEXT(due), PG_TEXT(f->task_id),
			     PG_TEXT(reason), PG_TEXT(f->node), PG_TEXT(now)),
		   NULL, e);
	if (n > 0)
		log_info("schedule left out, %s schedule=%s due=%s", reason,
			 f->schedule->conf->name, due);
	return n < 0 ? (int)n : 0;
}

/* How many runs before it have not ended, and how many of those still wait. */
static int count_open(struct pg *pg, const struct fire *f, int64_t *ret_held, struct err *e)
{
	char now[CLOCK_ISO_SIZE];
	struct pg_rows *rows = NULL;
	int64_t n;

	clock_iso(f->now_us, now);
	n = pg_run(pg, SQL_OPEN, PG_PARAMS(PG_TEXT(f->schedule->conf->name), PG_TEXT(now)), &rows,
		   e);
	if (n > 0) {
		n = pg_int(rows, 0, 0);
		*ret_held = pg_int(rows, 0, 1);
	}
	pg_rows_free(rows);
	return (int)n;
}

static int insert_replacing(struct pg *pg, const struct fire *f, struct err *e)
{
	char now[CLOCK_ISO_SIZE];
	int r = insert(pg, f, true, e);
	int64_t n;

	if (r <= 0)
		return r;
	clock_iso(f->now_us, now);
	n = pg_run(pg, SQL_REPLACE,
		   PG_PARAMS(PG_TEXT(f->schedule->conf->name), PG_TEXT(f->task_id), PG_TEXT(now)),
		   NULL, e);
	return n < 0 ? (int)n : r;
}

static int insert_minding(struct pg *pg, const struct fire *f, struct err *e)
{
	enum conf_overlap overlap = f->schedule->conf->overlap;
	bool after = *f->schedule->conf->after != '\0';
	int64_t held = 0;
	int open;

	if (overlap == CONF_OVERLAP_ALLOW || (after && overlap != CONF_OVERLAP_QUEUE))
		return insert(pg, f, false, e);
	open = count_open(pg, f, &held, e);
	if (open <= 0)
		return open < 0 ? open : insert(pg, f, false, e);
	if (overlap == CONF_OVERLAP_REPLACE)
		return insert_replacing(pg, f, e);
	if (overlap == CONF_OVERLAP_SKIP)
		return leave_out(pg, f, "its last run goes on", e);
	if (held >= FIRE_QUEUE_MAX && !after)
		return leave_out(pg, f, "too many of its runs wait already", e);
	return insert(pg, f, true, e);
}

int fire_missed(struct pg *pg, const struct fire *f, struct err *e)
{
	return leave_out(pg, f, "no dispatcher ran then or for a while after, and catch_up says so",
			 e);
}

int fire_due(struct pg *pg, const struct conf *conf, const struct fire *f, struct err *e)
{
	char *why = NULL, *reason;
	int r = 1;

	if (*f->schedule->conf->condition)
		r = holds_ask(pg, conf, f->schedule->conf->condition, f->now_us, &why, e);
	if (r == 0) {
		reason = mem_printf("its condition does not hold: %s", why);
		r = leave_out(pg, f, reason, e);
		free(reason);
		free(why);
		return r;
	}
	return r < 0 ? r : insert_minding(pg, f, e);
}
