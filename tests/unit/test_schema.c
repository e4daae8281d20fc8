/* SPDX-License-Identifier: MIT */
/* What the shipped migrations promise: closed lists, keys, rights, and jobfleet.enqueue.
 * timeout: 180 */
#include "common/base/uuid.h"
#include "tests/unit/scratch_db.h"

static void closed_lists_and_keys_are_held(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	expect_refused(f->pg, "INSERT INTO job_processing_log (status) VALUES ('done')",
		       ERR_INVALID, "status_check");
	expect_refused(f->pg,
		       "INSERT INTO job_processing_log (collection_id) VALUES (gen_random_uuid())",
		       ERR_INVALID, "fk_collection");
	expect_refused(
		f->pg,
		"INSERT INTO enhanced_jobs (title, dedupe_title, dedupe_key, api_provider,"
		" source_collection_id) VALUES ('a', 'a', 'a', 'jsearch', gen_random_uuid())",
		ERR_INVALID, "fk_source_collection");
	expect_refused(f->pg,
		       "INSERT INTO enhanced_jobs (title, dedupe_title, dedupe_key, api_provider,"
		       " employment_types) VALUES ('a', 'a', 'a', 'jsearch', '{SOMETIMES}')",
		       ERR_INVALID, "employment_types_check");
	expect_refused(f->pg, "INSERT INTO confidence_scores (data_type, location, year,"
		       " methodology_score) VALUES ('salary', 'Denver', 2026, 1.5)", ERR_INVALID,
		       "methodology_score_check");
	must(f->pg,
	     "INSERT INTO enhanced_jobs (title, dedupe_title, dedupe_key, api_provider, embedding)"
	     " VALUES ('a', 'a', 'k', 'jsearch', array_fill(0.5::real, ARRAY[1536]))");
	expect_refused(f->pg,
		       "INSERT INTO enhanced_jobs (title, dedupe_title, dedupe_key, api_provider)"
		       " VALUES ('a', 'a', 'k', 'jsearch')",
		       ERR_CONFLICT, "enhanced_jobs_dedupe");
	must(f->pg,
	     "INSERT INTO enhanced_jobs (title, dedupe_title, dedupe_key, api_provider, is_demo)"
	     " VALUES ('a', 'a', 'k', 'jsearch', true)");
	expect_refused(f->pg, "UPDATE enhanced_jobs SET embedding = '{1,2}'::real[]", ERR_INVALID,
		       "");
	must(f->pg,
	     "INSERT INTO salary_benchmarks (location, occupation, median_salary, data_source,"
	     " year)"
	     " VALUES ('Denver', 'nurse', 1, 'bls', 2025)");
	expect_refused(f->pg, "INSERT INTO salary_benchmarks (location, occupation, median_salary,"
		       " data_source, year) VALUES ('Denver', 'nurse', 2, 'bls',"
		       " 2025)", ERR_CONFLICT,
		       "salary_benchmarks_once");
	assert_int_equal(
		number(f->pg, "SELECT (source_confidence_score = 0)::int FROM salary_benchmarks"),
		1);
}

static void a_worker_reads_and_writes_rows_but_alters_nothing(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	must(f->pg, "SET ROLE jobfleet_worker");
	must(f->pg, "INSERT INTO raw_job_collections (api_provider, query_params, raw_response)"
	     " VALUES ('jsearch', '{}', '{}'); UPDATE raw_job_collections SET http_status = 200;"
	     " SELECT * FROM jobfleet.migrations; SELECT jobfleet.raise_alert('a', 'b', 'INFO',"
	     " 'c');"
	     " SELECT jobfleet.enqueue('t', queue => 'q'); DELETE FROM jobfleet.pending");
	expect_refused(f->pg, "ALTER TABLE enhanced_jobs ADD COLUMN x int", ERR_REFUSED,
		       "must be owner");
	expect_refused(f->pg, "ALTER TABLE jobfleet.ledger ADD COLUMN x int", ERR_REFUSED,
		       "must be owner");
	expect_refused(f->pg, "DROP TABLE salary_benchmarks", ERR_REFUSED, "must be owner");
	expect_refused(f->pg, "TRUNCATE enhanced_jobs", ERR_REFUSED, "permission denied");
	expect_refused(f->pg, "CREATE TABLE jobfleet.x (v int)", ERR_REFUSED, "permission denied");
	expect_refused(f->pg, "CREATE TABLE public.x (v int)", ERR_REFUSED, "permission denied");
	expect_refused(f->pg, "DELETE FROM jobfleet.migrations", ERR_REFUSED, "permission denied");
	expect_refused(f->pg, "SELECT jobfleet.grant_rights()", ERR_REFUSED, "permission denied");
}

static void no_table_was_forgotten_when_rights_were_given(void **state)
{
	struct fixture *f = *state;
	struct pg_rows *rows = NULL;
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	pg_run(f->pg,
	       "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN"
	       " ('public', 'jobfleet') AND NOT EXISTS (SELECT FROM unnest("
	       "ARRAY['jobfleet_worker', 'jobfleet_dispatcher', 'jobfleet_reader', 'jobfleet_viewer'])"
	       " AS role WHERE has_table_privilege(role, format('%I.%I', schemaname, tablename),"
	       " 'SELECT'))",
	       NULL, 0, &rows, &e);
	if (pg_rows_count(rows) > 0)
		fail_msg("%s: no role may read it", pg_text(rows, 0, 0));
	pg_rows_free(rows);
}

static void an_enqueuer_may_enqueue_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	must(f->pg, "SET ROLE jobfleet_enqueue");
	must(f->pg, "SELECT jobfleet.enqueue('t', queue => 'q')");
	expect_refused(f->pg, "SELECT * FROM jobfleet.pending", ERR_REFUSED, "permission denied");
	expect_refused(f->pg, "INSERT INTO jobfleet.pending DEFAULT VALUES", ERR_REFUSED,
		       "permission");
	expect_refused(f->pg, "SELECT jobfleet.raise_alert('a', 'b', 'INFO', 'c')", ERR_REFUSED,
		       "permission denied");
	expect_refused(f->pg, "SELECT * FROM enhanced_jobs", ERR_REFUSED, "permission denied");
}

static void a_reader_reads_figures_and_state_but_no_arguments(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	must(f->pg, "SET ROLE jobfleet_reader");
	must(f->pg, "SELECT * FROM salary_benchmarks; SELECT * FROM enhanced_jobs;"
	     " SELECT * FROM jobfleet.workers");
	expect_refused(f->pg, "SELECT * FROM jobfleet.pending", ERR_REFUSED, "permission denied");
	expect_refused(f->pg, "UPDATE salary_benchmarks SET year = 1", ERR_REFUSED,
		       "permission denied");
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', queue => 'q')", ERR_REFUSED,
		       "permission denied");
}

static void an_enqueue_lives_and_dies_with_its_transaction(void **state)
{
	struct fixture *f = *state;
	struct pg *listener = must_open(f->url);
	struct pg_rows *rows = NULL;
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	assert_int_equal(pg_listen(listener, "jobfleet_pending", &e), 0);
	assert_int_equal(pg_begin(f->pg, 0, &e), 0);
	must(f->pg, "SELECT jobfleet.enqueue('a.task', '[1]', queue => 'q')");
	pg_rollback(f->pg);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"), 0);
	assert_int_equal(pg_wait_notify(listener, 50, &e), 0);
	assert_int_equal(pg_begin(f->pg, 0, &e), 0);
	assert_int_equal(pg_run(f->pg,
				"SELECT jobfleet.enqueue('a.task', '[1, \"ä\"]', '{\"k\": 2}',"
				" queue => 'q', priority => 7, countdown => '1 hour')",
				NULL, 0, &rows, &e),
			 1);
	assert_true(uuid_is_valid(pg_text(rows, 0, 0)));
	pg_rows_free(rows);
	assert_int_equal(pg_wait_notify(listener, 50, &e), 0);
	assert_int_equal(pg_commit(f->pg, &e), 0);
	assert_int_equal(pg_wait_notify(listener, 5000, &e), 1);
	pg_run(f->pg,
	       "SELECT convert_from(body, 'UTF8'), headers->>'task', headers->>'id' = task_id,"
	       " queue,"
	       " priority, due > now() + interval '59 minutes', kind, state, props IS NULL"
	       " FROM jobfleet.pending",
	       NULL, 0, &rows, &e);
	assert_string_equal(pg_text(rows, 0, 0), "[[1, \"ä\"], {\"k\": 2}, {\"callbacks\": null, "
			    "\"errbacks\": null, \"chain\": null, \"chord\": null}]");
	assert_string_equal(pg_text(rows, 0, 1), "a.task");
	assert_true(pg_bool(rows, 0, 2));
	assert_string_equal(pg_text(rows, 0, 3), "q");
	assert_int_equal(pg_int(rows, 0, 4), 7);
	assert_true(pg_bool(rows, 0, 5));
	assert_string_equal(pg_text(rows, 0, 6), "enqueued");
	assert_string_equal(pg_text(rows, 0, 7), "waiting");
	assert_true(pg_bool(rows, 0, 8));
	pg_rows_free(rows);
	pg_close(listener);
}

static void wrong_arguments_of_enqueue_say_what_would_be_right(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	expect_refused(f->pg, "SELECT jobfleet.enqueue('')", ERR_INVALID, "task must name a task");
	expect_refused(f->pg, "SELECT jobfleet.enqueue(NULL)", ERR_INVALID,
		       "task must name a task");
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', '{}')", ERR_INVALID,
		       "args must be a JSON array");
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', NULL)", ERR_INVALID,
		       "args must be a JSON array");
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', '[]', '[]')", ERR_INVALID,
		       "kwargs must be a JSON object");
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', priority => 10)", ERR_INVALID,
		       "priority 10 is not 0 to 9");
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', headers => '3')", ERR_INVALID,
		       "headers must be a JSON object");
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t')", ERR_INVALID,
		       "no queue is known for task t. Name one");
	must(f->pg, "INSERT INTO jobfleet.routes VALUES ('t', 'q', 3)");
	must(f->pg, "SELECT jobfleet.enqueue('t', task_id => 'one')");
	assert_int_equal(number(f->pg, "SELECT priority FROM jobfleet.pending WHERE queue = 'q'"),
			 3);
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', task_id => 'one')", ERR_CONFLICT,
		       "one is enqueued already");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_DATABASE(closed_lists_and_keys_are_held),
		WITH_DATABASE(a_worker_reads_and_writes_rows_but_alters_nothing),
		WITH_DATABASE(no_table_was_forgotten_when_rights_were_given),
		WITH_DATABASE(an_enqueuer_may_enqueue_and_nothing_else),
		WITH_DATABASE(a_reader_reads_figures_and_state_but_no_arguments),
		WITH_DATABASE(an_enqueue_lives_and_dies_with_its_transaction),
		WITH_DATABASE(wrong_arguments_of_enqueue_say_what_would_be_right),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	if (!url) {
		fprintf(stderr, "test_schema: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
