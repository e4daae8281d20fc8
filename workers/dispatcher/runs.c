/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/runs.h"

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/props.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/dispatcher/peers.h"

enum { NEWEST = 500, ALL = 1000000, ALL_EVERY_MS = 60000, TELL_MS = 2000, PROPS_MAX = 1 << 17 };

static const char SQL_RELEASE[] = "SELECT jobfleet.release_held($1::timestamptz)";

static const char SQL_NOTE[] =
	"SELECT CASE WHEN pg_try_advisory_xact_lock(hashtext('jobfleet.note_ends'))"
	" THEN jobfleet.note_ends($1::timestamptz, $2::integer, $3::boolean) ELSE 0 END";

static const char SQL_REPLACED[] =
	"SELECT f.task_id, f.schedule FROM jobfleet.schedule_fires f WHERE f.ended_at IS NULL"
	" AND f.replaced_by IS NOT NULL AND f.fired_at > $1::timestamptz - interval '1 day'"
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.ledger l WHERE l.task_id = f.task_id AND l.final)"
	" ORDER BY f.fired_at LIMIT 100";

/* As `jobfleet revoke --terminate` says it. Source: celery-wire section 6. */
static char *print_request(const struct pg_rows *rows)
{
	cJSON *o = mem_check(cJSON_CreateObject()), *args = mem_check(cJSON_CreateObject());
	cJSON *ids = mem_check(cJSON_CreateArray());
	char *text;

	for (size_t i = 0; i < pg_rows_count(rows); i++)
		cJSON_AddItemToArray(ids, mem_check(cJSON_CreateString(pg_text(rows, i, 0))));
	json_set(args, "task_id", ids);
	json_set_bool(args, "terminate", true);
	json_set_str(args, "signal", "SIGTERM");
	json_set_str(o, "method", "revoke");
	json_set(o, "arguments", args);
	json_set_str(o, "destination", NULL);
	json_set_str(o, "pattern", NULL);
	json_set_str(o, "matcher", NULL);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

static int tell_workers(struct publisher *p, const struct pg_rows *rows, struct err *e)
{
	cJSON *headers = mem_check(cJSON_CreateObject());
	char *text = print_request(rows);
	struct buf props;
	int r;

	json_set_num(headers, "clock", 1);
	json_set_num(headers, "expires", 0);
	buf_init(&props, PROPS_MAX);
	r = props_encode(&props, headers, e);
	if (r >= 0)
		r = publisher_send(p, "celery.pidbox", "", props.data, props.len, text,
				   strlen(text), 0, TELL_MS, e);
	if (r >= 0)
		r = publisher_wait(p, TELL_MS, e);
	buf_release(&props);
	cJSON_Delete(headers);
	free(text);
	return r < 0 ? r : 0;
}

static int end_replaced(struct peers *peers, struct pg *pg, const char *now, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct publisher *p;
	int64_t n = pg_run(pg, SQL_REPLACED, PG_PARAMS(PG_TEXT(now)), &rows, e);
	int r = n < 0 ? (int)n : 0;

	p = n > 0 ? peers_broker(peers) : NULL;
	if (p)
		r = tell_workers(p, rows, e);
	if (p && r == 0)
		log_info("replaced runs are told to end count=%zu first=%s",
			 pg_rows_count(rows), pg_text(rows, 0, 0));
	pg_rows_free(rows);
	return r;
}

static int64_t ask_number(struct pg *pg, const char *sql, const struct pg_param *params, size_t n,
			  struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t got = pg_run(pg, sql, params, n, &rows, e);

	if (got > 0)
		got = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return got;
}

int runs_turn(struct runs *r, struct peers *peers, int64_t now_us, struct err *e)
{
	struct pg *pg = peers_database(peers);
	bool all = clock_mono_ms() - r->all_ms >= ALL_EVERY_MS;
	char now[CLOCK_ISO_SIZE];
	int64_t n, freed;

	if (!pg)
		return 0;
	clock_iso(now_us, now);
	freed = ask_number(pg, SQL_RELEASE, PG_PARAMS(PG_TEXT(now)), e);
	if (freed < 0)
		return (int)freed;
	n = ask_number(pg, SQL_NOTE,
		       PG_PARAMS(PG_TEXT(now), PG_INT(all ? ALL : NEWEST),
				 PG_TEXT(all ? "t" : "f")),
		       e);
	if (n < 0)
		return (int)n;
	if (all)
		r->all_ms = clock_mono_ms();
	n = end_replaced(peers, pg, now, e);
	return n < 0 ? (int)n : freed > 0;
}
