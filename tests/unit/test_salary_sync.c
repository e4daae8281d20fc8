/* SPDX-License-Identifier: MIT */
/* sync_salary_data on a real PostgreSQL and Redis and the local provider server.
 * services: shared
 * timeout: 120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/salary_tasks.h"
#include "workers/salary/sync.h"

#define SYNC NAME("sync_salary_data")
#define LISTS \
	"\"occupations\":[\"Software Engineer\",\"Data Scientist\",\"Technical Writer\"]," \
	"\"locations\":[\"NYC\",\"Boston\",\"Austin, TX\",\"Portland, ME\"]"
#define ARGS "{" LISTS "}"

static void no_parts(void)
{
	free(bed_sql("DELETE FROM jobfleet.salary_parts"));
	free(bed_sql("DELETE FROM jobfleet.provider_quota"));
}

static int ends_with(const char *args, struct err *e)
{
	cJSON *o = NULL;
	int r = bed_call(SYNC, sync_salary_data, NULL, args, &o, e);

	cJSON_Delete(o);
	return r;
}

static int by_source(const cJSON *a, const char *source)
{
	return (int)json_num(json_get(a, "calls_by_source"), source, -1);
}

static void all_pairs_come_in_the_fewest_calls(void **state)
{
	cJSON *a;
	int64_t before;

	(void)state;
	no_parts();
	before = calls();
	a = must(SYNC, sync_salary_data, ARGS);
	assert_int_equal(json_num(a, "pairs", 0), 12);
	assert_int_equal(json_num(a, "synced", 0), 12);
	assert_int_equal(json_num(a, "remaining", -1), 0);
	assert_int_equal(json_num(a, "calls", 0), calls() - before);
	assert_true(by_source(a, "bls") <= 4);
	assert_int_equal(json_num(json_get(a, "least_calls_by_source"), "fred", 0),
			 by_source(a, "fred"));
	cJSON_Delete(a);
	before = calls();
	a = must(SYNC, sync_salary_data, ARGS);
	assert_int_equal(json_num(a, "fresh", 0), 12);
	assert_int_equal(calls(), before);
	cJSON_Delete(a);
}

static void what_ended_in_the_cache_is_filled_again_without_a_call(void **state)
{
	int64_t before;
	cJSON *a;

	(void)state;
	no_parts();
	cJSON_Delete(must(SYNC, sync_salary_data, ARGS));
	free(bed_sql("UPDATE salary_data_cache SET expires_at = now() - interval '1 s'"));
	before = calls();
	a = must(SYNC, sync_salary_data, ARGS);
	assert_int_equal(json_num(a, "synced", 0), 12);
	assert_int_equal(calls(), before);
	cJSON_Delete(a);
}

static void an_answer_that_lacks_a_source_is_not_taken_as_fresh(void **state)
{
	cJSON *a;

	(void)state;
	no_parts();
	cJSON_Delete(must(SYNC, sync_salary_data, ARGS));
	free(bed_sql("UPDATE salary_data_cache SET metadata = jsonb_set(metadata,"
		     " '{source_details,census}', '{\"status\": \"skipped\", \"key_missing\": true}')"));
	a = must(SYNC, sync_salary_data, ARGS);
	assert_int_equal(json_num(a, "fresh", 0), 12);
	cJSON_Delete(a);
	free(bed_sql("UPDATE salary_data_cache SET metadata = jsonb_set(metadata,"
		     " '{source_details,census}', '{\"status\": \"skipped\"}')"));
	a = must(SYNC, sync_salary_data, ARGS);
	assert_int_equal(json_num(a, "fresh", 1), 0);
	assert_int_equal(json_num(a, "synced", 0), 12);
	cJSON_Delete(a);
}

/* But for the scores: a sync saves the series of the figures' errors, 7 a pair instead of 8. */
#define FIGURES \
	"SELECT string_agg(concat_ws(' ', location, occupation, data_source, year, median_salary," \
	" mean_salary, percentile_25, percentile_75, percentile_90), E'\n'" \
	" ORDER BY location, occupation, data_source) FROM salary_benchmarks" \
	" WHERE location IN ('Boston, MA', 'Portland, ME')"

static void a_synced_answer_is_that_of_a_fetch(void **state)
{
	static const char *const JOBS[] = { "Software Engineer", "Data Scientist",
					    "Technical Writer" };
	static const char *const PLACES[] = { "Boston", "Portland, ME" };
	char *synced, *fetched;

	(void)state;
	no_parts();
	cJSON_Delete(must(SYNC, sync_salary_data, ARGS));
	synced = bed_sql(FIGURES);
	bed_clean();
	for (size_t i = 0; i < COUNT(JOBS) * COUNT(PLACES); i++) {
		char *args = mem_printf("{\"request_data\":{\"location\":\"%s\","
					"\"occupation\":\"%s\"}}", PLACES[i % COUNT(PLACES)],
					JOBS[i / COUNT(PLACES)]);

		cJSON_Delete(fetch(args));
		free(args);
	}
	fetched = bed_sql(FIGURES);
	assert_string_equal(synced, fetched);
	free(synced);
	free(fetched);
}

static void a_source_in_trouble_is_told_and_done_without(void **state)
{
	cJSON *a;

	(void)state;
	no_parts();
	bed_fault("{\"provider\":\"fred\",\"kind\":\"fred_500\"}");
	a = must(SYNC, sync_salary_data, ARGS);
	assert_int_equal(json_num(a, "synced", 0), 12);
	assert_int_equal(by_source(a, "fred"), 1);
	assert_true(warned(a, "FRED"));
	cJSON_Delete(a);
}

static void without_bls_nothing_is_synced_and_its_error_is_the_task_s(void **state)
{
	struct err e = { 0 };

	(void)state;
	no_parts();
	bed_fault("{\"provider\":\"bls\",\"kind\":\"503_html\"}");
	assert_int_equal(ends_with(ARGS, &e), -ERR_HTTP);
	bed_expect_sql("SELECT count(*) FROM salary_benchmarks", "0");
}

static void what_max_calls_left_is_synced_next_time_and_nothing_twice(void **state)
{
	double all, first, second;
	cJSON *a;

	(void)state;
	no_parts();
	a = must(SYNC, sync_salary_data, ARGS);
	all = json_num(a, "calls", 0);
	cJSON_Delete(a);
	bed_clean();
	no_parts();
	a = must(SYNC, sync_salary_data, "{" LISTS ",\"max_calls\":2}");
	first = json_num(a, "calls", 0);
	assert_int_equal(first, 2);
	assert_true(json_num(a, "remaining", 0) > 0);
	assert_true(warned(a, "max_calls is reached"));
	cJSON_Delete(a);
	a = must(SYNC, sync_salary_data, ARGS);
	second = json_num(a, "calls", 0);
	assert_int_equal(json_num(a, "remaining", -1), 0);
	assert_true(first + second <= all + 1);
	cJSON_Delete(a);
}

static void a_fifth_of_the_day_is_left_to_single_requests(void **state)
{
	cJSON *a;

	(void)state;
	no_parts();
	cJSON_Delete(fetch(YORK));
	free(bed_sql("UPDATE jobfleet.provider_quota SET used = 400 WHERE source = 'bls'"
		     " AND period = 'day'"));
	a = must(SYNC, sync_salary_data, "{\"occupations\":[\"DBA\"],\"locations\":[\"Boston\"]}");
	assert_int_equal(json_num(a, "remaining", 0), 1);
	assert_int_equal(by_source(a, "bls"), 0);
	assert_true(warned(a, "left to single requests"));
	cJSON_Delete(a);
	bed_expect_sql("SELECT used FROM jobfleet.provider_quota WHERE source = 'bls'"
		       " AND period = 'day'", "400");
}

static void a_wrong_entry_is_named(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ends_with("{\"occupations\":[\"SRE\",\"Wizard\"]}", &e), -ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "Wizard"));
	assert_int_equal(ends_with("{\"locations\":[\"London, UK\"]}", &e), -ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "London"));
	assert_int_equal(ends_with("{\"locations\":[]}", &e), -ERR_INVALID);
	assert_int_equal(ends_with("{\"max_calls\":0}", &e), -ERR_INVALID);
	assert_int_equal(ends_with("{\"max_calls\":9e99}", &e), -ERR_INVALID);
	assert_int_equal(ends_with("{\"max_calls\":\"9e99\"}", &e), -ERR_INVALID);
	assert_non_null(strstr(e.msg, "max_calls must be"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_pairs_come_in_the_fewest_calls),
		TEST(what_ended_in_the_cache_is_filled_again_without_a_call),
		TEST(an_answer_that_lacks_a_source_is_not_taken_as_fresh),
		TEST(a_synced_answer_is_that_of_a_fetch),
		TEST(a_source_in_trouble_is_told_and_done_without),
		TEST(without_bls_nothing_is_synced_and_its_error_is_the_task_s),
		TEST(what_max_calls_left_is_synced_next_time_and_nothing_twice),
		TEST(a_fifth_of_the_day_is_left_to_single_requests),
		TEST(a_wrong_entry_is_named),
	};

	return cmocka_run_group_tests_name("salary sync", tests, start, stop);
}
