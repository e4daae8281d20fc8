/* SPDX-License-Identifier: MIT */
#include "workers/ctl/glance.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

enum { ROWS_MOST = 20, COLUMNS_MOST = 12 };

/* $1 the time, $2 how many */
struct part {
	const char *key, *empty, *sql;
	struct table_column columns[COLUMNS_MOST];
	size_t ncolumns;
};

static const struct part PARTS[GLANCE_COUNT] = {
	[GLANCE_FAILING] = {
		"failing", "nothing failed within 5 minutes",
		"SELECT count(*) FILTER (WHERE outcome <> 'retry'), count(*) FILTER (WHERE outcome = 'retry'),"
		" coalesce(nullif(cause, ''), outcome), task,"
		" round(extract(epoch FROM $1::timestamptz - max(settled_at)))"
		" FROM jobfleet.ledger WHERE settled_at > $1::timestamptz - interval '300 s'"
		" AND outcome IN ('failure', 'rejected', 'retry') GROUP BY 3, 4"
		" ORDER BY 1 DESC, 2 DESC, 3, 4 LIMIT $2::integer",
		{ { "failed", "failed", TABLE_NUMBER }, { "retried", "retried", TABLE_NUMBER },
		  { "cause", "cause", TABLE_TEXT }, { "task", "task", TABLE_TEXT },
		  { "s ago", "last_s_ago", TABLE_NUMBER } }, 5 },
	[GLANCE_SCHEDULES] = {
		"schedules", "no schedule comes by time",
		"SELECT s.name, CASE WHEN s.paused THEN 'paused' ELSE 'on' END,"
		" CASE WHEN isfinite(s.next_due) THEN ceil(extract(epoch FROM s.next_due - $1::timestamptz)) END,"
		" to_char(s.next_due AT TIME ZONE 'UTC', 'MM-DD HH24:MI:SS'), f.outcome,"
		" round(extract(epoch FROM f.ended_at - f.started_at), 1), t.runs, t.success_rate, t.mean_s"
		" FROM jobfleet.schedules s LEFT JOIN LATERAL (SELECT * FROM jobfleet.schedule_fires f"
		"  WHERE f.schedule = s.name AND f.ended_at IS NOT NULL ORDER BY f.due DESC LIMIT 1) f ON true"
		" LEFT JOIN jobfleet.schedule_stats($1::timestamptz) t ON t.schedule = s.name"
		" WHERE isfinite(s.next_due) OR s.paused ORDER BY s.paused, s.next_due, 1 LIMIT $2::integer",
		{ { "schedule", "schedule", TABLE_TEXT }, { "state", "state", TABLE_TEXT },
		  { "in s", "due_in_s", TABLE_NUMBER }, { "next (UTC)", "next_due", TABLE_TEXT },
		  { "last", "last_outcome", TABLE_TEXT }, { "took s", "last_run_s", TABLE_NUMBER },
		  { "runs 24 h", "runs_24h", TABLE_NUMBER }, { "success %", "success_rate_24h", TABLE_NUMBER },
		  { "mean s", "mean_s_24h", TABLE_NUMBER } }, 9 },
	[GLANCE_SOURCES] = {
		"sources", "no source was asked",
		"SELECT source, round(100 * quota_used::numeric, 1), coalesce(month_used, day_used),"
		" CASE WHEN month_used IS NULL THEN day_allowed ELSE month_allowed END, calls,"
		" round(100 * success_rate::numeric, 1), round(mean_s::numeric, 3), circuit, reason"
		" FROM jobfleet.source_figures($1::timestamptz, interval '1 hour')"
		" ORDER BY quota_used DESC NULLS LAST, calls DESC, 1 LIMIT $2::integer",
		{ { "source", "source", TABLE_TEXT }, { "quota %", "quota_percent", TABLE_NUMBER },
		  { "used", "used", TABLE_NUMBER }, { "of", "allowed", TABLE_NUMBER },
		  { "calls 1 h", "calls_1h", TABLE_NUMBER }, { "well %", "success_rate_1h", TABLE_NUMBER },
		  { "mean s", "mean_s_1h", TABLE_NUMBER }, { "circuit", "circuit", TABLE_TEXT },
		  { "parked for", "parked_for", TABLE_TEXT } }, 9 },
	[GLANCE_STAGES] = {
		"stages", "no stage did anything within an hour",
		"SELECT stage, sum(runs), sum(items), sum(errors), sum(inserts), sum(duplicates), sum(waiting),"
		" round(max(oldest_s)::numeric) FROM jobfleet.stage_figures($1::timestamptz, interval '1 hour')"
		" GROUP BY 1 ORDER BY array_position(ARRAY['collection', 'processing', 'loading'], stage)"
		" LIMIT $2::integer",
		{ { "stage, 1 h", "stage", TABLE_TEXT }, { "runs", "runs", TABLE_NUMBER },
		  { "postings", "postings", TABLE_NUMBER }, { "errors", "errors", TABLE_NUMBER },
		  { "new", "new", TABLE_NUMBER }, { "duplicates", "duplicates", TABLE_NUMBER },
		  { "waiting", "waiting", TABLE_NUMBER }, { "oldest s", "oldest_s", TABLE_NUMBER } }, 8 },
	[GLANCE_RUNS] = {
		"runs", "no run of the pipeline is under way",
		"WITH r AS (SELECT id, min(since) AS since FROM (SELECT a->>'id' AS id,"
		"  to_timestamp((a->>'since')::float8) AS since FROM jobfleet.workers, jsonb_array_elements("
		"   CASE WHEN jsonb_typeof(info->'active') = 'array' THEN info->'active' ELSE '[]' END) a"
		"  WHERE state <> 'stopped' AND a->>'name' = 'jobfleet.run_pipeline'"
		"  AND seen_at > $1::timestamptz - interval '1 minute'"
		"  UNION ALL SELECT task_id, created_at FROM jobfleet.pending"
		"  WHERE task = 'jobfleet.run_pipeline') x GROUP BY 1 ORDER BY 2 LIMIT $2::integer)"
		" SELECT r.id, round(extract(epoch FROM $1::timestamptz - r.since)), c.answers, c.collected,"
		" l.processed, l.refused, l.loaded, l.merged FROM r"
		" LEFT JOIN LATERAL (SELECT count(*) AS answers, sum((metadata->>'job_count')::bigint) AS collected"
		"  FROM public.raw_job_collections WHERE run_id = r.id) c ON true"
		" LEFT JOIN LATERAL (SELECT sum(jobs_processed) AS processed, sum(jobs_failed) AS refused,"
		"  sum(jobs_loaded) AS loaded, sum(jobs_merged) AS merged FROM public.job_processing_log p"
		"  JOIN public.raw_job_collections w USING (collection_id) WHERE w.run_id = r.id) l ON true"
		" ORDER BY r.since",
		{ { "pipeline run", "run_id", TABLE_TEXT }, { "for s", "since_s", TABLE_NUMBER },
		  { "answers", "answers", TABLE_NUMBER }, { "collected", "collected", TABLE_NUMBER },
		  { "processed", "processed", TABLE_NUMBER }, { "rejected", "rejected", TABLE_NUMBER },
		  { "new", "new", TABLE_NUMBER }, { "duplicates", "duplicates", TABLE_NUMBER } }, 8 },
};

const char *glance_key(enum glance_part part)
{
	return PARTS[part].key;
}

const char *glance_empty(enum glance_part part)
{
	return PARTS[part].empty;
}

void glance_release(struct glance *g)
{
	for (int i = 0; i < GLANCE_COUNT; i++)
		table_free(g->parts[i]);
	memset(g, 0, sizeof *g);
}

int glance_look(struct glance *g, struct ctl *c, struct err *e)
{
	struct pg_rows *now = NULL;
	int r;

	glance_release(g);
	r = ctl_query(c, "SELECT clock_timestamp()", NULL, 0, &now, e);
	if (r < 0)
		return r;
	for (int i = 0; i < GLANCE_COUNT; i++) {
		struct err own = { 0 };

		if (ctl_query_table(c, PARTS[i].sql,
				    PG_PARAMS(PG_TEXT(pg_text(now, 0, 0)), PG_INT(ROWS_MOST)),
				    PARTS[i].columns, PARTS[i].ncolumns, &g->parts[i], &own) == 0)
			continue;
		if (r == 0) {
			*e = own;
			r = -(int)own.code;
		}
		if (err_is_transient(own.code))
			break;
	}
	pg_rows_free(now);
	return r;
}
