/* SPDX-License-Identifier: MIT */
/* Cached answers past their time, and figures that stand although others come, on a real PostgreSQL
 * and Redis and the provider server.
 * services: shared
 * timeout: 120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/salary_tasks.h"

/* The wall clock stands so long after the end of what the tables call fresh. */
static void move_past_fresh(int64_t seconds)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };

	bed_must((int)pg_run(bed.pg, "SELECT ttl_seconds FROM salary_data_cache WHERE data_type ="
			     " 'salary_data'", NULL, 0, &rows, &e), &e, "ttl");
	clock_fix_wall(clock_wall_us() + (pg_int(rows, 0, 0) + seconds) * 1000000);
	pg_rows_free(rows);
}

/* Reads whose time counts for the speed of the cache. */
static int timed_reads(void)
{
	static const char COUNT_TIMED[] =
		"local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) do"
		" if redis.call('TYPE', key).ok == 'hash' then"
		"  for _, field in ipairs(redis.call('HKEYS', key)) do"
		"   if string.find(field, ':t%d+$') then n = n + 1 end end end end return n";
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	int n;

	bed_must(redis_cmd(bed.redis, &reply, &e, "EVAL", COUNT_TIMED, "0", NULL), &e, "timed");
	n = (int)reply->integer;
	redis_reply_free(reply);
	return n;
}

static void a_stale_answer_is_given_at_once_and_asked_anew_behind_it(void **state)
{
	int64_t before;
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	before = calls();
	move_past_fresh(60);
	for (int i = 0; i < 3; i++) {
		a = fetch(YORK);
		assert_true(json_bool(a, "cache_hit", false));
		assert_true(json_bool(a, "stale", false));
		assert_true(warned(a, "is being asked anew"));
		cJSON_Delete(a);
	}
	clock_fix_wall(0);
	assert_true(timed_reads() > 0);
	assert_int_equal(calls(), before);
	bed_expect_sql("SELECT count(*) || ' ' || min(queue) FROM jobfleet.pending WHERE task = '"
		       NAME("refresh_salary_cache") "'", "1 salary_data");
	bed_expect_sql("SELECT convert_from(body, 'UTF8') LIKE '[[\"salary_data:new_york:%' FROM"
		       " jobfleet.pending WHERE task = '" NAME("refresh_salary_cache") "'", "t");
}

static void another_strategys_answer_is_stale_past_the_readers_own_time(void **state)
{
	static const struct { const char *more; int after_s; bool hit, stale; } READS[] = {
		{ "\"cache_strategy\":\"conservative\"", 3500, true, false },
		{ "\"cache_strategy\":\"conservative\"", 3700, true, true },
		{ "\"cache_strategy\":\"conservative\",\"max_age\":\"2h\"", 3700, true, false },
		{ "\"cache_strategy\":\"standard\"", 3700, true, false },
		{ "\"cache_strategy\":\"conservative\"", 9600, false, false },
	};
	int64_t start_us = clock_wall_us();

	(void)state;
	clock_fix_wall(start_us);
	cJSON_Delete(fetch(YORK));
	for (size_t i = 0; i < COUNT(READS); i++) {
		char *args = mem_printf("{\"request_data\":{\"location\":\"NYC\",\"occupation\":"
					"\"Software Engineer\",%s}}", READS[i].more);
		cJSON *a;

		clock_fix_wall(start_us + INT64_C(1000000) * READS[i].after_s);
		a = fetch(args);
		if (json_bool(a, "cache_hit", false) != READS[i].hit ||
		    json_bool(a, "stale", false) != READS[i].stale)
			fail_msg("%s after %d s: hit %d, stale %d", READS[i].more,
				 READS[i].after_s, json_bool(a, "cache_hit", false),
				 json_bool(a, "stale", false));
		cJSON_Delete(a);
		free(args);
	}
	clock_fix_wall(0);
}

static void figures_whose_time_is_over_stand_in_when_no_source_answers(void **state)
{
	cJSON *a, *first = fetch(YORK);

	(void)state;
	move_past_fresh(20 * 86400);
	bed_fault("{\"provider\":\"*\",\"kind\":\"503_html\"}");
	a = fetch(YORK);
	clock_fix_wall(0);
	assert_true(json_bool(a, "stale", false));
	assert_false(json_bool(a, "fallback", true));
	assert_true(warned(a, "no source answers now: these are the figures of 20"));
	assert_int_equal(timed_reads(), 0);
	assert_true(cJSON_Compare(json_get(first, "salary_benchmarks"),
				  json_get(a, "salary_benchmarks"), true));
	cJSON_Delete(first);
	cJSON_Delete(a);
	bed_expect_sql("SELECT count(*) FROM salary_benchmarks WHERE data_source = 'fallback'",
		       "0");
}

static void what_the_leading_source_gave_stands_while_it_does_not_answer(void **state)
{
	cJSON *a, *first = fetch(YORK);
	int64_t before;

	(void)state;
	move_past_fresh(20 * 86400);
	bed_fault("{\"provider\":\"bls\",\"kind\":\"500\"}");
	a = fetch(YORK);
	assert_true(json_bool(a, "stale", false));
	assert_true(warned(a, "bls does not answer now"));
	assert_true(warned(a, "these are the figures of 20"));
	assert_true(cJSON_Compare(json_get(first, "salary_benchmarks"),
				  json_get(a, "salary_benchmarks"), true));
	assert_true(cJSON_Compare(json_get(first, "merged"), json_get(a, "merged"), true));
	cJSON_Delete(a);
	/* and for the next ten minutes nobody asks in vain */
	before = calls();
	a = fetch("{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"Software Engineer\","
		  "\"max_age\":8640000}}");
	assert_true(warned(a, "bls does not answer now"));
	assert_int_equal(calls(), before);
	cJSON_Delete(a);
	clock_fix_wall(0);
	cJSON_Delete(first);
}

#define DENVER(more) \
	"{\"request_data\":{\"location\":\"Denver\"," \
	"\"occupation\":\"Accountants and Auditors\"" more "}}"

static void what_loading_counts_is_answered_and_stays_loading_s(void **state)
{
	cJSON *a, *b;

	(void)state;
	free(bed_sql("INSERT INTO salary_benchmarks (location, occupation, median_salary,"
		     " sample_size, data_source, data_freshness_days, year, metadata) VALUES"
		     " ('Denver, CO', 'Accountants and Auditors', 90000, 55, 'postings', 3, 2026,"
		     " '{\"currency\": \"USD\", \"soc_code\": \"13-2011\", \"basis\": \"offers\"}')"));
	a = fetch(DENVER(""));
	b = fetch(DENVER(",\"max_age\":0"));
	row(b, "salary_benchmarks", "postings");
	assert_true(cJSON_Compare(json_get(a, "merged"), json_get(b, "merged"), true));
	cJSON_Delete(b);
	bed_expect_sql("SELECT concat_ws(' ', count(*), min(metadata ->> 'basis'),"
		       " min(metadata ->> 'soc_code'), min(metadata ->> 'currency'),"
		       " min(sample_size), min(median_salary)) FROM salary_benchmarks"
		       " WHERE data_source = 'postings'", "1 offers 13-2011 USD 55 90000.00");
	cJSON_Delete(a);
}

static void where_a_nearer_figure_stands_all_of_the_answer_is_about_it(void **state)
{
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	free(bed_sql("UPDATE salary_benchmarks SET median_salary = 111111, metadata = metadata ||"
		     " '{\"steps_wider\": -1}' WHERE data_source = 'bls'"));
	a = fetch("{\"request_data\":{\"location\":\"NYC\",\"occupation\":\"Software Engineer\","
		  "\"max_age\":0}}");
	assert_int_equal(json_num(row(a, "salary_benchmarks", "bls"), "median_salary", 0), 111111);
	assert_int_equal(json_num(json_get(a, "merged"), "median_salary", 0), 111111);
	cJSON_Delete(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stale_answer_is_given_at_once_and_asked_anew_behind_it),
		TEST(another_strategys_answer_is_stale_past_the_readers_own_time),
		TEST(figures_whose_time_is_over_stand_in_when_no_source_answers),
		TEST(what_the_leading_source_gave_stands_while_it_does_not_answer),
		TEST(what_loading_counts_is_answered_and_stays_loading_s),
		TEST(where_a_nearer_figure_stands_all_of_the_answer_is_about_it),
	};

	return cmocka_run_group_tests_name("salary ages", tests, start, stop);
}
