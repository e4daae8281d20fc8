/* SPDX-License-Identifier: MIT */
/* migrate, and what the shipped migrations promise, each test in a database of its own on the
 * server of JOBFLEET_DATABASE_URL. Runs in the root of the tree (sql/ is there). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"

static const char *url;

struct fixture {
	char name[64], *url, dir[64];
	struct pg *pg;
};

static struct pg *must_open(const char *at)
{
	struct pg *p = NULL;
	struct err e = { 0 };

	if (pg_open(&p, at, "test_migrate", 5000, &e) < 0)
		fail_msg("%s", e.msg);
	return p;
}

static void must(struct pg *p, const char *sql)
{
	struct err e = { 0 };

	if (pg_exec(p, sql, &e) < 0)
		fail_msg("%s: %s", sql, e.msg);
}

static void expect_refused(struct pg *p, const char *sql, enum err_code code, const char *text)
{
	struct err e = { 0 };
	int64_t r = pg_run(p, sql, NULL, 0, NULL, &e);

	if (r != -(int)code || !strstr(e.msg, text))
		fail_msg("%s: got %d \"%s\", expected %s \"%s\"", sql, (int)r, e.msg,
			 err_name(code), text);
}

static int64_t number(struct pg *p, const char *sql)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	int64_t n;

	if (pg_run(p, sql, NULL, 0, &rows, &e) < 0)
		fail_msg("%s: %s", sql, e.msg);
	n = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return n;
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof *f);
	struct pg *admin = must_open(url);
	static int count;
	char sql[128];

	snprintf(f->name, sizeof f->name, "test_migrate_%d_%d", (int)getpid(), ++count);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s", f->name);
	must(admin, sql);
	pg_close(admin);
	f->url = mem_printf("%.*s/%s", (int)(strrchr(url, '/') - url), url, f->name);
	f->pg = must_open(f->url);
	snprintf(f->dir, sizeof f->dir, "/tmp/test_migrate-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct pg *admin = must_open(url);
	char sql[128], *rm = mem_printf("rm -rf %s", f->dir);

	pg_close(f->pg);
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", f->name);
	must(admin, sql);
	pg_close(admin);
	assert_int_equal(system(rm), 0);
	free(rm);
	free(f->url);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", f->dir, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	free(path);
}

static void gather(void *ctx, const char *line)
{
	size_t n = strlen(ctx);

	snprintf((char *)ctx + n, 8192 - n, "%s\n", line);
}

static int migrate_shipped(struct pg *p, char *said)
{
	struct err e = { 0 };
	int r = migrate_run(p, "sql", said ? gather : NULL, said, &e);

	if (r < 0)
		fail_msg("%s", e.msg);
	return r;
}

/* ---- the runner ---- */

static void a_second_run_changes_nothing(void **state)
{
	struct fixture *f = *state;
	char said[8192] = "";
	struct err e = { 0 };

	assert_int_equal(migrate_version(f->pg, &e), 0);
	assert_int_equal(migrate_check(f->pg, &e), -ERR_SCHEMA);
	assert_non_null(strstr(e.msg, "jobfleet migrate"));
	assert_true(migrate_shipped(f->pg, said) >= MIGRATE_SCHEMA);
	assert_non_null(strstr(said, "001_fleet.sql\n002_domain.sql\n"));
	said[0] = '\0';
	assert_int_equal(migrate_shipped(f->pg, said), 0);
	assert_string_equal(said, "");
	assert_int_equal(migrate_check(f->pg, &e), 0);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.schema_differences"), 0);
}

static void the_code_asks_for_the_newest_step_there_is(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	assert_int_equal(migrate_version(f->pg, &e), MIGRATE_SCHEMA);
}

struct runner {
	pthread_t thread;
	const char *url;
	int applied;
	struct err e;
};

static void *run_one(void *ctx)
{
	struct runner *r = ctx;
	struct pg *p = NULL;

	r->applied = pg_open(&p, r->url, "test_migrate", 5000, &r->e);
	if (r->applied == 0)
		r->applied = migrate_run(p, "sql", NULL, NULL, &r->e);
	pg_close(p);
	return NULL;
}

static void runs_from_several_places_at_once_share_the_steps(void **state)
{
	struct fixture *f = *state;
	struct runner r[4] = { 0 };
	int sum = 0;

	for (size_t i = 0; i < COUNT(r); i++) {
		r[i].url = f->url;
		assert_int_equal(pthread_create(&r[i].thread, NULL, run_one, &r[i]), 0);
	}
	for (size_t i = 0; i < COUNT(r); i++) {
		pthread_join(r[i].thread, NULL);
		if (r[i].applied < 0)
			fail_msg("%s", r[i].e.msg);
		sum += r[i].applied;
	}
	assert_int_equal(sum, MIGRATE_SCHEMA);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.migrations"), MIGRATE_SCHEMA);
}

static void an_edited_step_is_refused_and_named(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	write_file(f, "001_one.sql", "CREATE TABLE one (v int);");
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), 1);
	write_file(f, "001_one.sql", "CREATE TABLE one (v int, w int);");
	write_file(f, "002_two.sql", "CREATE TABLE two (v int);");
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), -ERR_SCHEMA);
	assert_non_null(strstr(e.msg, "001_one.sql was changed after it was applied on"));
	assert_int_equal(migrate_version(f->pg, &e), 1);
	assert_int_equal(number(f->pg, "SELECT to_regclass('two') IS NULL"), 0);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM pg_class WHERE relname = 'two'"), 0);
}

static void a_step_that_fails_leaves_nothing_and_the_earlier_ones_stay(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	write_file(f, "001_one.sql", "CREATE TABLE one (v int);");
	write_file(f, "002_two.sql", "CREATE TABLE two (v int); SELECT nonsense;");
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), -ERR_SCHEMA);
	assert_non_null(strstr(e.msg, "002_two.sql: PostgreSQL: column \"nonsense\""));
	assert_int_equal(migrate_version(f->pg, &e), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM pg_class WHERE relname = 'two'"), 0);
	write_file(f, "002_two.sql", "CREATE TABLE two (v int); COMMIT;");
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "leave out BEGIN and COMMIT"));
}

static void a_newer_schema_is_tolerated(void **state)
{
	struct fixture *f = *state;
	char said[8192] = "";
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	must(f->pg, "INSERT INTO jobfleet.migrations (number, name, checksum, run_ms)"
	     " VALUES (900, '900_later.sql', 'x', 1)");
	assert_int_equal(migrate_shipped(f->pg, said), 0);
	assert_non_null(strstr(said, "newer"));
	assert_int_equal(migrate_check(f->pg, &e), 0);
}

static void wrong_directories_say_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	char found[256];

	assert_int_equal(migrate_run(f->pg, "/nowhere", NULL, NULL, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "/nowhere: No such file"));
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "no migrations"));
	write_file(f, "README", "not a step");
	write_file(f, "001_one.sql", "SELECT 1");
	write_file(f, "003_three.sql", "SELECT 1");
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "number 002 is missing"));
	write_file(f, "002_two.sql", "SELECT 1");
	write_file(f, "002_other.sql", "SELECT 1");
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "number 2"));
	write_file(f, "two.sql", "SELECT 1");
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), -ERR_CONFIG);
	setenv("JOBFLEET_SQL_DIR", "/nowhere", 1);
	assert_int_equal(migrate_find_dir(found, sizeof found, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "JOBFLEET_SQL_DIR=/nowhere"));
	setenv("JOBFLEET_SQL_DIR", "sql", 1);
	assert_int_equal(migrate_find_dir(found, sizeof found, &e), 0);
	assert_string_equal(found, "sql");
	unsetenv("JOBFLEET_SQL_DIR");
}

/* ---- what the shipped steps promise ---- */

static void existing_tables_are_adopted_and_differences_named(void **state)
{
	struct fixture *f = *state;
	char said[8192] = "";

	must(f->pg,
	     "CREATE TABLE salary_benchmarks (id serial PRIMARY KEY, location varchar(255) NOT"
	     " NULL,"
	     " occupation varchar(255) NOT NULL, median_salary numeric(10,2) NOT NULL,"
	     " data_source varchar(50));"
	     " INSERT INTO salary_benchmarks (location, occupation, median_salary, data_source)"
	     " VALUES ('Denver', 'nurse', 1, 'x'), ('Denver', 'nurse', 2, 'x');"
	     " CREATE TABLE raw_job_collections (collection_id uuid PRIMARY KEY, note text);"
	     " CREATE TABLE job_processing_log (processing_id uuid PRIMARY KEY, collection_id"
	     " uuid);"
	     " INSERT INTO job_processing_log VALUES (gen_random_uuid(), gen_random_uuid())");
	migrate_shipped(f->pg, said);
	assert_non_null(
		strstr(said, "public.salary_benchmarks: column id is integer, expected uuid"));
	assert_non_null(
		strstr(said, "column median_salary is numeric(10,2), expected numeric(12,2)"));
	assert_non_null(strstr(said, "column data_source allows null, expected not null"));
	assert_non_null(
		strstr(said, "column year was missing and is added, null in the rows there are"));
	assert_non_null(strstr(said, "then run CREATE UNIQUE INDEX salary_benchmarks_once"));
	assert_non_null(strstr(
		said, "raw_job_collections: column raw_response was missing and is added\n"));
	assert_non_null(strstr(said, "foreign key fk_collection holds for new rows only"));
	assert_int_equal(number(f->pg, "SELECT count(*) FROM salary_benchmarks"), 2);
	must(f->pg, "SELECT note, query_hash, raw_body FROM raw_job_collections");
	must(f->pg,
	     "INSERT INTO raw_job_collections (collection_id, api_provider, query_params,"
	     " raw_response)"
	     " VALUES (gen_random_uuid(), 'jsearch', '{}', '{}')");
	expect_refused(f->pg, "UPDATE raw_job_collections SET processing_status = 'lost'",
		       ERR_INVALID, "processing_status_check");
	assert_true(number(f->pg, "SELECT count(*) FROM jobfleet.schema_differences") > 5);
}

static void an_adopted_posting_table_with_a_key_of_its_own_is_pointed_at_all_the_same(void **state)
{
	struct fixture *f = *state;
	char said[8192] = "";

	must(f->pg, "CREATE TABLE enhanced_jobs (job_id serial PRIMARY KEY, title text,"
		    " status text CONSTRAINT enhanced_jobs_status_check CHECK (status <> 'x'));"
		    " INSERT INTO enhanced_jobs (title) VALUES ('one'), ('two')");
	migrate_shipped(f->pg, said);
	assert_non_null(strstr(said, "constraint enhanced_jobs_status_check is CHECK"));
	assert_null(strstr(said, "cannot be added"));
	assert_int_equal(number(f->pg, "SELECT count(DISTINCT id) FROM enhanced_jobs"), 2);
	must(f->pg, "INSERT INTO job_sources (job_id, api_provider) SELECT id, 'old' FROM"
		    " enhanced_jobs");
	expect_refused(f->pg,
		       "INSERT INTO job_sources (job_id, api_provider) VALUES"
		       " (gen_random_uuid(), 'x')",
		       ERR_INVALID, "fk_job");
	must(f->pg, "INSERT INTO enhanced_jobs (title, dedupe_title, dedupe_key, api_provider)"
		    " VALUES ('a', 'a', 'k', 'jsearch')");
}

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
	       "ARRAY['jobfleet_worker', 'jobfleet_dispatcher', 'jobfleet_reader']) AS role"
	       " WHERE has_table_privilege(role, format('%I.%I', schemaname, tablename),"
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

#define WITH_DATABASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_DATABASE(a_second_run_changes_nothing),
		WITH_DATABASE(the_code_asks_for_the_newest_step_there_is),
		WITH_DATABASE(runs_from_several_places_at_once_share_the_steps),
		WITH_DATABASE(an_edited_step_is_refused_and_named),
		WITH_DATABASE(a_step_that_fails_leaves_nothing_and_the_earlier_ones_stay),
		WITH_DATABASE(a_newer_schema_is_tolerated),
		WITH_DATABASE(wrong_directories_say_what_is_wrong),
		WITH_DATABASE(existing_tables_are_adopted_and_differences_named),
		WITH_DATABASE(
			an_adopted_posting_table_with_a_key_of_its_own_is_pointed_at_all_the_same),
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
		fprintf(stderr, "test_migrate: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
