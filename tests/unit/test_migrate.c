/* SPDX-License-Identifier: MIT */
/* migrate: the runner of migrations, and how it adopts tables that are there.
 * timeout: 180 */
#include <pthread.h>

#include "tests/unit/scratch_db.h"

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", f->dir, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	free(path);
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

/* ---- salary figures ---- */

#define UPSERT(more) \
	"SELECT count(*) FROM upsert_salary_benchmark(jsonb_build_object('location', 'Denver'," \
	" 'occupation', 'nurse', 'data_source', 'bls', 'year', 2025, 'median_salary', '2.50'" more \
	")) WHERE outcome = "

static void figures_of_the_release_before_are_there_after_an_upgrade(void **state)
{
	struct fixture *f = *state;
	char *copy = mem_printf("cp sql/00*.sql sql/01[0-3]*.sql %s", f->dir);
	struct err e = { 0 };

	assert_int_equal(system(copy), 0);
	free(copy);
	assert_int_equal(migrate_run(f->pg, f->dir, NULL, NULL, &e), 13);
	must(f->pg, "INSERT INTO salary_benchmarks (location, occupation, median_salary,"
		    " data_source, year, updated_at) VALUES ('Denver', 'nurse', 1, 'bls', 2025,"
		    " '2026-01-01'), ('Austin', 'nurse', 1, 'bls', 2025, '2026-01-01');"
		    " INSERT INTO market_data (location, unemployment_rate, data_source, year)"
		    " VALUES ('Denver', 250, 'bls', 2025)");
	assert_int_equal(migrate_shipped(f->pg, NULL), MIGRATE_SCHEMA - 13);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM salary_benchmarks WHERE updated_at ="
				" '2026-01-01' AND median_salary = 1"),
			 2);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM market_data"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.schema_differences WHERE"
				" difference LIKE 'column unemployment_rate cannot be held to%'"),
			 1);
	assert_int_equal(number(f->pg, UPSERT("") "'updated'"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.salary_changes"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM current_salary_benchmarks"), 2);
}

static void an_adopted_salary_table_with_ids_of_its_own_is_merged_into(void **state)
{
	struct fixture *f = *state;
	char said[8192] = "";

	must(f->pg,
	     "CREATE TABLE salary_benchmarks (id serial PRIMARY KEY, location varchar(255) NOT NULL,"
	     " occupation varchar(255) NOT NULL, median_salary numeric(12,2) NOT NULL,"
	     " percentile_90 numeric(12,2), data_source varchar(50) NOT NULL, year integer NOT NULL);"
	     " CREATE INDEX callers_own ON salary_benchmarks (median_salary);"
	     " INSERT INTO salary_benchmarks VALUES (7, 'Denver', 'nurse', 1, -1, 'bls', 2025)");
	migrate_shipped(f->pg, said);
	assert_non_null(strstr(said, "column percentile_90 cannot be held to >= 0"));
	assert_int_equal(number(f->pg, UPSERT("") "'updated'"), 1);
	assert_int_equal(number(f->pg, UPSERT("") "'unchanged'"), 1);
	assert_int_equal(number(f->pg, UPSERT(", 'industry', 'Health'") "'inserted'"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.salary_changes WHERE row_id ="
				" '7' AND action = 'update' AND old ->> 'median_salary' = '1.00'"),
			 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.salary_checks WHERE row_id ="
				" '7'"),
			 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM pg_indexes WHERE tablename ="
				" 'salary_benchmarks' AND indexname = 'callers_own'"),
			 1);
	must(f->pg, "DELETE FROM salary_benchmarks; SELECT * FROM cleanup_salary_data()");
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.salary_checks"), 0);
}

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
		WITH_DATABASE(figures_of_the_release_before_are_there_after_an_upgrade),
		WITH_DATABASE(an_adopted_salary_table_with_ids_of_its_own_is_merged_into),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	if (!url) {
		fprintf(stderr, "test_migrate: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
