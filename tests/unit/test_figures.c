/* SPDX-License-Identifier: MIT */
/* What sql/019_figures.sql promises: figures of a window before a time, and totals that never sink.
 * One database for all, each test in a transaction that is rolled back. timeout: 180 */
#include "tests/unit/scratch_db.h"

#define AT "'2026-03-01 12:00:00+00'::timestamptz"

/* One row as "a|b|c"; nulls are empty. */
static void expect_row(struct pg *p, const char *sql, const char *expected)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	char *text = mem_printf("SELECT coalesce(string_agg(array_to_string(ARRAY(SELECT value FROM"
				" jsonb_each_text(to_jsonb(r)) WITH ORDINALITY), '|', ''), ';'), '')"
				" FROM (SELECT %s) AS r", sql);

	if (pg_run(p, text, NULL, 0, &rows, &e) < 0)
		fail_msg("%s: %s", sql, e.msg);
	if (strcmp(pg_text(rows, 0, 0), expected) != 0)
		fail_msg("%s: expected %s, got %s", sql, expected, pg_text(rows, 0, 0));
	pg_rows_free(rows);
	free(text);
}

static void tasks_are_counted_by_outcome_within_the_window(void **state)
{
	struct fixture *f = *state;

	must(f->pg,
	     "INSERT INTO jobfleet.ledger (task_id, retries, outcome, final, task, queue, node,"
	     " started_at, settled_at) SELECT v.id, v.r, v.outcome, v.outcome <> 'retry', 't', 'q', 'n'," AT
	     " - v.ago - v.took, " AT " - v.ago FROM (VALUES"
	     " ('a', 0, 'success', interval '1 min', interval '1 s'),"
	     " ('b', 0, 'success', interval '2 min', interval '3 s'),"
	     " ('c', 0, 'retry', interval '3 min', interval '2 s'),"
	     " ('c', 1, 'failure', interval '2 min', interval '2 s'),"
	     " ('d', 0, 'revoked', interval '2 min', null),"
	     " ('old', 0, 'failure', interval '2 hours', interval '1 s'),"
	     " ('later', 0, 'failure', interval '-1 s', interval '1 s')) v (id, r, outcome, ago, took)");
	expect_row(
		f->pg,
		"a.succeeded AS a, a.failed AS b, a.revoked AS c, a.retried AS d, a.attempts AS e,"
		" round(a.error_rate::numeric, 3) AS f, a.mean_s AS g, a.p50_s AS h"
		" FROM jobfleet.task_figures(" AT ", '1 hour') a",
		"2|1|1|1|5|0.333|2|2");
}

static void queues_show_what_waits_and_how_old_it_is(void **state)
{
	struct fixture *f = *state;

	must(f->pg,
	     "INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due, state,"
	     " claimed_until, created_at, sent_at) SELECT v.id, v.kind, 't', 'q', '{}', '', " AT
	     " - v.ago,"
	     " v.state, " AT " + v.held, " AT " - interval '1 h', " AT " - v.sent FROM (VALUES"
	     " ('a', 'outbox', interval '10 s', 'waiting', interval '1 s', null::interval),"
	     " ('b', 'eta', interval '-1 h', 'waiting', null, null),"
	     " ('c', 'retry', interval '4 s', 'waiting', null, null),"
	     " ('d', 'parked', interval '-1 h', 'waiting', null, null),"
	     " ('e', 'enqueued', interval '1 h', 'sent', null, interval '30 s'))"
	     " v (id, kind, ago, state, held, sent);"
	     " INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node, started_at,"
	     " settled_at) SELECT 'l' || n, 'success', true, 't', 'q', 'n', " AT
	     " - interval '3 s', " AT " - interval '1 s' FROM generate_series(1, 600) n;"
	     " INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency,"
	     " version, seen_at) VALUES ('n', 'p', 'h', 1, 'running', '{q,idle}', 3, '1', " AT ")");
	expect_row(f->pg, "a.outbox AS a, a.enqueued AS b, a.eta AS c, a.retry AS d, a.parked AS e,"
		   " a.due AS f, a.sent AS g, a.oldest_s AS h, a.lag_s AS i, a.settle_rate AS j,"
		   " a.mean_s AS k, a.workers AS l, a.children AS m FROM jobfleet.queue_figures(" AT ") a"
		   " WHERE queue = 'q'", "1|0|1|1|1|2|1|30|4|2|2|1|3");
	expect_row(f->pg, "a.outbox AS a, a.oldest_s AS b, a.mean_s AS c, a.workers AS d"
		   " FROM jobfleet.queue_figures(" AT ") a WHERE queue = 'idle'", "0|0||1");
}

static void beat(struct pg *p, int pid, const char *state, const char *info)
{
	char *sql = mem_printf(
		"INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency,"
		" version, info, seen_at) VALUES ('n', 'p', 'h', %d, '%s', '{}', 1, '1', '%s', " AT ")"
		" ON CONFLICT (node) DO UPDATE SET pid = excluded.pid, state = excluded.state,"
		" info = excluded.info", pid, state, info);

	must(p, "SET ROLE jobfleet_worker");
	must(p, sql);
	must(p, "RESET ROLE");
	free(sql);
}

#define TOTAL(name) "a.n::text AS a FROM jobfleet.totals a WHERE name = '" name "'"

static void totals_go_on_over_restarts_and_repeated_heartbeats(void **state)
{
	struct fixture *f = *state;

	beat(f->pg, 1, "running", "{\"since\": 1}");
	beat(f->pg, 1, "running", "{\"since\": 1, \"counts\": {\"x\": {\"a\\tb\": [1, 5]}}}");
	beat(f->pg, 1, "running", "{\"since\": 1, \"counts\": {\"x\": {\"a\\tb\": [3, 7]}}}");
	beat(f->pg, 1, "running", "{\"since\": 1, \"counts\": {\"x\": {\"a\\tb\": [3, 7]}}}");
	expect_row(f->pg, "a.labels[2] AS a, a.n::text AS b FROM jobfleet.totals a", "b|{3,7}");
	beat(f->pg, 1, "stopped", "{\"since\": 1, \"counts\": {\"x\": {\"a\\tb\": [4, 7]}}}");
	beat(f->pg, 2, "running", "{\"since\": 2, \"counts\": {\"x\": {\"a\\tb\": [2, 0]}}}");
	expect_row(f->pg, TOTAL("x"), "{6,7}");
	expect_row(f->pg, TOTAL("restarts"), "");
	beat(f->pg, 3, "running", "{\"since\": 3}");
	expect_row(f->pg, TOTAL("restarts"), "{1}");
	must(f->pg, "DELETE FROM jobfleet.workers");
	expect_row(f->pg, TOTAL("x"), "{6,7}");
}

static void counts_that_make_no_sense_stop_no_heartbeat(void **state)
{
	static const char *const counts[] = { "{\"x\": {\"a\": \"b\"}}",
					      "{\"x\": {\"a\": [\"b\"]}}",
					      "{\"x\": {\"a\": []}}",
					      "{\"source_calls\": {\"\": [1]}}" };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(counts); i++) {
		char *info = mem_printf("{\"since\": 1, \"n\": %zu, \"counts\": %s}", i, counts[i]);
		char *wanted = mem_printf("%zu", i);

		beat(f->pg, 1, "running", info);
		expect_row(f->pg, "a.info->>'n' AS a FROM jobfleet.workers a", wanted);
		free(info);
		free(wanted);
	}
	beat(f->pg, 1, "running", "{\"since\": 1, \"counts\": {\"y\": {\"a\": [1]}}}");
	expect_row(f->pg, TOTAL("y"), "{1}");
}

static void calls_to_sources_make_figures_of_a_window(void **state)
{
	struct fixture *f = *state;

	beat(f->pg, 1, "running",
	     "{\"since\": 1, \"counts\": {\"source_calls\": {\"bls\\tanswered\": [9],"
	     " \"bls\\tfailed\": [1]}, \"source_seconds\": {\"bls\": [2.5, 0, 10]}}}");
	must(f->pg,
	     "INSERT INTO jobfleet.provider_quota (source, period, period_start, used, allowed,"
	     " resets_at) VALUES ('bls', 'day', '2026-03-01', 400, 500, '2026-03-02'), ('bls', 'day',"
	     " '2026-02-28', 7, 500, '2026-03-01'), ('bls', 'month', '2026-03-01', 10, null,"
	     " '2026-04-01'); INSERT INTO jobfleet.source_state (source, parked_until, reason, failures,"
	     " opened_at) VALUES ('bls', 'infinity', 'key: refused', 5, " AT " - interval '30 s')");
	expect_row(
		f->pg,
		"a.calls AS a, a.failed AS b, a.success_rate AS c, a.mean_s AS d, a.day_used AS e,"
		" a.day_allowed AS f, a.month_used AS g, a.month_allowed AS h, a.quota_used AS i,"
		" a.parked_until AS j, a.circuit AS k FROM jobfleet.source_figures(" AT
		", '1 hour') a",
		"10|1|0.9|0.25|400|500|10||0.8|infinity|open");
	expect_row(f->pg, "a.calls AS a, a.circuit AS b FROM jobfleet.source_figures(" AT
		   " + interval '5 hours', '1 hour') a", "0|half_open");
}

static void stages_and_quality_are_told_by_source(void **state)
{
	struct fixture *f = *state;

	must(f->pg,
	     "INSERT INTO raw_job_collections (collection_id, timestamp, api_provider, query_params,"
	     " raw_response, metadata, processing_status) VALUES"
	     " ('00000000-0000-0000-0000-000000000001', " AT
	     " - interval '10 min', 'a', '{}', '{}',"
	     " '{\"job_count\": 10, \"response_time_ms\": 500}', 'partial'),"
	     " (gen_random_uuid(), " AT " - interval '2 hours', 'a', '{}', '{}', '{}', 'pending');"
	     " INSERT INTO job_processing_log (processing_id, collection_id, started_at, completed_at,"
	     " status, jobs_processed, jobs_failed, jobs_loaded, jobs_merged, loaded_at, metrics) VALUES"
	     " ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', " AT
	     " - interval '9 min', " AT " - interval '8 min', 'partial', 8, 2, 5, 3, " AT
	     " - interval '7 min', '{\"processing_time_ms\": 250, \"duplicates_within\": 2,"
	     " \"completeness\": 0.5, \"consistency\": 1, \"issues\": {\"no_date\": 4}, \"load_failed\": 1}');"
	     " INSERT INTO enhanced_jobs (title, dedupe_title, dedupe_key, api_provider, quality_score,"
	     " last_seen, city) VALUES ('x', 'x', '1', 'a', 0.8, " AT
	     " - interval '1 min', 'Bonn'),"
	     " ('y', 'y', '2', 'a', 0.6, " AT " - interval '1 min', null)");
#define STAGE(name) "a.runs AS a, a.items AS b, a.errors AS c, a.seconds AS d, a.inserts AS e," \
	" a.duplicates AS f, a.waiting AS g, a.oldest_s AS h FROM jobfleet.stage_figures(" AT \
	", '1 hour') a WHERE stage = '" name "' AND source = 'a'"
	expect_row(f->pg, STAGE("collection"), "1|10|0|0.5|||0|0");
	expect_row(f->pg, STAGE("processing"), "1|8|2|0.25||2|1|7200");
	expect_row(f->pg, STAGE("loading"), "1|8|1||5|3|0|0");
	expect_row(f->pg,
		   "a.processed AS a, a.refused AS b, a.error_rate AS c, a.completeness AS d,"
		   " a.consistency AS e, a.duplicates AS f, a.issues->>'no_date' AS g,"
		   " round(a.quality_score::numeric, 2) AS h, a.postings AS i"
		   " FROM jobfleet.quality_figures(" AT ", '1 hour') a WHERE source IS NULL",
		   "8|2|0.2|0.5|1|0.25|4|0.70|2");
	expect_row(f->pg, "count(*) AS a FROM jobfleet.quality_figures(" AT ", '1 hour') a", "2");
	expect_row(f->pg, "a.share AS a FROM jobfleet.field_figures(" AT ", '1 hour') a"
		   " WHERE field = 'city'", "0.5");
}

static void figures_of_an_empty_fleet_are_empty(void **state)
{
	struct fixture *f = *state;

	must(f->pg, "SET ROLE jobfleet_reader");
	expect_row(f->pg, "count(*) AS a FROM jobfleet.task_figures(" AT ", '1 hour')", "0");
	expect_row(f->pg, "count(*) AS a FROM jobfleet.queue_figures(" AT ")", "0");
	expect_row(f->pg, "count(*) AS a FROM jobfleet.source_figures(" AT ", '1 hour')", "0");
	expect_row(f->pg, "count(*) AS a FROM jobfleet.stage_figures(" AT ", '1 hour')", "0");
	expect_row(f->pg, "a.processed AS a, a.error_rate AS b FROM jobfleet.quality_figures(" AT
		   ", '1 hour') a", "0|");
}

static int migrated(void **state)
{
	int r = set_up(state);

	migrate_shipped(((struct fixture *)*state)->pg, NULL);
	return r;
}

static int begin(void **state)
{
	return pg_begin(((struct fixture *)*state)->pg, 0, NULL);
}

static int roll_back(void **state)
{
	pg_rollback(((struct fixture *)*state)->pg);
	return 0;
}

#define ROLLED_BACK(test) cmocka_unit_test_setup_teardown(test, begin, roll_back)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROLLED_BACK(tasks_are_counted_by_outcome_within_the_window),
		ROLLED_BACK(queues_show_what_waits_and_how_old_it_is),
		ROLLED_BACK(totals_go_on_over_restarts_and_repeated_heartbeats),
		ROLLED_BACK(counts_that_make_no_sense_stop_no_heartbeat),
		ROLLED_BACK(calls_to_sources_make_figures_of_a_window),
		ROLLED_BACK(stages_and_quality_are_told_by_source),
		ROLLED_BACK(figures_of_an_empty_fleet_are_empty),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	if (!url) {
		fprintf(stderr, "test_figures: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, migrated, tear_down);
}
