/* SPDX-License-Identifier: MIT */
/* Clean-up, monitoring and sync on a real PostgreSQL and Redis and the provider server.
 * services: shared
 * timeout: 120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/salary_tasks.h"
#include "workers/salary/cache.h"
#include "workers/salary/sync.h"
#include "workers/salary/upkeep.h"

static void cleanup_makes_redis_and_the_table_agree(void **state)
{
	struct err e = { 0 };
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch("{\"request_data\":{\"location\":\"Boston\",\"occupation\":\"SRE\"}}"));
	bed_must(redis_cmd(bed.redis, NULL, &e, "SET", "salary_data:stray:key", "x", NULL), &e,
		 "set");
	free(bed_sql(
		"UPDATE salary_data_cache SET expires_at = now() - interval '1 s' WHERE cache_key LIKE '%boston%'"
		" RETURNING 1"));
	free(bed_sql(
		"INSERT INTO salary_data_cache (cache_key, data_type, redis_key, expires_at) VALUES"
		" ('salary_data:gone', 'salary_data', 'salary_data:gone', now() + interval '20 h'),"
		" ('salary_data:old', 'salary_data', 'salary_data:old', now() - interval '31 days') RETURNING 1"));
	a = must(NAME("cleanup_expired_cache"), cleanup_expired_cache, "{}");
	assert_int_equal(json_num(a, "expired", 0), 3);
	assert_int_equal(json_num(a, "vanished", 0), 1);
	assert_int_equal(json_num(a, "rows_deleted", 0), 1);
	assert_int_equal(json_num(json_get(a, "removed"), "salary_data_cache", 0), 1);
	assert_int_equal(json_num(json_get(a, "removed"), "salary_benchmarks", -1), 0);
	assert_int_equal(json_num(a, "untracked_deleted", 0), 3);
	assert_int_equal(json_num(a, "active", 0), 2);
	cJSON_Delete(a);
}

static void cleanup_takes_back_what_redis_has_after_all(void **state)
{
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	free(bed_sql("UPDATE salary_data_cache SET is_active = false RETURNING 1"));
	a = must(NAME("cleanup_expired_cache"), cleanup_expired_cache, "{}");
	assert_int_equal(json_num(a, "restored", 0), 2);
	assert_int_equal(json_num(a, "untracked_deleted", -1), 0);
	assert_int_equal(json_num(a, "active", 0), 2);
	assert_true(json_bool(a, "complete", false));
	cJSON_Delete(a);
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	assert_false(warned(a, "answered from the database"));
	cJSON_Delete(a);
}

static void cleanup_leaves_a_row_whose_entry_is_about_to_come(void **state)
{
	cJSON *a;

	(void)state;
	free(bed_sql("INSERT INTO salary_data_cache (cache_key, data_type, redis_key, expires_at)"
		     " VALUES ('salary_data:new', 'salary_data', 'salary_data:new',"
		     " now() + interval '1 day') RETURNING 1"));
	a = must(NAME("cleanup_expired_cache"), cleanup_expired_cache, "{}");
	assert_int_equal(json_num(a, "vanished", -1), 0);
	assert_int_equal(json_num(a, "active", 0), 1);
	cJSON_Delete(a);
}

/* More than a few batches, in Redis and in the table. */
static void cleanup_goes_through_many_in_batches(void **state)
{
	static const char FILL[] =
		"for i = 1, 3500 do redis.call('SET', 'salary_data:stray:' .. i, 'x') end";
	struct err e = { 0 };
	cJSON *a;

	(void)state;
	bed_must(redis_cmd(bed.redis, NULL, &e, "EVAL", FILL, "0", NULL), &e, "fill");
	free(bed_sql("INSERT INTO salary_data_cache (cache_key, data_type, redis_key, expires_at)"
		     " SELECT 'salary_data:' || n, 'salary_data', 'salary_data:' || n,"
		     " now() + (n % 2 - 0.5) * interval '20 h' FROM generate_series(1, 5000) n"
		     " RETURNING 1"));
	a = must(NAME("cleanup_expired_cache"), cleanup_expired_cache, "{}");
	assert_int_equal(json_num(a, "expired", 0), 2500);
	assert_int_equal(json_num(a, "vanished", 0), 2500);
	assert_int_equal(json_num(a, "untracked_deleted", 0), 3500);
	assert_int_equal(json_num(a, "active", -1), 0);
	cJSON_Delete(a);
}

#define KEY "salary_data:new_york:software_engineer:ny:us:any:any:any:latest"

/* As a fetch does it: the row in a transaction, then the entry. */
static void store_answer(int64_t now_s)
{
	static const struct cache_life LIFE = { 3600, 7200 };
	cJSON *meta = mem_check(cJSON_CreateObject());
	struct err e = { 0 };

	json_set_num(meta, "stored_at", (double)now_s);
	bed_must(pg_begin(bed.pg, 0, &e), &e, "begin");
	bed_must(cache_track(bed.pg, CACHE_SALARY, KEY, meta, LIFE, &e), &e, "track");
	bed_must(pg_commit(bed.pg, &e), &e, "commit");
	bed_must(cache_put(bed.redis, KEY, meta, "[]", now_s, LIFE, true, &e), &e, "put");
	cJSON_Delete(meta);
}

static void cleanup_never_takes_what_a_fetch_has_just_put(void **state)
{
	int64_t now_s = clock_wall_ms() / 1000;
	pid_t cleaner;
	int status, rounds = 0;

	(void)state;
	store_answer(now_s);
	cleaner = fork();
	if (cleaner == 0) {
		struct err e = { 0 };
		cJSON *o = NULL;
		int r = 0;

		for (int i = 0; i < 40 && r >= 0; i++)
			r = bed_call(NAME("cleanup_expired_cache"), cleanup_expired_cache, NULL,
				     "{}", &o, &e);
		_exit(r < 0 ? 1 : 0);
	}
	while (waitpid(cleaner, &status, WNOHANG) == 0) {
		struct cache_doc d;
		struct err e = { 0 };

		/* over, so that the clean-up wants the entry; then it is put anew */
		free(bed_sql("UPDATE salary_data_cache SET expires_at = now() - interval '1 s'"
			     " RETURNING 1"));
		store_answer(now_s - ++rounds % 1000);
		assert_int_equal(cache_get(bed.redis, KEY, now_s, -1, &d, &e), CACHE_FRESH);
		cache_doc_release(&d);
		bed_expect_sql("SELECT is_active FROM salary_data_cache", "t");
	}
	assert_int_equal(status, 0);
	assert_true(rounds > 10);
}

static void monitor_moves_the_hits_and_reports_the_rate(void **state)
{
	cJSON *a;

	(void)state;
	for (int i = 0; i < 4; i++)
		cJSON_Delete(fetch(YORK));
	a = must(NAME("monitor_cache_performance"), monitor_cache_performance, "{}");
	assert_int_equal(json_num(a, "total_hits", 0), 3);
	assert_int_equal(json_num(a, "total_misses", 0), 1);
	assert_int_equal(json_num(a, "hit_rate", 0), 75);
	assert_int_equal(json_num(json_get(a, "response_time_ms"), "samples", 0), 3);
	cJSON_Delete(a);
	a = must(NAME("monitor_cache_performance"), monitor_cache_performance, "{}");
	assert_int_equal(json_num(a, "total_hits", 0), 3);
	cJSON_Delete(a);
	bed_expect_sql("SELECT hit_rate FROM salary_data_cache WHERE data_type = 'salary_data'",
		       "75.00");
}

static void sync_takes_the_fewest_calls_and_skips_what_is_fresh(void **state)
{
	static const char ARGS[] =
		"{\"occupations\":[\"Software Engineer\",\"Data Scientist\",\"SRE\"],"
		"\"locations\":[\"NYC\",\"Boston\",\"Austin, TX\",\"Portland, ME\"]}";
	cJSON *a = must(NAME("sync_salary_data"), sync_salary_data, ARGS);
	int64_t before;

	(void)state;
	assert_int_equal(json_num(a, "pairs", 0), 12);
	assert_int_equal(json_num(a, "synced", 0) + json_num(a, "unanswered", 0), 12);
	assert_true(json_num(a, "synced", 0) >= 10);
	assert_int_equal(json_num(json_get(a, "calls_by_source"), "bls", 0),
			 json_num(json_get(a, "least_calls_by_source"), "bls", -1));
	cJSON_Delete(a);
	a = must(NAME("sync_salary_data"), sync_salary_data, ARGS);
	assert_int_equal(json_num(a, "calls", -1), 0);
	cJSON_Delete(a);
	bed_expect_sql("SELECT count(*) FROM salary_benchmarks WHERE location = 'Portland, ME' AND"
		       " data_source = 'bls' AND metadata ->> 'level' <> 'metro'", "3");
	before = calls();
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	assert_int_equal(cJSON_GetArraySize(json_get(a, "sources")), 3);
	assert_int_equal(calls(), before);
	cJSON_Delete(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cleanup_makes_redis_and_the_table_agree),
		TEST(cleanup_takes_back_what_redis_has_after_all),
		TEST(cleanup_leaves_a_row_whose_entry_is_about_to_come),
		TEST(cleanup_goes_through_many_in_batches),
		TEST(cleanup_never_takes_what_a_fetch_has_just_put),
		TEST(monitor_moves_the_hits_and_reports_the_rate),
		TEST(sync_takes_the_fewest_calls_and_skips_what_is_fresh),
	};

	return cmocka_run_group_tests_name("salary upkeep", tests, start, stop);
}
