/* SPDX-License-Identifier: MIT */
/* Refresh, clean-up, monitoring and sync on a real PostgreSQL and Redis and the provider server.
 * services: shared
 * timeout: 120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/salary_tasks.h"
#include "workers/salary/refresh.h"
#include "workers/salary/sync.h"
#include "workers/salary/upkeep.h"

static void refresh_asks_again_for_what_the_pattern_meets(void **state)
{
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch("{\"request_data\":{\"location\":\"Boston\",\"occupation\":\"SRE\"}}"));
	a = must(NAME("refresh_salary_cache"), refresh_salary_cache,
		 "{\"cache_pattern\":\"salary_data:new_york:*\"}");
	assert_int_equal(json_num(a, "keys_found", 0), 1);
	assert_int_equal(json_num(a, "refreshed", 0), 1);
	cJSON_Delete(a);
	a = must(NAME("refresh_salary_cache"), refresh_salary_cache, "{\"max_refreshes\":1}");
	assert_int_equal(json_num(a, "keys_found", 0), 2);
	assert_int_equal(json_num(a, "remaining", 0), 1);
	cJSON_Delete(a);
	a = must(NAME("refresh_salary_cache"), refresh_salary_cache,
		 "{\"cache_pattern\":\"salary_data:nowhere:*\"}");
	assert_int_equal(json_num(a, "refreshed", -1), 0);
	cJSON_Delete(a);
}

static void a_refresh_in_vain_keeps_the_figures_there_are(void **state)
{
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	bed_fault("{\"provider\":\"*\",\"kind\":\"500\"}");
	a = must(NAME("refresh_salary_cache"), refresh_salary_cache, "{}");
	assert_int_equal(json_num(a, "failed", 0), 1);
	cJSON_Delete(a);
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	assert_false(json_bool(a, "fallback", true));
	cJSON_Delete(a);
}

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
		TEST(refresh_asks_again_for_what_the_pattern_meets),
		TEST(a_refresh_in_vain_keeps_the_figures_there_are),
		TEST(cleanup_makes_redis_and_the_table_agree),
		TEST(monitor_moves_the_hits_and_reports_the_rate),
		TEST(sync_takes_the_fewest_calls_and_skips_what_is_fresh),
	};

	return cmocka_run_group_tests_name("salary upkeep", tests, start, stop);
}
