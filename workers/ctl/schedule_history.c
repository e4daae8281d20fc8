/* SPDX-License-Identifier: MIT */
/* schedule history: each run of a schedule, and each due time that was left out. */
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/plans.h"
#include "workers/ctl/schedules.h"
#include "workers/ctl/table.h"

enum { MOST = 100000, USUAL = 50 };

#define UTC(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"

/* What has ended since the dispatcher last wrote it down stands in the ledger. */
static const char SQL[] =
	"WITH runs AS (SELECT f.schedule, f.due, f.kind, f.fired_by, f.task_id,"
	"  coalesce(f.started_at, l.started_at) AS started_at,"
	"  coalesce(f.ended_at, l.settled_at) AS ended_at,"
	"  coalesce(f.outcome, l.outcome, CASE WHEN f.held THEN 'held' ELSE 'under way' END)"
	"   AS outcome, coalesce(f.attempts, l.retries + 1) AS attempts, f.records,"
	"  coalesce(f.cause, l.cause) AS why FROM jobfleet.schedule_fires f"
	"  LEFT JOIN LATERAL (SELECT * FROM jobfleet.ledger x WHERE x.task_id = f.task_id AND x.final"
	"   ORDER BY x.generation DESC LIMIT 1) l ON true"
	"  WHERE ($1::text IS NULL OR f.schedule = $1)"
	"  AND f.due > now() - $2::bigint * interval '1 ms'"
	"  ORDER BY f.due DESC LIMIT $3::integer),"
	" skips AS (SELECT schedule, due, 'time', noted_by, NULL, NULL::timestamptz,"
	"  NULL::timestamptz, 'left out', NULL::integer, NULL::bigint, reason"
	"  FROM jobfleet.schedule_skips WHERE ($1::text IS NULL OR schedule = $1)"
	"  AND due > now() - $2::bigint * interval '1 ms' ORDER BY due DESC LIMIT $3::integer)"
	" SELECT schedule, " UTC("due") ", to_json(due)#>>'{}', kind, fired_by, task_id,"
	"  " UTC("started_at") ", " UTC("ended_at") ", outcome,"
	"  round(extract(epoch FROM ended_at - started_at)::numeric, 3), attempts, records,"
	"  round((records / nullif(extract(epoch FROM ended_at - started_at), 0))::numeric, 1), why"
	" FROM (SELECT * FROM runs UNION ALL SELECT * FROM skips) AS a"
	" ORDER BY due DESC, schedule LIMIT $3::integer";

static const struct table_column COLUMNS[] = {
	{ "schedule", "schedule", TABLE_TEXT },
	{ "due (UTC)", NULL, TABLE_TEXT },
	{ NULL, "due", TABLE_TEXT },
	{ "by", "kind", TABLE_TEXT },
	{ NULL, "fired_by", TABLE_TEXT },
	{ NULL, "task_id", TABLE_TEXT },
	{ "started (UTC)", "started_at", TABLE_TEXT },
	{ NULL, "ended_at", TABLE_TEXT },
	{ "outcome", "outcome", TABLE_TEXT },
	{ "took s", "took_s", TABLE_NUMBER },
	{ "attempts", "attempts", TABLE_NUMBER },
	{ "records", "records", TABLE_NUMBER },
	{ "records/s", "records_per_s", TABLE_NUMBER },
	{ "why", "why", TABLE_TEXT },
};

/* One that is gone may still have a history. */
static int check_name(struct ctl *c, const char *name, struct err *e)
{
	const struct conf_schedule *known;
	struct pg_rows *rows = NULL;
	struct plan *plan = NULL;
	int r = plans_load(c, &plan, e);

	if (r == 0 && plans_find(plan, name, &known, e) < 0) {
		r = ctl_query(c, "SELECT FROM jobfleet.schedule_fires WHERE schedule = $1 LIMIT 1",
			      PG_PARAMS(PG_TEXT(name)), &rows, NULL);
		r = r == 0 && pg_rows_count(rows) > 0 ? 0 : -ERR_NOT_FOUND;
	}
	pg_rows_free(rows);
	plan_free(plan);
	return r;
}

int schedules_history(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *since = "7d", *limit = NULL;
	const struct args_option options[] = {
		{ "since", "DURATION", "due so long ago or later; 7d", &since, NULL },
		{ "limit", "N", "the newest N; 50", &limit, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "schedule history [NAME] [OPTION...]",
		.about =
			"Lists the runs of schedules, newest first: when due, started and ended, how,"
			" after how many\n"
			"attempts, with how many records; and what was left out, with the reason."
			" Kept for 90 days.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 1,
	};
	struct table *t = NULL;
	char **operands;
	int64_t since_ms;
	int most = USUAL, r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (scan_duration_ms(since, &since_ms, e) < 0 ||
	    (limit && scan_int(limit, 1, MOST, &most, e) < 0)) {
		e->code = ERR_USAGE;
		return err_prefix(e, limit ? "--limit or --since" : "--since");
	}
	if (operands[0])
		r = check_name(c, operands[0], e);
	if (r == 0)
		r = ctl_query_table(c, SQL,
				    PG_PARAMS(PG_TEXT(operands[0]), PG_INT(since_ms), PG_INT(most)),
				    COLUMNS, COUNT(COLUMNS), &t, e);
	return r < 0 ? r : ctl_show(c, t, "nothing ran");
}
