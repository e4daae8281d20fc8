/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/fire.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/dispatcher/schedule.h"

static const char SQL_FIRE[] =
	"WITH fired AS (INSERT INTO jobfleet.schedule_fires"
	" (schedule, due, task_id, kind, fired_by, fired_at)"
	" VALUES ($1, $2::timestamptz, $3, $4, $5, $6::timestamptz)"
	" ON CONFLICT (schedule, due) DO NOTHING RETURNING task_id)"
	" SELECT jobfleet.enqueue(task => $7, args => $8::jsonb, kwargs => $9::jsonb, queue => $10,"
	" priority => $11::integer, countdown => $12::bigint * interval '1 microsecond',"
	" task_id => fired.task_id, headers => $13::jsonb) FROM fired";

static const char SQL_RUNNING[] =
	"SELECT EXISTS (SELECT 1 FROM jobfleet.schedule_fires f WHERE f.schedule = $1"
	" AND f.due = (SELECT max(due) FROM jobfleet.schedule_fires WHERE schedule = $1)"
	" AND f.fired_at > $2::timestamptz - interval '1 day'"
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.ledger l WHERE l.task_id = f.task_id AND l.final)"
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.dead_letters d WHERE d.task_id = f.task_id))";

static char *print_headers(const struct fire *f, const char *due)
{
	cJSON *headers = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(headers, "x-jobfleet-schedule", f->schedule->conf->name);
	json_set_str(headers, "x-jobfleet-due", due);
	if (f->trigger)
		json_set_str(headers, "x-jobfleet-trigger", f->trigger);
	text = json_print(headers);
	cJSON_Delete(headers);
	return text;
}

int fire_insert(struct pg *pg, const struct fire *f, struct err *e)
{
	const struct conf_schedule *c = f->schedule->conf;
	int64_t wait_us = f->due_us + f->schedule->offset_us - f->now_us, n;
	char due[CLOCK_ISO_SIZE], now[CLOCK_ISO_SIZE], *headers;

	clock_iso(f->due_us, due);
	clock_iso(f->now_us, now);
	headers = print_headers(f, due);
	n = pg_run(pg, SQL_FIRE,
		   PG_PARAMS(PG_TEXT(c->name), PG_TEXT(due), PG_TEXT(f->task_id), PG_TEXT(f->kind),
			     PG_TEXT(f->node), PG_TEXT(now), PG_TEXT(c->task), PG_TEXT(c->args),
			     PG_TEXT(c->kwargs), PG_TEXT(f->queue),
			     c->priority == CONF_UNSET ? PG_NULL : PG_INT(c->priority),
			     PG_INT(wait_us > 0 ? wait_us : 0), PG_TEXT(headers)),
		   NULL, e);
	free(headers);
	return n < 0 ? (int)n : n > 0;
}

int fire_is_running(struct pg *pg, const char *schedule, int64_t now_us, struct err *e)
{
	char now[CLOCK_ISO_SIZE];
	struct pg_rows *rows = NULL;
	int64_t n;

	clock_iso(now_us, now);
	n = pg_run(pg, SQL_RUNNING, PG_PARAMS(PG_TEXT(schedule), PG_TEXT(now)), &rows, e);
	if (n >= 0)
		n = pg_bool(rows, 0, 0);
	pg_rows_free(rows);
	return (int)n;
}
