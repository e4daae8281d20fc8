/* SPDX-License-Identifier: MIT */
/* What PostgreSQL is asked for. Each statement answers (subject, value); value null is missing. $1
 * is the time in microseconds, $2 the queues of queues.conf. Figures of sql/019_figures.sql where
 * they are bounded; of tasks, which may be millions an hour, only the newest are read here. */
#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/dispatcher/signal_private.h"

enum { SQL_LIMIT_MS = 1000, SUBJECTS_MAX = 1000, QUEUES_BYTES = 1 << 20 };

#define AT "(timestamptz 'epoch' + $1::bigint * interval '1 us')"
#define NO_QUEUES " WHERE $2::text[] IS NOT NULL"

/* A period that is over counts as unused. */
#define SQL_QUOTA_USED \
	"SELECT f.source, 100 * coalesce(f.quota_used, 0)" \
	" FROM jobfleet.source_figures(" AT ", interval '1 hour') f" NO_QUEUES \
	" AND EXISTS (SELECT FROM jobfleet.provider_quota q WHERE q.source = f.source AND q.allowed > 0)"

#define SQL_KEY_REFUSED \
	"SELECT source, (starts_with(coalesce(reason, ''), 'provider_key_refused'))::int" \
	" FROM jobfleet.source_figures(" AT ", interval '1 hour')" NO_QUEUES

/* Half open is not closed: the next call may open it again. */
#define SQL_CIRCUIT_OPEN \
	"SELECT source, (circuit <> 'closed')::int" \
	" FROM jobfleet.source_figures(" AT ", interval '1 hour')" NO_QUEUES

/* A message that was sent waits until it runs; what runs is what the workers say that they run. */
#define SQL_OLDEST_TASK \
	"WITH running AS MATERIALIZED (SELECT a->>'id' AS id FROM jobfleet.workers," \
	" jsonb_array_elements(info->'active') AS a WHERE state <> 'stopped'" \
	" AND seen_at > " AT " - interval '1 minute')," \
	" due AS (SELECT queue, due FROM jobfleet.pending WHERE state = 'waiting' AND due <= " AT \
	" AND queue = ANY ($2::text[]) ORDER BY due, id LIMIT 20000)" \
	" SELECT q, greatest(extract(epoch FROM " AT " - least(" \
	" (SELECT min(due) FROM due WHERE due.queue = q)," \
	" (SELECT p.sent_at FROM jobfleet.pending p WHERE p.state = 'sent' AND p.queue = q" \
	" AND p.task_id NOT IN (SELECT id FROM running WHERE id IS NOT NULL)" \
	" ORDER BY p.sent_at LIMIT 1), " AT ")), 0) FROM unnest($2::text[]) AS q"

#define SQL_ERROR_RATE \
	"SELECT task, CASE WHEN count(*) >= 20 THEN 100.0 * count(*) FILTER (WHERE outcome = 'failure'" \
	" OR outcome = 'rejected' OR (outcome = 'retry' AND cause IS NOT NULL)) / count(*) END" \
	" FROM (SELECT task, outcome, cause FROM jobfleet.ledger" NO_QUEUES \
	" AND settled_at > " AT " - interval '1 hour' AND settled_at <= " AT \
	" ORDER BY settled_at DESC LIMIT 20000) l GROUP BY task"

#define SQL_SUCCESS_RATE \
	"SELECT task, CASE WHEN count(*) >= 5 THEN 100.0 * count(*) FILTER" \
	" (WHERE outcome IN ('success', 'replaced', 'ignored')) / count(*) END" \
	" FROM (SELECT task, outcome FROM jobfleet.ledger" NO_QUEUES \
	" AND final AND outcome <> 'revoked' AND settled_at > " AT " - interval '24 hours'" \
	" AND settled_at <= " AT " ORDER BY settled_at DESC LIMIT 50000) l GROUP BY task"

/* Those that run, and the last quarter of an hour, beside the mean of what was before. */
#define SQL_RUN_LENGTH \
	"WITH ended AS MATERIALIZED (SELECT task, settled_at, extract(epoch FROM settled_at - started_at)" \
	" AS took FROM jobfleet.ledger" NO_QUEUES " AND final AND outcome = 'success'" \
	" AND started_at IS NOT NULL AND settled_at <= " AT \
	" ORDER BY settled_at DESC LIMIT 50000)," \
	" usual AS (SELECT task, avg(took) AS mean FROM ended" \
	" WHERE settled_at <= " AT \
	" - interval '15 minutes' GROUP BY task HAVING count(*) >= 10)," \
	" runs AS (SELECT task, took FROM ended WHERE settled_at > " AT " - interval '15 minutes'" \
	" UNION ALL SELECT a->>'name', extract(epoch FROM " AT ") - (a->>'since')::float8" \
	" FROM jobfleet.workers, jsonb_array_elements(info->'active') AS a" \
	" WHERE state <> 'stopped' AND seen_at > " AT " - interval '1 minute')" \
	" SELECT u.task, coalesce(max(100 * r.took / greatest(u.mean, 0.001)) FILTER (WHERE" \
	" r.took >= 30), 0) FROM usual u LEFT JOIN runs r USING (task) GROUP BY u.task"

#define SQL_VALIDATION_FAILURES \
	"SELECT 'processing', CASE WHEN processed + refused >= 20 THEN 100 * error_rate END" \
	" FROM jobfleet.quality_figures(" AT ", interval '24 hours')" NO_QUEUES \
	" AND source IS NULL"

#define SQL_QUALITY_SCORE \
	"SELECT 'loading', CASE WHEN postings >= 20 THEN 100 * quality_score END" \
	" FROM jobfleet.quality_figures(" AT ", interval '24 hours')" NO_QUEUES \
	" AND source IS NULL"

#define SQL_POSTINGS_WAITING \
	"SELECT stage, coalesce(greatest(extract(epoch FROM " AT " - oldest), 0), 0) FROM (" \
	"SELECT 'processing' AS stage, min(timestamp) AS oldest FROM public.raw_job_collections" \
	" WHERE processing_status IN ('pending', 'processing') UNION ALL" \
	" SELECT 'loading', min(created_at) FROM public.processed_job_data" \
	" WHERE load_status = 'pending') w" NO_QUEUES

#define SQL_HIT_RATE \
	"SELECT 'salary_data', CASE WHEN count(*) >= 100 THEN" \
	" 100.0 * count(*) FILTER (WHERE outcome <> 'miss') / count(*) END" \
	" FROM (SELECT outcome FROM jobfleet.salary_reads" NO_QUEUES " AND read_at > " AT \
	" - interval '24 hours' LIMIT 50000) r"

#define SQL_WORKER_RESTARTS \
	"SELECT w.program, coalesce(sum(r.n), 0)" \
	" FROM (SELECT DISTINCT program FROM jobfleet.workers" NO_QUEUES ") w" \
	" LEFT JOIN (SELECT program, count(*) AS n FROM jobfleet.worker_restarts WHERE at > " AT \
	" - interval '1 hour' GROUP BY program) r USING (program) GROUP BY w.program"

static const struct {
	const char *sql;
	bool slow;
} QUERIES[MEASURE_IDS] = {
	[MEASURE_QUOTA_USED] = { SQL_QUOTA_USED, false },
	[MEASURE_KEY_REFUSED] = { SQL_KEY_REFUSED, false },
	[MEASURE_CIRCUIT_OPEN] = { SQL_CIRCUIT_OPEN, false },
	[MEASURE_OLDEST_TASK] = { SQL_OLDEST_TASK, false },
	[MEASURE_ERROR_RATE] = { SQL_ERROR_RATE, true },
	[MEASURE_SUCCESS_RATE] = { SQL_SUCCESS_RATE, true },
	[MEASURE_RUN_LENGTH] = { SQL_RUN_LENGTH, true },
	[MEASURE_VALIDATION_FAILURES] = { SQL_VALIDATION_FAILURES, true },
	[MEASURE_QUALITY_SCORE] = { SQL_QUALITY_SCORE, true },
	[MEASURE_POSTINGS_WAITING] = { SQL_POSTINGS_WAITING, false },
	[MEASURE_HIT_RATE] = { SQL_HIT_RATE, true },
	[MEASURE_WORKER_RESTARTS] = { SQL_WORKER_RESTARTS, false },
};

bool signal_is_slow(enum measure_id id)
{
	return QUERIES[id].slow;
}

static void put_queues(const struct conf *conf, struct buf *out)
{
	buf_putc(out, '{');
	for (size_t i = 0; i < conf->nqueues; i++)
		buf_printf(out, "%s\"%s\"", i ? "," : "", conf->queues[i].name);
	buf_putc(out, '}');
}

static int64_t run_limited(struct pg *pg, const char *sql, const struct conf *conf, int64_t now_us,
			   struct pg_rows **ret, struct err *e)
{
	struct buf queues;
	int64_t n;

	n = pg_begin(pg, SQL_LIMIT_MS, e);
	if (n < 0)
		return n;
	buf_init(&queues, QUEUES_BYTES);
	put_queues(conf, &queues);
	n = pg_run(pg, sql, PG_PARAMS(PG_INT(now_us), PG_TEXT(buf_text(&queues))), ret, e);
	buf_release(&queues);
	pg_rollback(pg);
	return n;
}

int signal_ask(struct signals *s, enum measure_id id, const struct conf *conf, struct peers *peers,
	       int64_t now_us, struct err *e)
{
	struct pg *pg = QUERIES[id].sql ? peers_database(peers) : NULL;
	struct pg_rows *rows = NULL;
	int64_t n;

	if (!QUERIES[id].sql)
		return 0;
	if (!pg)
		return err_set(e, ERR_DB, "PostgreSQL is away");
	n = run_limited(pg, QUERIES[id].sql, conf, now_us, &rows, e);
	for (size_t i = 0; n > 0 && i < pg_rows_count(rows) && i < SUBJECTS_MAX; i++)
		if (pg_cell(rows, i, 0) && pg_cell(rows, i, 1))
			signal_put(s, id, pg_text(rows, i, 0), pg_num(rows, i, 1));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 1;
}
