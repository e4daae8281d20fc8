/* SPDX-License-Identifier: MIT */
/* fetch_salary_data on a real PostgreSQL and Redis and the local provider server.
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
#include "workers/salary/upkeep.h"

/* A metro's parity of some year beside its state's unemployment of some month. */
static void each_figure_of_fred_says_where_and_when(const cJSON *fred)
{
	const cJSON *meta = json_get(fred, "metadata"), *parts = json_get(meta, "parts");
	const cJSON *rate = json_get(parts, "unemployment_rate"),
		    *parity = json_get(parts, "cost_of_living_index");

	assert_string_equal(json_str(meta, "level", ""), "state");
	assert_int_equal(json_num(meta, "steps_wider", 0), 1);
	assert_string_equal(json_str(rate, "level", ""), "state");
	assert_string_equal(json_str(rate, "area", ""), "New York");
	assert_in_range(json_num(rate, "month", 0), 1, 12);
	assert_string_equal(json_str(parity, "level", ""), "metro");
	assert_true(json_num(parity, "year", 0) < json_num(rate, "year", 0));
}

static void a_fetch_stores_and_answers_the_figures_of_all_sources(void **state)
{
	cJSON *a = fetch(YORK);
	const cJSON *bls = row(a, "salary_benchmarks", "bls"),
		    *census = row(a, "salary_benchmarks", "census");
	const cJSON *fred = row(a, "market_data", "fred");

	(void)state;
	assert_int_equal(json_num(a, "data_count", 0), 2);
	assert_false(json_bool(a, "cache_hit", true));
	assert_string_equal(json_str(a, "cache_key", ""),
			    "salary_data:new_york:software_engineer:ny:us:any:any:any:latest");
	assert_string_equal(json_str(bls, "location", ""), "New York, NY");
	assert_string_equal(json_str(bls, "occupation", ""), "Software Engineer");
	assert_true(json_num(bls, "median_salary", 0) > 100000);
	assert_true(json_num(bls, "percentile_25", 0) < json_num(bls, "median_salary", 0));
	assert_int_equal(json_num(bls, "year", 0), 2025);
	assert_string_equal(json_str(json_get(bls, "metadata"), "level", ""), "metro");
	assert_true(json_num(bls, "source_confidence_score", 0) > 0.5);
	assert_true(json_num(census, "median_salary", 0) > 50000);
	assert_true(json_num(fred, "cost_of_living_index", 0) > 100);
	each_figure_of_fred_says_where_and_when(fred);
	assert_true(json_num(row(a, "market_data", "bls"), "unemployment_rate", 0) > 1);
	assert_true(json_num(row(a, "market_data", "bls"), "job_count", 0) > 1000);
	assert_true(json_num(row(a, "market_data", "census"), "remote_work_percentage", 0) > 1);
	assert_int_equal(cJSON_GetArraySize(json_get(a, "confidence_scores")), 2);
	assert_int_equal(cJSON_GetArraySize(json_get(a, "sources")), 3);
	cJSON_Delete(a);
	bed_expect_sql("SELECT count(*) FROM salary_benchmarks", "2");
	bed_expect_sql("SELECT count(*) FROM market_data", "3");
	bed_expect_sql("SELECT task || ' ' || queue FROM jobfleet.pending",
		       NAME("update_confidence_scores") " confidence_scores");
	bed_expect_sql(
		"SELECT string_agg(cache_key, ' ' ORDER BY cache_key) FROM salary_data_cache"
		" WHERE ttl_seconds / CASE data_type WHEN 'salary_data' THEN 86400.0 ELSE 604800 END"
		" BETWEEN 0.45 AND 1.65",
		"market_data:new_york:software_engineer:ny:us:any:any:any:latest "
		"salary_data:new_york:software_engineer:ny:us:any:any:any:latest");
}

static void a_second_call_comes_from_the_cache_however_the_place_is_spelt(void **state)
{
	cJSON *first = fetch(YORK), *second;
	int64_t before = calls();

	(void)state;
	second = fetch(
		"{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"software engineers\"}}");
	assert_true(json_bool(second, "cache_hit", false));
	assert_int_equal(json_num(second, "data_count", 0), 2);
	assert_true(cJSON_Compare(json_get(first, "salary_benchmarks"),
				  json_get(second, "salary_benchmarks"), true));
	assert_true(cJSON_Compare(json_get(first, "confidence_scores"),
				  json_get(second, "confidence_scores"), true));
	assert_true(before > 0);
	assert_int_equal(calls(), before);
	cJSON_Delete(first);
	cJSON_Delete(second);
}

static void max_age_0_asks_the_sources_again_and_doubles_no_row(void **state)
{
	int64_t before;

	(void)state;
	cJSON_Delete(fetch(YORK));
	before = calls();
	cJSON_Delete(fetch(
		"{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"Software Engineer\",\"max_age\":0}}"));
	assert_true(calls() > before);
	bed_expect_sql("SELECT count(*) FROM salary_benchmarks", "2");
	cJSON_Delete(must(NAME("monitor_cache_performance"), monitor_cache_performance, "{}"));
	bed_expect_sql("SELECT cache_misses FROM salary_data_cache WHERE data_type = 'salary_data'",
		       "2");
}

static void after_a_flush_of_redis_the_tables_answer_and_fill_it_again(void **state)
{
	struct err e = { 0 };
	int64_t before;
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	before = calls();
	bed_must(redis_cmd(bed.redis, NULL, &e, "FLUSHDB", NULL), &e, "flush");
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	assert_true(warned(a, "answered from the database"));
	assert_int_equal(json_num(a, "data_count", 0), 2);
	cJSON_Delete(a);
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	assert_false(warned(a, "answered from the database"));
	assert_int_equal(cJSON_GetArraySize(json_get(a, "sources")), 3);
	assert_int_equal(calls(), before);
	cJSON_Delete(a);
}

static void after_a_flush_questions_that_share_rows_are_all_answered_from_the_tables(void **state)
{
	static const char DATED[] = "{\"request_data\":{\"location\":\"NYC\","
				    "\"occupation\":\"Software Engineer\",\"year\":2025}}";
	struct err e = { 0 };
	int64_t before;

	(void)state;
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch(DATED));
	before = calls();
	bed_must(redis_cmd(bed.redis, NULL, &e, "FLUSHDB", NULL), &e, "flush");
	cJSON_Delete(fetch(YORK));
	cJSON_Delete(fetch(DATED));
	assert_int_equal(calls(), before);
}

static void without_redis_answers_come_from_sources_and_tables(void **state)
{
	struct conf *real = bed.conf;
	char *url = mem_strdup(getenv("JOBFLEET_REDIS_URL"));
	struct err e = { 0 };
	cJSON *a;

	(void)state;
	setenv("JOBFLEET_REDIS_URL", "redis://127.0.0.1:1/0", 1);
	bed_must(conf_load(&bed.conf, "queues.conf", &e), &e, "conf");
	a = fetch(YORK);
	assert_false(json_bool(a, "cache_hit", true));
	assert_int_equal(json_num(a, "data_count", 0), 2);
	cJSON_Delete(a);
	a = fetch(YORK);
	assert_true(json_bool(a, "cache_hit", false));
	assert_true(warned(a, "answered from the database"));
	cJSON_Delete(a);
	cJSON_Delete(must(NAME("monitor_cache_performance"), monitor_cache_performance, "{}"));
	cJSON_Delete(must(NAME("cleanup_expired_cache"), cleanup_expired_cache, "{}"));
	conf_close(bed.conf);
	bed.conf = real;
	setenv("JOBFLEET_REDIS_URL", url, 1);
	free(url);
}

static void without_keys_bls_answers_alone_and_an_alert_is_raised(void **state)
{
	cJSON *a;

	(void)state;
	unsetenv("BLS_API_KEY");
	unsetenv("CENSUS_API_KEY");
	unsetenv("FRED_API_KEY");
	a = fetch(YORK);
	assert_int_equal(cJSON_GetArraySize(json_get(a, "sources")), 1);
	assert_true(warned(a, "census skipped: census needs a key: set CENSUS_API_KEY"));
	assert_true(warned(a, "fred skipped: fred needs a key: set FRED_API_KEY"));
	row(a, "salary_benchmarks", "bls");
	cJSON_Delete(a);
	bed_expect_sql("SELECT string_agg(subject, ',' ORDER BY subject) FROM jobfleet.alerts"
		       " WHERE name = 'provider_key_missing'", "census,fred");
	set_keys();
	a = fetch(
		"{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"Software Engineer\",\"max_age\":0}}");
	assert_int_equal(cJSON_GetArraySize(json_get(a, "sources")), 3);
	cJSON_Delete(a);
	bed_expect_sql("SELECT count(*) FROM jobfleet.alerts WHERE resolved_at IS NULL", "0");
}

static void callers_spellings_pass_and_what_is_not_split_is_told(void **state)
{
	cJSON *a = fetch(
		"{\"request_data\":{\"location\":\"Austin, TX\",\"occupation\":\"Data Scientist\","
		"\"experience_level\":\"Mid\",\"education_level\":\"Bachelor's\",\"industry\":\"Technology\","
		"\"include_market_data\":true,\"cache_strategy\":\"Aggressive\",\"colour\":\"red\"}}");
	const cJSON *bls = row(a, "salary_benchmarks", "bls");

	(void)state;
	assert_string_equal(json_str(bls, "experience_level", ""), "Mid");
	assert_string_equal(json_str(bls, "education_level", ""), "Bachelor's");
	assert_true(warned(a, "do not split"));
	assert_true(warned(a, "colour"));
	assert_string_equal(json_str(a, "cache_key", ""),
			    "salary_data:austin:data_scientist:tx:us:mid:bachelors:technology:latest");
	cJSON_Delete(a);
	bed_expect_sql("SELECT ttl_seconds BETWEEN 0.45 * 604800 AND 1.65 * 604800"
		       " FROM salary_data_cache WHERE data_type = 'salary_data'", "t");
}

static void a_city_without_a_metro_answers_from_its_state(void **state)
{
	cJSON *a = fetch(
		"{\"request_data\":{\"location\":\"Rockland, ME\",\"occupation\":\"Software Developer\"}}");
	const cJSON *bls = row(a, "salary_benchmarks", "bls");

	(void)state;
	assert_string_equal(json_str(bls, "location", ""), "Rockland, ME");
	assert_string_equal(json_str(json_get(bls, "metadata"), "level", ""), "state");
	assert_string_equal(json_str(json_get(bls, "metadata"), "area", ""), "Maine");
	assert_true(warned(a, "figures are those of Maine"));
	cJSON_Delete(a);
}

static void when_all_sources_fail_bundled_figures_answer_marked(void **state)
{
	cJSON *a;
	const cJSON *b;

	(void)state;
	bed_fault("{\"provider\":\"*\",\"kind\":\"503_html\"}");
	a = fetch(YORK);
	b = row(a, "salary_benchmarks", "fallback");
	assert_int_equal(json_num(b, "median_salary", 0), 135980);
	assert_true(json_bool(a, "fallback", false));
	assert_true(json_bool(json_get(b, "metadata"), "fallback", false));
	assert_true(warned(a, "no source answered"));
	assert_true(json_num(b, "source_confidence_score", 1) < 0.4);
	assert_true(json_num(cJSON_GetArrayItem(json_get(a, "confidence_scores"), 0),
			     "overall_confidence_score", 1) < 0.4);
	cJSON_Delete(a);
	bed_expect_sql("SELECT bool_and(ttl_seconds BETWEEN 540 AND 660) FROM salary_data_cache",
		       "t");
	bed_expect_sql("SELECT string_agg(failures::text, ',') FROM jobfleet.source_state",
		       "1,1,1");
}

static void without_the_leading_source_a_new_answer_lives_ten_minutes(void **state)
{
	(void)state;
	bed_fault("{\"provider\":\"bls\",\"kind\":\"500\"}");
	cJSON_Delete(fetch(YORK));
	bed_expect_sql("SELECT string_agg(data_source, ',') FROM salary_benchmarks", "census");
	bed_expect_sql("SELECT ttl_seconds BETWEEN 540 AND 660 FROM salary_data_cache"
		       " WHERE data_type = 'salary_data'", "t");
}

static void figures_come_in_the_money_of_the_newest_year_when_asked(void **state)
{
	cJSON *plain = fetch(YORK), *a;
	const cJSON *was = row(plain, "salary_benchmarks", "census"), *is, *how;
	double factor;

	(void)state;
	a = fetch("{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"Software Engineer\","
		  "\"adjust_for_inflation\":true}}");
	assert_true(json_bool(a, "cache_hit", false));
	is = row(a, "salary_benchmarks", "census");
	how = json_get(json_get(is, "metadata"), "adjusted");
	factor = json_num(how, "factor", 0);
	assert_true(factor > 1 && factor < 1.5);
	assert_int_equal(json_num(how, "from_year", 0), json_num(was, "year", -1));
	assert_true(json_num(how, "to_year", 0) > json_num(how, "from_year", 0));
	assert_float_equal(json_num(is, "median_salary", 0),
			   json_num(was, "median_salary", 0) * factor, 0.01);
	cJSON_Delete(plain);
	cJSON_Delete(a);
	bed_expect_sql("SELECT count(*) FROM salary_benchmarks WHERE metadata ? 'adjusted'", "0");
}

static void without_prices_figures_stay_as_they_are_and_a_warning_says_so(void **state)
{
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	bed_fault("{\"provider\":\"*\",\"kind\":\"503_html\"}");
	a = fetch("{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"Software Engineer\","
		  "\"adjust_for_inflation\":true}}");
	assert_true(warned(a, "are not adjusted"));
	assert_null(json_get(json_get(row(a, "salary_benchmarks", "census"), "metadata"),
			     "adjusted"));
	cJSON_Delete(a);
}

static void an_old_answer_is_no_answer_to_who_asks_anew(void **state)
{
	struct err e = { 0 };
	int64_t before;
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	before = calls();
	/* another task holds the lease, and ends without an answer */
	bed_must((int)pg_run(bed.pg, "INSERT INTO jobfleet.asking (query_hash, task_id, until)"
			     " SELECT cache_key, 'another', now() + interval '300 ms'"
			     " FROM salary_data_cache WHERE data_type = 'salary_data'", NULL, 0,
			     NULL, &e), &e, "lease");
	clock_fix_wall(clock_wall_us() + 5 * 1000000);
	a = must(NAME("refresh_salary_cache"), refresh_salary_cache,
		 "{\"cache_pattern\":\"salary_data:*\"}");
	clock_fix_wall(0);
	assert_int_equal(json_num(a, "refreshed", 0), 1);
	assert_true(calls() > before);
	cJSON_Delete(a);
}

static void a_used_up_day_parks_bls_and_the_others_answer(void **state)
{
	cJSON *a;

	(void)state;
	bed_fault("{\"provider\":\"bls\",\"kind\":\"bls_threshold\"}");
	a = fetch(YORK);
	row(a, "salary_benchmarks", "census");
	assert_true(warned(a, "daily number of requests is used up"));
	cJSON_Delete(a);
	bed_expect_sql(
		"SELECT parked_until > now() FROM jobfleet.source_state WHERE source = 'bls'", "t");
	a = fetch(
		"{\"request_data\":{\"location\":\"Boston, MA\",\"occupation\":\"QA Engineer\"}}");
	assert_true(warned(a, "bls skipped"));
	cJSON_Delete(a);
}

static void a_refused_key_is_never_repeated_to_anyone(void **state)
{
	cJSON *a;
	char *text;

	(void)state;
	bed_fault("{\"provider\":\"bls\",\"kind\":\"bls_invalid_key\"}");
	bed_fault("{\"provider\":\"fred\",\"kind\":\"fred_bad_key\"}");
	bed_fault("{\"provider\":\"census\",\"kind\":\"census_302_invalid\"}");
	a = fetch(YORK);
	text = json_print(a);
	assert_null(strstr(text, SECRET));
	assert_true(warned(a, "refuses the key"));
	row(a, "salary_benchmarks", "fallback");
	free(text);
	cJSON_Delete(a);
	bed_expect_sql(
		"SELECT count(*) FROM (SELECT t::text FROM salary_benchmarks t UNION ALL SELECT t::text FROM"
		" salary_data_cache t UNION ALL SELECT t::text FROM jobfleet.source_state t UNION ALL"
		" SELECT t::text FROM jobfleet.alerts t UNION ALL SELECT t::text FROM market_data t) x"
		" WHERE t LIKE '%" SECRET "%'",
		"0");
	bed_expect_sql("SELECT count(*) FROM jobfleet.alerts WHERE name = 'provider_key_refused'",
		       "3");
}

static void wrong_requests_are_refused_with_what_would_be_right(void **state)
{
	static const struct { const char *args, *says; enum err_code code; } WRONG[] = {
		{ "{\"request_data\":7}", "must be an object", ERR_INVALID },
		{ "{\"request_data\":{}}", "location is missing", ERR_INVALID },
		{ "{\"request_data\":{\"location\":\"NYC\"}}", "occupation is missing", ERR_INVALID },
		{ "{\"request_data\":{\"location\":1,\"occupation\":\"x\"}}", "must be a text", ERR_INVALID },
		{ "{\"request_data\":{\"location\":\"Xyzzyville\",\"occupation\":\"SRE\"}}", "unknown", ERR_NOT_FOUND },
		{ "{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"Wizard\"}}",
		  "did you mean", ERR_NOT_FOUND },
		{ "{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"SRE\",\"year\":\"soon\"}}",
		  "year", ERR_INVALID },
		{ "{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"SRE\",\"cache_strategy\":\"wild\"}}",
		  "standard, aggressive", ERR_INVALID },
		{ "{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"SRE\",\"max_age\":-1}}",
		  "max_age", ERR_INVALID },
		{ "{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"SRE\",\"include_market_data\":7}}",
		  "true or false", ERR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		struct err e = { 0 };
		cJSON *o = NULL;
		int r = bed_call(FETCH, fetch_salary_data, NULL, WRONG[i].args, &o, &e);

		if (r != -(int)WRONG[i].code || !strstr(e.msg, WRONG[i].says))
			fail_msg("%s: %d %s", WRONG[i].args, r, e.msg);
	}
	bed_expect_sql("SELECT count(*) FROM salary_benchmarks", "0");
}

static void a_repeat_after_a_crash_asks_no_source_again(void **state)
{
	struct err e = { 0 };
	cJSON *o = NULL;
	int64_t before;

	(void)state;
	assert_int_equal(bed_call(FETCH, fetch_salary_data, "same-task", YORK, &o, &e), 0);
	cJSON_Delete(o);
	bed_must(redis_cmd(bed.redis, NULL, &e, "FLUSHDB", NULL), &e, "flush");
	before = calls();
	assert_int_equal(bed_call(FETCH, fetch_salary_data, "same-task",
				  "{\"request_data\":{\"location\":\"NYC\","
				  "\"occupation\":\"Software Engineer\",\"max_age\":0}}",
				  &o, &e),
			 0);
	assert_int_equal(calls(), before);
	assert_int_equal(json_num(o, "data_count", 0), 2);
	cJSON_Delete(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fetch_stores_and_answers_the_figures_of_all_sources),
		TEST(a_second_call_comes_from_the_cache_however_the_place_is_spelt),
		TEST(max_age_0_asks_the_sources_again_and_doubles_no_row),
		TEST(after_a_flush_of_redis_the_tables_answer_and_fill_it_again),
		TEST(after_a_flush_questions_that_share_rows_are_all_answered_from_the_tables),
		TEST(without_redis_answers_come_from_sources_and_tables),
		TEST(without_keys_bls_answers_alone_and_an_alert_is_raised),
		TEST(callers_spellings_pass_and_what_is_not_split_is_told),
		TEST(a_city_without_a_metro_answers_from_its_state),
		TEST(when_all_sources_fail_bundled_figures_answer_marked),
		TEST(without_the_leading_source_a_new_answer_lives_ten_minutes),
		TEST(figures_come_in_the_money_of_the_newest_year_when_asked),
		TEST(without_prices_figures_stay_as_they_are_and_a_warning_says_so),
		TEST(an_old_answer_is_no_answer_to_who_asks_anew),
		TEST(a_used_up_day_parks_bls_and_the_others_answer),
		TEST(a_refused_key_is_never_repeated_to_anyone),
		TEST(wrong_requests_are_refused_with_what_would_be_right),
		TEST(a_repeat_after_a_crash_asks_no_source_again),
	};

	return cmocka_run_group_tests_name("salary tasks", tests, start, stop);
}
