/* SPDX-License-Identifier: MIT */
/* refresh_salary_cache on a real PostgreSQL and Redis and the provider server.
 * services: shared
 * timeout: 120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/salary_tasks.h"
#include "workers/salary/candidates.h"
#include "workers/salary/refresh.h"

#define REFRESH NAME("refresh_salary_cache")
#define BOSTON "{\"request_data\":{\"location\":\"Boston\",\"occupation\":\"SRE\"}}"
#define AUSTIN "{\"request_data\":{\"location\":\"Austin, TX\",\"occupation\":\"SRE\"}}"

static cJSON *refresh(const char *args)
{
	return must(REFRESH, refresh_salary_cache, args);
}

static void expect(cJSON *answer, int found, int refreshed, int fresh, int remaining)
{
	char *text = json_print(answer);

	if (json_num(answer, "keys_found", -1) != found ||
	    json_num(answer, "refreshed", -1) != refreshed ||
	    json_num(answer, "skipped_fresh", -1) != fresh ||
	    json_num(answer, "remaining", -1) != remaining)
		fail_msg("expected %d found, %d refreshed, %d fresh, %d remaining, got %s", found,
			 refreshed, fresh, remaining, text);
	free(text);
	cJSON_Delete(answer);
}

static void it_asks_again_for_what_the_pattern_meets(void **state)
{
	int64_t before;

	(void)state;
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch(BOSTON));
	before = calls();
	expect(refresh("{\"cache_pattern\":\"salary_data:new_york:*\"}"), 1, 1, 0, 0);
	assert_true(calls() > before);
	expect(refresh("{\"cache_pattern\":\"salary_data:nowhere:*\"}"), 0, 0, 0, 0);
	expect(refresh("{\"cache_pattern\":\"salary_data:*:sre:*\",\"max_refreshes\":1}"), 1, 1, 0,
	       0);
}

static void what_another_has_just_refreshed_is_skipped(void **state)
{
	int64_t before;

	(void)state;
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch(BOSTON));
	expect(refresh("{\"cache_pattern\":\"salary_data:new_york:*\"}"), 1, 1, 0, 0);
	expect(refresh("{\"cache_pattern\":\"salary_data:*:sre:*\"}"), 1, 1, 0, 0);
	before = calls();
	expect(refresh("{}"), 2, 0, 2, 0);
	assert_int_equal(calls(), before);
}

static void max_refreshes_and_max_calls_leave_the_rest(void **state)
{
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch(BOSTON));
	cJSON_Delete(fetch(AUSTIN));
	expect(refresh("{\"max_refreshes\":1}"), 3, 1, 0, 2);
	a = refresh("{\"max_calls\":1}");
	assert_true(json_num(a, "calls", 0) >= 1);
	assert_true(warned(a, "max_calls is reached"));
	assert_int_equal(json_num(a, "refreshed", 0), 1);
	cJSON_Delete(a);
}

static void the_stale_and_the_popular_come_first(void **state)
{
	(void)state;
	/* stale and never read; fresh and never read; half its time and read by all */
	assert_true(candidates_urgency(100, 100, 0, 0) > candidates_urgency(99, 100, 0, 0));
	assert_true(candidates_urgency(50, 100, 1000, 0) > candidates_urgency(100, 100, 0, 0));
	assert_true(candidates_urgency(50, 100, 10, 0) > candidates_urgency(50, 100, 10, 30));
	assert_true(candidates_urgency(INT64_MAX, 1, INT64_MAX / 2, 0) <= 3);
	assert_true(candidates_urgency(-5, 0, 0, 0) >= 0);
	cJSON_Delete(fetch(BOSTON));
	cJSON_Delete(fetch(YORK));
	for (int i = 0; i < 5; i++)
		cJSON_Delete(fetch(YORK));
	expect(refresh("{\"max_refreshes\":1}"), 2, 1, 0, 1);
	bed_expect_sql("SELECT task_id IS NOT NULL FROM jobfleet.asking WHERE query_hash LIKE"
		       " 'refresh:salary_data:new_york:%'", "t");
}

static void in_vain_it_keeps_the_figures_there_are(void **state)
{
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	bed_fault("{\"provider\":\"*\",\"kind\":\"500\"}");
	a = refresh("{}");
	assert_int_equal(json_num(a, "failed", 0), 1);
	cJSON_Delete(a);
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	assert_false(json_bool(a, "fallback", true));
	cJSON_Delete(a);
	/* nor does it keep others from trying */
	free(bed_http("DELETE", "/_fault", NULL));
	free(bed_sql("DELETE FROM jobfleet.source_state RETURNING 1"));
	expect(refresh("{}"), 1, 1, 0, 0);
}

static void without_the_source_that_led_it_keeps_the_answer_and_counts_it_as_failed(void **state)
{
	cJSON *first = fetch(YORK), *a;

	(void)state;
	bed_fault("{\"provider\":\"bls\",\"kind\":\"500\"}");
	a = refresh("{}");
	assert_int_equal(json_num(a, "failed", 0), 1);
	assert_int_equal(json_num(a, "refreshed", 1), 0);
	assert_true(warned(a, "its sources did not answer"));
	cJSON_Delete(a);
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	assert_true(cJSON_Compare(json_get(first, "merged"), json_get(a, "merged"), true));
	cJSON_Delete(a);
	cJSON_Delete(first);
}

static void after_a_flush_of_redis_the_table_says_what_there_was(void **state)
{
	struct err e = { 0 };
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch(BOSTON));
	bed_must(redis_cmd(bed.redis, NULL, &e, "FLUSHDB", NULL), &e, "flush");
	a = refresh("{\"cache_pattern\":\"salary_data:new_*\"}");
	assert_string_equal(json_str(a, "found_in", ""), "tables");
	expect(a, 1, 1, 0, 0);
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	cJSON_Delete(a);
}

static void a_repeat_goes_on_where_it_was_stopped(void **state)
{
	struct err e = { 0 };
	cJSON *o = NULL;
	int64_t before;

	(void)state;
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch(BOSTON));
	assert_int_equal(bed_call(REFRESH, refresh_salary_cache, "one-task",
				  "{\"max_refreshes\":1}", &o, &e),
			 0);
	expect(o, 2, 1, 0, 1);
	before = calls();
	assert_int_equal(bed_call(REFRESH, refresh_salary_cache, "one-task", "{}", &o, &e), 0);
	expect(o, 2, 2, 0, 0);
	assert_true(calls() > before);
	before = calls();
	assert_int_equal(bed_call(REFRESH, refresh_salary_cache, "one-task", "{}", &o, &e), 0);
	expect(o, 2, 2, 0, 0);
	assert_int_equal(calls(), before);
}

static void wrong_patterns_and_bounds_are_refused_with_what_would_be_right(void **state)
{
	static const struct { const char *args, *says; } WRONG[] = {
		{ "{\"cache_pattern\":\"\"}", "1 to 255 bytes" },
		{ "{\"cache_pattern\":\"salary_data:[a-\"}", "not closed" },
		{ "{\"cache_pattern\":\"salary_data:\\\\\"}", "not closed" },
		{ "{\"cache_pattern\":\"salary_data:\\n*\"}", "control character" },
		{ "{\"max_refreshes\":0}", "max_refreshes must be" },
		{ "{\"max_calls\":-1}", "max_calls must be" },
		{ "{\"max_calls\":9e99}", "max_calls must be" },
		{ "{\"max_refreshes\":true}", "max_refreshes must be" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		struct err e = { 0 };
		cJSON *o = NULL;
		int r = bed_call(REFRESH, refresh_salary_cache, NULL, WRONG[i].args, &o, &e);

		if (r != -ERR_INVALID || !strstr(e.msg, WRONG[i].says))
			fail_msg("%s: %d %s", WRONG[i].args, r, e.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_asks_again_for_what_the_pattern_meets),
		TEST(what_another_has_just_refreshed_is_skipped),
		TEST(max_refreshes_and_max_calls_leave_the_rest),
		TEST(the_stale_and_the_popular_come_first),
		TEST(in_vain_it_keeps_the_figures_there_are),
		TEST(without_the_source_that_led_it_keeps_the_answer_and_counts_it_as_failed),
		TEST(after_a_flush_of_redis_the_table_says_what_there_was),
		TEST(a_repeat_goes_on_where_it_was_stopped),
		TEST(wrong_patterns_and_bounds_are_refused_with_what_would_be_right),
	};

	return cmocka_run_group_tests_name("salary refresh", tests, start, stop);
}
