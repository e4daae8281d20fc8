/* SPDX-License-Identifier: MIT */
/* Where the numbers come from: one query a part. A part that is slow is asked less often: what it
 * last said stands for SLOWNESS times as long as it took. */
#include <sys/statvfs.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/vitals.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "common/worker/health.h"
#include "workers/dispatcher/leader.h"
#include "workers/dispatcher/metric.h"

enum { SLOWNESS = 20, CALL_MS = 3000, DEPTH_MS = 1000, ARRAY_MAX = 64 };

/* ---- parts that SQL answers: name, up to three labels (null: no more), value ---- */

#define ROW1(name, a, value) "('jobfleet_" name "', " a ", NULL, NULL, (" value ")::float8)"
#define ROW2(name, a, b, value) "('jobfleet_" name "', " a ", " b ", NULL, (" value ")::float8)"
/* a dispatcher's own rows come every 10 s whatever heartbeat says */
#define ALIVE "w.seen_at > now() - 3 * CASE w.program WHEN 'dispatcher' THEN 10 ELSE $1::int END" \
	" * interval '1 s'"

static const char SQL_QUEUES[] =
	"WITH q AS MATERIALIZED (SELECT * FROM jobfleet.queue_figures(now()))"
	" SELECT v.* FROM q CROSS JOIN LATERAL (VALUES "
	ROW2("queue_waiting", "q.queue", "'outbox'", "q.outbox") ","
	ROW2("queue_waiting", "q.queue", "'enqueued'", "q.enqueued") ","
	ROW2("queue_waiting", "q.queue", "'eta'", "q.eta") ","
	ROW2("queue_waiting", "q.queue", "'retry'", "q.retry") ","
	ROW2("queue_waiting", "q.queue", "'parked'", "q.parked") ","
	ROW2("queue_waiting", "q.queue", "'claimed'", "q.claimed") ","
	ROW2("queue_waiting", "q.queue", "'sent'", "q.sent") ","
	ROW1("queue_oldest_seconds", "q.queue", "q.oldest_s") ","
	ROW1("queue_settled_per_second", "q.queue", "q.settle_rate")
	") v UNION ALL SELECT 'jobfleet_relay_lag_seconds', NULL, NULL, NULL,"
	"  coalesce(max(lag_s), 0) FROM q WHERE $1::int > 0";

static const char SQL_TASKS[] =
	"WITH t AS (SELECT p.task, p.queue,"
	"  CASE WHEN p.state = 'sent' THEN 'sent' ELSE p.kind END AS s, count(*) AS n"
	"  FROM jobfleet.pending p GROUP BY 1, 2, 3"
	" UNION ALL SELECT a->>'name', coalesce(w.queues[1], ''), 'running', count(*)"
	"  FROM jobfleet.workers w, jsonb_array_elements(CASE WHEN"
	"   jsonb_typeof(w.info->'active') = 'array' THEN w.info->'active' ELSE '[]' END) a"
	"  WHERE w.state <> 'stopped' AND " ALIVE " GROUP BY 1, 2),"
	" r AS (SELECT *, row_number() OVER (ORDER BY n DESC, task, queue, s) AS place FROM t)"
	" SELECT 'jobfleet_tasks', CASE WHEN place <= 200 THEN task ELSE 'other' END,"
	"  CASE WHEN place <= 200 THEN queue ELSE 'other' END, s, sum(n)::float8 FROM r"
	"  GROUP BY 2, 3, 4"
	" UNION ALL SELECT 'jobfleet_dead_letters', cause, NULL, NULL, n"
	"  FROM (SELECT cause, count(*) AS n FROM jobfleet.dead_letters WHERE state = 'dead'"
	"   GROUP BY 1 ORDER BY 2 DESC LIMIT 50) d";

static const char SQL_WORKERS[] =
	"WITH w AS MATERIALIZED (SELECT w.*, " ALIVE " AS alive FROM jobfleet.workers w"
	"  WHERE w.state <> 'stopped' AND w.seen_at > now() - interval '1 day'"
	"  ORDER BY w.seen_at DESC LIMIT 500)"
	" SELECT 'jobfleet_workers', program, CASE WHEN alive THEN state ELSE 'silent' END, NULL,"
	"  count(*)::float8 FROM w GROUP BY 2, 3"
	" UNION ALL SELECT v.* FROM (SELECT program, sum(concurrency) AS children,"
	"  sum(active) AS active, sum(reserved) AS reserved,"
	"  max(extract(epoch FROM now() - seen_at)) AS age FROM w WHERE alive GROUP BY 1) p"
	"  CROSS JOIN LATERAL (VALUES "
	ROW1("pool_children", "p.program", "p.children") ","
	ROW1("pool_active", "p.program", "p.active") ","
	ROW1("pool_reserved", "p.program", "p.reserved") ","
	ROW1("heartbeat_age_seconds", "p.program", "p.age") ") v"
	" UNION ALL SELECT v.* FROM (SELECT * FROM w WHERE alive LIMIT 200) w"
	"  CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(w.info->'processes') = 'object'"
	"   THEN w.info->'processes' ELSE '{}' END) p CROSS JOIN LATERAL (VALUES "
	ROW2("process_resident_memory_bytes", "w.node", "p.key",
	     "(p.value->>'rss_kib')::float8 * 1024") ","
	ROW2("process_peak_memory_bytes", "w.node", "p.key",
	     "(p.value->>'peak_kib')::float8 * 1024") ","
	ROW2("process_cpu_seconds", "w.node", "p.key", "p.value->>'cpu_s'") ") v"
	" UNION ALL SELECT 'jobfleet_database_connections', program, NULL, NULL, count(*)"
	"  FROM (SELECT split_part(application_name, '@', 1) AS program FROM pg_stat_activity"
	"   WHERE datname = current_database() AND application_name LIKE 'jobfleet%'"
	"    OR application_name LIKE 'dispatcher%') c GROUP BY 2";

static const char SQL_SOURCES[] =
	"SELECT v.* FROM jobfleet.source_figures(now(), interval '1 hour') f"
	" CROSS JOIN LATERAL (VALUES "
	ROW1("source_success_ratio", "f.source", "f.success_rate") ","
	ROW2("source_quota_used", "f.source", "'day'", "f.day_used") ","
	ROW2("source_quota_used", "f.source", "'month'", "f.month_used") ","
	ROW2("source_quota_allowed", "f.source", "'day'", "f.day_allowed") ","
	ROW2("source_quota_allowed", "f.source", "'month'", "f.month_allowed") ","
	ROW1("source_quota_used_ratio", "f.source", "f.quota_used") ","
	ROW1("source_parked", "f.source", "(f.parked_until IS NOT NULL)::int") ","
	ROW1("source_circuit_open", "f.source",
	     "CASE f.circuit WHEN 'open' THEN 1 WHEN 'half_open' THEN 0.5 ELSE 0 END") ") v"
	" WHERE $1::int > 0";

static const char SQL_STAGES[] =
	"SELECT v.* FROM jobfleet.stage_figures(now(), interval '1 hour') f"
	" CROSS JOIN LATERAL (VALUES "
	ROW2("stage_waiting", "f.stage", "f.source",
	     "CASE WHEN f.stage <> 'collection' THEN f.waiting END") ","
	ROW2("stage_oldest_seconds", "f.stage", "f.source",
	     "CASE WHEN f.stage <> 'collection' THEN f.oldest_s END") ","
	ROW2("stage_write_seconds", "f.stage", "f.source",
	     "CASE WHEN f.stage = 'loading' THEN f.seconds END") ") v WHERE $1::int > 0";

#define WHOSE "coalesce(f.source, 'all')"
static const char SQL_QUALITY[] =
	"SELECT v.* FROM jobfleet.quality_figures(now(), interval '24 hours') f"
	" CROSS JOIN LATERAL (VALUES "
	ROW1("quality_score", WHOSE, "f.quality_score") ","
	ROW1("quality_completeness_ratio", WHOSE, "f.completeness") ","
	ROW1("quality_consistency_ratio", WHOSE, "f.consistency") ","
	ROW1("quality_duplicates_ratio", WHOSE, "f.duplicates") ","
	ROW1("quality_validation_errors", WHOSE, "f.refused") ") v"
	" UNION ALL SELECT 'jobfleet_quality_field_ratio', field, NULL, NULL, share"
	"  FROM jobfleet.field_figures(now(), interval '24 hours') WHERE $1::int > 0";

static const char SQL_FLEET[] =
	"SELECT 'jobfleet_alerts_open', l.level, NULL, NULL, count(a.id)::float8"
	"  FROM unnest(ARRAY['INFO', 'WARNING', 'ERROR', 'CRITICAL']) AS l (level)"
	"  LEFT JOIN jobfleet.alerts a ON a.level = l.level AND a.resolved_at IS NULL GROUP BY 2"
	" UNION ALL SELECT 'jobfleet_leader_term', split_part(holder, ' ', 1), NULL, NULL, term"
	"  FROM jobfleet.leases WHERE holder IS NOT NULL AND name = '" LEADER_LEASE "'"
	"  AND $1::int > 0"
	" UNION ALL SELECT v.* FROM (SELECT * FROM jobfleet.schedule_stats(now()) LIMIT 200) s"
	"  CROSS JOIN LATERAL (VALUES "
	ROW1("schedule_success_ratio", "s.schedule", "s.success_rate / 100") ","
	ROW1("schedule_run_seconds", "s.schedule", "s.mean_s") ") v";

static struct part {
	const char *name, *sql;
	int64_t took_ms, until_ms;
	struct pg_rows *rows;		/* of the last answer; NULL = none */
} PARTS[] = {
	{ .name = "queues", .sql = SQL_QUEUES }, { .name = "tasks", .sql = SQL_TASKS },
	{ .name = "workers", .sql = SQL_WORKERS }, { .name = "sources", .sql = SQL_SOURCES },
	{ .name = "stages", .sql = SQL_STAGES }, { .name = "quality", .sql = SQL_QUALITY },
	{ .name = "fleet", .sql = SQL_FLEET },
};

static void ask(struct part *p, const struct conf *conf, struct pg *pg)
{
	int64_t began_ms = clock_mono_ms();
	struct pg_rows *rows = NULL;
	struct err e = { 0 };

	if (began_ms < p->until_ms)
		return;
	pg_set_deadline(pg, began_ms + CALL_MS);
	if (pg_run(pg, p->sql, PG_PARAMS(PG_INT(conf->fleet.heartbeat_s)), &rows, &e) < 0) {
		log_debug("part of the metrics is missing part=%s reason=\"%s\"", p->name, e.msg);
		pg_rows_free(rows);
		rows = NULL;
	}
	pg_rows_free(p->rows);
	p->rows = rows;
	p->took_ms = clock_mono_ms() - began_ms;
	p->until_ms = clock_mono_ms() + SLOWNESS * p->took_ms;
}

static void forget(struct part *p)
{
	pg_rows_free(p->rows);
	p->rows = NULL;
	p->until_ms = 0;
}

static void add_rows(struct metrics *m, const struct pg_rows *rows)
{
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		const char *labels[METRIC_LABELS] = { 0 };

		for (int l = 0; l < 3; l++)
			labels[l] = pg_cell(rows, i, 1 + l);
		if (pg_cell(rows, i, 4))
			metrics_add(m, pg_text(rows, i, 0), labels, pg_num(rows, i, 4));
	}
}

static void add_parts(struct metrics *m, const struct conf *conf, struct pg *pg)
{
	for (size_t i = 0; i < COUNT(PARTS); i++) {
		const char *part[] = { PARTS[i].name, NULL };

		if (pg && pg_is_alive(pg))
			ask(&PARTS[i], conf, pg);
		else
			forget(&PARTS[i]);	/* old figures would pass for new ones */
		add_rows(m, PARTS[i].rows);
		metrics_add(m, "jobfleet_scrape_seconds", part, (double)PARTS[i].took_ms / 1000);
	}
}

/* ---- totals ---- */

static void add_totals(struct metrics *m, struct pg *pg)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, "SELECT t.name, t.labels[1], t.labels[2], t.labels[3], t.n[i],"
			   " i = array_length(t.n, 1) FROM jobfleet.totals t,"
			   " generate_subscripts(t.n, 1) AS i ORDER BY t.name, t.labels, i", NULL, 0,
			   &rows, NULL);
	double numbers[ARRAY_MAX];
	size_t count = 0;

	for (size_t i = 0; n > 0 && i < pg_rows_count(rows); i++) {
		const char *labels[METRIC_LABELS] = { 0 };

		if (count < ARRAY_MAX)
			numbers[count++] = pg_num(rows, i, 4);
		if (!pg_bool(rows, i, 5))
			continue;
		for (int l = 0; l < 3; l++)
			labels[l] = pg_cell(rows, i, 1 + l);
		if (labels[0] && !*labels[0])
			labels[0] = NULL;
		metrics_add_total(m, pg_text(rows, i, 0), labels, numbers, count);
		count = 0;
	}
	pg_rows_free(rows);
}

/* ---- what others know ---- */

static void add_depths(struct metrics *m, const struct conf *conf, struct publisher *p)
{
	int64_t until = clock_mono_ms() + DEPTH_MS, ready, consumers;

	for (size_t i = 0; i < conf->nqueues && p && clock_mono_ms() < until; i++) {
		const char *labels[] = { conf->queues[i].name, NULL };

		if (publisher_queue_depth(p, labels[0], &ready, &consumers, DEPTH_MS, NULL) < 0)
			continue;
		metrics_add(m, "jobfleet_queue_ready", labels, (double)ready);
		metrics_add(m, "jobfleet_queue_consumers", labels, (double)consumers);
	}
}

static void add_components(struct metrics *m, const struct health_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const char *labels[] = { r->components[i].name, NULL };

		metrics_add(m, "jobfleet_component_state", labels,
			    (double)r->components[i].state);
	}
}

static void add_host(struct metrics *m, const struct conf *conf)
{
	static const char *const none[] = { NULL };
	struct vitals_host host;
	struct statvfs fs;

	vitals_host(&host);
	if (host.memory_kib > 0)
		metrics_add(m, "jobfleet_host_memory_free_ratio", none,
			    (double)host.memory_free_kib / (double)host.memory_kib);
	if (statvfs(conf->fleet.data_dir, &fs) == 0 && fs.f_blocks > 0)
		metrics_add(m, "jobfleet_host_disk_free_ratio", none,
			    (double)fs.f_bavail / (double)fs.f_blocks);
}

void metric_look(const struct conf *conf, struct health *h, const struct health_report *report,
		 double loop_age_s, struct buf *out)
{
	static const char *const none[] = { NULL };
	static const char *const version[] = { JOBFLEET_VERSION, NULL };
	struct metrics *m = metrics_new();
	struct pg *pg = health_database(h);

	add_parts(m, conf, pg);
	if (pg && pg_is_alive(pg)) {
		pg_set_deadline(pg, clock_mono_ms() + CALL_MS);
		add_totals(m, pg);
	}
	add_depths(m, conf, health_broker(h));
	add_components(m, report);
	add_host(m, conf);
	metrics_add(m, "jobfleet_loop_age_seconds", none, loop_age_s);
	metrics_add(m, "jobfleet_build", version, 1);
	metrics_print(m, out);
	metrics_free(m);
}
