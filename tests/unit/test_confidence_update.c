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
	assert_int_equal(bed_call(TASK, update_confidence_scores, NULL,
				  "{\"location\":\"Xyzzyville\"}", &a, &e),
			 -ERR_NOT_FOUND);
	assert_int_equal(bed_call(TASK, update_confidence_scores, NULL,
				  "{\"location\":\"NYC\",\"occupation\":\"Xyzzyer\"}", &a, &e),
			 -ERR_NOT_FOUND);
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

/* ---- what takes part ---- */

static void titles_of_one_code_lend_each_other_the_sources_they_lack(void **state)
{
	(void)state;
	put_pay("New York, NY", "Software Engineer", "bls", "150000", "200",
		"{\"soc\": \"15-1252\"}");
	put_pay("New York, NY", "Software Developers", "postings", "151000", "5",
		"{\"soc_code\": \"15-1252\"}");
	put_pay("New York, NY", "Software Developers", "fallback", "140000", "900",
		"{\"soc\": \"15-1252\"}");
	put_pay("New York, NY", "Data Scientist", "bls", "150000", "200", "{\"soc\": \"15-2051\"}");
	put_pay("Boston, MA", "Software Developers", "postings", "151000", "5",
		"{\"soc_code\": \"15-1252\"}");
	cJSON_Delete(update("{\"location\":\"NYC\", \"occupation\":\"software engineer\"}"));
	bed_expect_sql("SELECT metadata ->> 'sources' || (metadata -> 'of_other_titles')::text ||"
		       " (metadata ->> 'leading_source') FROM confidence_scores WHERE consistency_score > 0.8",
		       "2[\"postings\"]bls");
	cJSON_Delete(update("{\"location\":\"NYC\"}"));
	/* the bundled figure is lent to nobody, and is a copy of what bls says */
	bed_expect_sql(
		"SELECT string_agg(occupation || ' ' || (metadata ->> 'leading_source'), ', '"
		" ORDER BY occupation) FROM confidence_scores WHERE consistency_score > 0.8",
		"Software Developers bls, Software Engineer bls");
	bed_expect_sql("SELECT metadata ->> 'sources' FROM confidence_scores"
		       " WHERE occupation = 'Software Developers'", "3");
	bed_expect_sql(
		"SELECT consistency_score FROM confidence_scores WHERE occupation = 'Data Scientist'",
		"0.50");
}

static void the_day_and_the_error_that_a_row_states_count(void **state)
{
	(void)state;
	put_pay("Boston, MA", "A", "bls", "1", "9999",
		"{\"error_percent\": 16.5, \"employment\": 1e9}");
	free(bed_sql(
		"UPDATE salary_benchmarks SET metadata = metadata || jsonb_build_object('as_of',"
		" to_char((now() AT TIME ZONE 'UTC')::date - 1095, 'YYYY-MM-DD')) RETURNING 1"));
	cJSON_Delete(update("{\"location\":\"Boston, MA\"}"));
	bed_expect_sql(
		"SELECT sample_size_score || ' ' || data_freshness_score FROM confidence_scores",
		"0.50 0.50");
	/* what is no day and no number is unknown, and ends nothing */
	free(bed_sql("UPDATE salary_benchmarks SET data_freshness_days = NULL, metadata ="
		     " '{\"as_of\": \"2025-99-99\", \"error_percent\": \"x\", \"lower_bounds\": 7}'"
		     " RETURNING 1"));
	cJSON_Delete(update("{\"location\":\"Boston, MA\"}"));
	bed_expect_sql("SELECT sample_size_score FROM confidence_scores", "0.30");
}

static void names_with_quotes_and_blanks_pass(void **state)
{
	cJSON *a;

	(void)state;
	put_pay("{\"Nowhere\\\\\", NULL}", "O'Brien\\t\n\"caf\303\251\"", "bls", "1", "1", "{}");
	a = update("{\"location\":\"{\\\"Nowhere\\\\\\\\\\\", NULL}\"}");
	assert_int_equal(json_num(a, "scores_updated", 0), 1);
	cJSON_Delete(a);
	bed_expect_sql(
		"SELECT count(*) FROM confidence_scores JOIN salary_benchmarks USING (location,"
		" occupation)",
		"1");
}

/* ---- many ---- */

/* Three sources for each of 3 x 700 titles, so that pages end within places and within titles. */
static void put_many(void)
{
	free(bed_sql(
		"INSERT INTO salary_benchmarks (location, occupation, data_source, median_salary,"
		" year, data_freshness_days, metadata) SELECT 'Place ' || p, 'Title ' || lpad(t::text, 4,"
		" '0'), s, 50000 + 10 * t + 1000 * p, 2025, 100 + t, jsonb_build_object('soc', t / 2)"
		" FROM generate_series(1, 3) p, generate_series(1, 700) t, unnest(ARRAY['bls', 'census',"
		" 'postings']) s WHERE NOT (s = 'postings' AND t % 2 = 0) RETURNING 1"));
	free(bed_sql(
		"INSERT INTO market_data (location, occupation, data_source, unemployment_rate, year,"
		" quarter) SELECT 'Place ' || p, nullif('Title ' || t, 'Title 1300'), 'fred', 4, 2026, 1"
		" FROM generate_series(1, 3) p, generate_series(1, 1300) t RETURNING 1"));
}

static void page_by_page_is_the_same_as_place_by_place(void **state)
{
	static const char DIFFERENCE[] =
		"SELECT count(*) FROM (SELECT data_type, location, occupation, sample_size_score,"
		" consistency_score, overall_confidence_score, metadata FROM %s EXCEPT SELECT data_type,"
		" location, occupation, sample_size_score, consistency_score, overall_confidence_score,"
		" metadata FROM %s) d";
	char sql[512];
	cJSON *a;

	(void)state;
	put_many();
	a = update("{\"location\":\"*\"}");
	assert_int_equal(json_num(a, "scores_updated", 0), 3 * 700 + 3 * 1300);
	assert_int_equal(json_num(a, "scores_changed", 0), 3 * 700 + 3 * 1300);
	assert_int_equal(json_num(a, "figures", 0), 3 * 1750 + 3 * 1300);
	assert_int_equal(cJSON_GetArraySize(json_get(a, "confidence_scores")), 100);
	assert_int_equal(cJSON_GetArraySize(json_get(a, "warnings")), 0);
	cJSON_Delete(a);
	free(bed_sql("CREATE TABLE pages AS SELECT * FROM confidence_scores"));
	free(bed_sql("TRUNCATE confidence_scores"));
	cJSON_Delete(update("{\"location\":\"Place 1\"}"));
	cJSON_Delete(update("{\"location\":\"Place 2\"}"));
	cJSON_Delete(update("{\"location\":\"Place 3\"}"));
	snprintf(sql, sizeof sql, DIFFERENCE, "pages", "confidence_scores");
	bed_expect_sql(sql, "0");
	snprintf(sql, sizeof sql, DIFFERENCE, "confidence_scores", "pages");
	bed_expect_sql(sql, "0");
	/* the even titles lack postings: their neighbours of the same code lend theirs */
	bed_expect_sql("SELECT count(*) FROM confidence_scores WHERE metadata ? 'of_other_titles'",
		       "1047");
	free(bed_sql("DROP TABLE pages"));
}

static void a_row_that_stays_as_it_is_is_not_touched(void **state)
{
	cJSON *a;

	(void)state;
	put_pay("Boston, MA", "A", "bls", "120000", "200", "{}");
	put_pay("Boston, MA", "B", "bls", "120000", "200", "{}");
	cJSON_Delete(update("{\"location\":\"Boston, MA\"}"));
	free(bed_sql(
		"UPDATE salary_benchmarks SET sample_size = 10 WHERE occupation = 'B' RETURNING 1"));
	free(bed_sql("UPDATE confidence_scores SET created_at = '2000-01-01' RETURNING 1"));
	free(bed_sql(
		"CREATE TABLE before AS SELECT id, xmin::text AS version FROM confidence_scores"));
	a = update("{\"location\":\"Boston, MA\"}");
	assert_int_equal(json_num(a, "scores_updated", 0), 2);
	assert_int_equal(json_num(a, "scores_changed", 0), 1);
	assert_int_equal(cJSON_GetArraySize(json_get(a, "confidence_scores")), 2);
	cJSON_Delete(a);
	bed_expect_sql(
		"SELECT string_agg(occupation, '') FROM confidence_scores c JOIN before b USING (id)"
		" WHERE c.xmin::text <> b.version",
		"B");
	free(bed_sql("DROP TABLE before"));
}

static void a_repeat_goes_on_behind_the_last_page_that_was_kept(void **state)
{
	static const char ID[] = "7b7a2b34-5d0c-4a7e-9a39-0c8f6c1d2e11";
	struct err e = { 0 };
	cJSON *first, *again;

	(void)state;
	put_many();
	bed_must(bed_call(TASK, update_confidence_scores, ID, "{\"location\":\"*\"}", &first, &e),
		 &e, "*");
	/* as if killed before the commit of the last page of each kind, which are no steps */
	free(bed_sql("TRUNCATE confidence_scores"));
	bed_must(bed_call(TASK, update_confidence_scores, ID, "{\"location\":\"*\"}", &again, &e),
		 &e, "*");
	assert_int_equal(json_num(again, "scores_updated", 0),
			 json_num(first, "scores_updated", 1));
	assert_int_equal(json_num(again, "figures", 0), json_num(first, "figures", 1));
	bed_expect_sql("SELECT count(*) FILTER (WHERE data_type = 'salary') BETWEEN 1 AND 1000 AND"
		       " count(*) FILTER (WHERE data_type = 'market') BETWEEN 1 AND 2499 FROM confidence_scores",
		       "t");
	cJSON_Delete(first);
	cJSON_Delete(again);
}

static void an_occupation_that_fills_a_page_alone_is_told(void **state)
{
	cJSON *a;

	(void)state;
	free(bed_sql("INSERT INTO salary_benchmarks (location, occupation, industry, data_source,"
		     " median_salary, year) SELECT 'Place 1', 'Title', 'Industry ' || i, 'bls', 50000, 2025 FROM"
		     " generate_series(1, 2600) i RETURNING 1"));
	put_pay("Place 2", "Title", "bls", "1", "1", "{}");
	a = update("{\"location\":\"*\"}");
	assert_int_equal(json_num(a, "scores_updated", 0), 2501);
	assert_non_null(
		strstr(cJSON_GetArrayItem(json_get(a, "warnings"), 0)->valuestring, "left out"));
	cJSON_Delete(a);
}

static void the_nation_is_a_place_and_a_star_is_all_of_them(void **state)
{
	cJSON *a;

	(void)state;
	put_pay("Boston, MA", "A", "bls", "120000", "200", "{}");
	put_pay("United States", "A", "bls", "120000", "200", "{}");
	a = update("{\"location\":\"USA\"}");
	assert_int_equal(json_num(a, "scores_updated", 0), 1);
	cJSON_Delete(a);
	bed_expect_sql("SELECT location FROM confidence_scores", "United States");
	a = update("{\"location\":\"*\", \"occupation\":\"Plumber\"}");
	assert_int_equal(json_num(a, "scores_updated", 9), 0);
	cJSON_Delete(a);
	a = update("{\"location\":\"*\", \"occupation\":\"A\"}");
	assert_int_equal(json_num(a, "scores_updated", 0), 2);
	cJSON_Delete(a);
}

#define TEST(f) cmocka_unit_test_setup(f, bed_clean_before)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_parts_and_the_whole_are_written_with_their_reasons),
		TEST(without_an_occupation_all_of_the_place_are_scored),
		TEST(a_wider_area_a_bound_and_a_bundled_figure_score_lower),
		TEST(a_place_without_figures_is_told_and_a_wrong_call_refused),
		TEST(titles_of_one_code_lend_each_other_the_sources_they_lack),
		TEST(the_day_and_the_error_that_a_row_states_count),
		TEST(names_with_quotes_and_blanks_pass),
		TEST(page_by_page_is_the_same_as_place_by_place),
		TEST(a_row_that_stays_as_it_is_is_not_touched),
		TEST(a_repeat_goes_on_behind_the_last_page_that_was_kept),
		TEST(an_occupation_that_fills_a_page_alone_is_told),
		TEST(the_nation_is_a_place_and_a_star_is_all_of_them),
	};

	return cmocka_run_group_tests_name("confidence update", tests, bed_start_alone, bed_stop);
}
