/* SPDX-License-Identifier: MIT */
/* update_confidence_scores on a real PostgreSQL.
 * services: shared */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/handler_bed.h"
#include "workers/confidence/update.h"

#define TASK "backend.tasks.salary_data_tasks.update_confidence_scores"

static cJSON *update(const char *args)
{
	struct err e = { 0 };
	cJSON *o = NULL;

	if (bed_call(TASK, update_confidence_scores, NULL, args, &o, &e) < 0)
		fail_msg("%s: %s", args, e.msg);
	assert_string_equal(json_str(o, "status", ""), "success");
	return o;
}

static void put_pay(const char *location, const char *occupation, const char *source,
		    const char *median, const char *days, const char *metadata)
{
	struct err e = { 0 };

	bed_must(
		(int)pg_run(
			bed.pg,
			"INSERT INTO salary_benchmarks (location, occupation, data_source, median_salary,"
			" data_freshness_days, year, cache_key, metadata) VALUES ($1, $2, $3, $4, $5, 2025, 'k', $6)",
			PG_PARAMS(PG_TEXT(location), PG_TEXT(occupation), PG_TEXT(source),
				  PG_TEXT(median), PG_TEXT(days), PG_TEXT(metadata)),
			NULL, &e),
		&e, "insert");
}

static void all_parts_and_the_whole_are_written_with_their_reasons(void **state)
{
	cJSON *a;

	(void)state;
	put_pay("New York, NY", "Software Engineer", "bls", "152340.00", "200",
		"{\"steps_wider\": 0, \"employment\": 91000, \"lower_bounds\": []}");
	put_pay("New York, NY", "Software Engineer", "census", "149000.00", "300",
		"{\"group\": true}");
	a = update("{\"location\":\"NYC\",\"occupation\":\"software engineers\"}");
	assert_int_equal(json_num(a, "scores_updated", 0), 1);
	cJSON_Delete(a);
	bed_expect_sql(
		"SELECT sample_size_score > 0.5 AND data_freshness_score > 0.7 AND source_reliability_score = 0.95"
		" AND methodology_score = 0.95 AND consistency_score > 0.8 AND overall_confidence_score > 0.8"
		" FROM confidence_scores WHERE data_type = 'salary' AND location = 'New York, NY'"
		" AND occupation = 'Software Engineer' AND year = 2025",
		"t");
	bed_expect_sql("SELECT metadata ->> 'leading_source' FROM confidence_scores", "bls");
	cJSON_Delete(update("{\"location\":\"New York, NY\"}"));
	bed_expect_sql("SELECT count(*) FROM confidence_scores", "1");
}

static void without_an_occupation_all_of_the_place_are_scored(void **state)
{
	cJSON *a;

	(void)state;
	put_pay("Boston, MA", "SRE", "bls", "120000", "200", "{}");
	put_pay("Boston, MA", "Data Scientist", "bls", "130000", "200", "{}");
	put_pay("Austin, TX", "Data Scientist", "bls", "130000", "200", "{}");
	free(bed_sql(
		"INSERT INTO market_data (location, data_source, unemployment_rate, year, quarter) VALUES"
		" ('Boston, MA', 'fred', 4.2, 2026, 3) RETURNING 1"));
	a = update("{\"location\":\"Boston\"}");
	assert_int_equal(json_num(a, "scores_updated", 0), 3);
	cJSON_Delete(a);
	bed_expect_sql(
		"SELECT count(*) FROM confidence_scores WHERE data_type = 'market' AND occupation IS NULL",
		"1");
	bed_expect_sql("SELECT count(*) FROM confidence_scores WHERE location = 'Austin, TX'", "0");
}

static void a_wider_area_a_bound_and_a_bundled_figure_score_lower(void **state)
{
	(void)state;
	put_pay("Boston, MA", "A", "bls", "120000", "200", "{}");
	put_pay("Boston, MA", "B", "bls", "120000", "200", "{\"steps_wider\": 2}");
	put_pay("Boston, MA", "C", "bls", "239200", "200",
		"{\"lower_bounds\": [\"median_salary\"]}");
	put_pay("Boston, MA", "D", "fallback", "120000", "900", "{\"steps_wider\": 2}");
	put_pay("Boston, MA", "E", "somebody", "120000", "200",
		"{\"steps_wider\": \"junk\", \"employment\": [1]}");
	cJSON_Delete(update("{\"location\":\"Boston, MA\"}"));
	bed_expect_sql(
		"SELECT string_agg(occupation, '' ORDER BY overall_confidence_score DESC) FROM confidence_scores",
		"ACBDE");
	bed_expect_sql(
		"SELECT max(overall_confidence_score) < 0.4 FROM confidence_scores WHERE occupation IN ('D', 'E')",
		"t");
}

static void a_place_without_figures_is_told_and_a_wrong_call_refused(void **state)
{
	struct err e = { 0 };
	cJSON *a = update("{\"location\":\"Denver, CO\",\"occupation\":null}");

	(void)state;
	assert_int_equal(json_num(a, "scores_updated", -1), 0);
	assert_non_null(strstr(cJSON_GetArrayItem(json_get(a, "warnings"), 0)->valuestring,
			       "nothing to score"));
	cJSON_Delete(a);
	assert_int_equal(
		bed_call(TASK, update_confidence_scores, NULL, "{\"location\":\"\"}", &a, &e),
		-ERR_INVALID);
	assert_int_equal(
		bed_call(TASK, update_confidence_scores, NULL, "{\"location\":[1]}", &a, &e),
		-ERR_INVALID);
	assert_int_equal(bed_call(TASK, update_confidence_scores, NULL,
				  "{\"location\":\"NYC\",\"occupation\":7}", &a, &e),
			 -ERR_INVALID);
}

static int clean(void **state)
{
	(void)state;
	bed_clean();
	return 0;
}

static int start(void **state)
{
	(void)state;
	if (!getenv("JOBFLEET_DATABASE_URL") || !getenv("JOBFLEET_REDIS_URL"))
		return -1;
	snprintf(bed.base, sizeof bed.base, "http://127.0.0.1:9");
	bed_open();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	bed_close();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_parts_and_the_whole_are_written_with_their_reasons),
		TEST(without_an_occupation_all_of_the_place_are_scored),
		TEST(a_wider_area_a_bound_and_a_bundled_figure_score_lower),
		TEST(a_place_without_figures_is_told_and_a_wrong_call_refused),
	};

	return cmocka_run_group_tests_name("confidence update", tests, start, stop);
}
