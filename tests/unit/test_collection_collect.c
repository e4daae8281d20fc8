/* SPDX-License-Identifier: MIT */
/* The tasks of the collection program, each called as one handler: pages, repeats, batches, files.
 * Needs JOBFLEET_DATABASE_URL (an empty database) and JOBFLEET_REDIS_URL.
 * services: shared
 * timeout: 120 */
#include "tests/unit/collection_bed.h"

#include "workers/collection/stages.h"

static void pages_are_collected_until_the_budget(void **state)
{
	cJSON *result = must(
		"{\"query\":\"software engineer\",\"location\":\"New York, NY\",\"num_pages\":3}");

	(void)state;
	check_result(result, "success", "budget");
	assert_int_equal(json_int(result, "pages", 0), 3);
	assert_int_equal(json_int(result, "api_calls_used", 0), 3);
	assert_string_equal(json_str(result, "run_id", ""), t.id);
	assert_string_equal(json_str(result, "source", ""), "jsearch");
	assert_int_equal(cJSON_GetArraySize(json_get(result, "collection_ids")), 3);
	assert_int_equal(calls(), 3);
	check_one(
		"SELECT count(*) FROM raw_job_collections WHERE processing_status = 'pending' AND NOT is_demo"
		" AND http_status = 200 AND content_type = 'application/json' AND raw_body IS NOT NULL"
		" AND query_params->>'query' = 'software engineer in New York, NY' AND error_info IS NULL"
		" AND (metadata->>'response_time_ms')::int >= 0 AND metadata->>'api_calls_used' = '1'"
		" AND metadata->>'collection_strategy' = 'on_demand' AND query_hash IS NOT NULL",
		"3");
	assert_int_equal(
		number("SELECT sum((metadata->>'job_count')::int) FROM raw_job_collections"),
		json_int(result, "job_count", -1));
	check_one("SELECT count(*) FROM jobfleet.pending p JOIN raw_job_collections r ON p.task ="
		  " 'jobfleet.process_collection' AND p.queue = 'raw_data_processing'"
		  " AND strpos(convert_from(p.body, 'UTF8'), r.collection_id::text) > 0", "3");
	check_one("SELECT used FROM jobfleet.provider_quota WHERE period = 'month'", "3");
	check_no_key_anywhere();
	cJSON_Delete(result);
}

static void all_pages_end_with_the_last_cursor(void **state)
{
	cJSON *result = must("{\"query\":\"engineer\",\"num_pages\":100}");

	(void)state;
	assert_true(json_int(result, "job_count", 0) > 50);
	assert_string_not_equal(json_str(result, "stopped", ""), "budget");
	assert_int_equal(calls(), json_int(result, "pages", 0));
	cJSON_Delete(result);
}

static void enough_results_end_the_walk(void **state)
{
	cJSON *result = must("{\"query\":\"engineer\",\"results\":15}");

	(void)state;
	assert_in_range(json_int(result, "pages", 0), 2, 3);
	assert_int_equal(calls(), json_int(result, "pages", 0));
	cJSON_Delete(result);
}

static void a_repeat_of_a_finished_run_calls_nobody(void **state)
{
	const char *args = "{\"query\":\"engineer\",\"num_pages\":4}";
	cJSON *first = must(args), *second;
	char *a, *b;

	(void)state;
	second = must(args);
	assert_int_equal(calls(), 4);
	a = json_print(first);
	b = json_print(second);
	assert_string_equal(a, b);
	check_one("SELECT count(*) FROM jobfleet.pending", "4");
	free(a);
	free(b);
	cJSON_Delete(first);
	cJSON_Delete(second);
}

static void a_repeat_goes_on_at_the_page_that_failed(void **state)
{
	const char *args = "{\"query\":\"engineer\",\"num_pages\":3}";
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	result = must("{\"query\":\"engineer\",\"num_pages\":2}");
	cJSON_Delete(result);
	tell_server("POST", "/_fault", "{\"provider\":\"jsearch\",\"kind\":\"503\",\"count\":1}");
	assert_int_equal(attempt(collect_jobs, 0, args, &result, &e), -ERR_HTTP);
	assert_in_range(e.retry_after_ms, 1000, 3000);
	assert_int_equal(calls(), 3);
	/* killed after the answer was stored and before the retry: the same attempt again */
	assert_int_equal(attempt(collect_jobs, 0, args, &result, &e), -ERR_HTTP);
	assert_int_equal(calls(), 3);
	assert_int_equal(attempt(collect_jobs, 1, args, &result, &e), 0);
	assert_int_equal(calls(), 4);
	assert_int_equal(json_int(result, "pages", 0), 3);
	check_one(
		"SELECT string_agg(processing_status || ' ' || http_status, ', ' ORDER BY timestamp)"
		" FROM raw_job_collections",
		"pending 200, pending 200, failed 503, pending 200");
	cJSON_Delete(result);
}

/* Too fast is no retry: the same attempt comes again and must ask again. */
static void a_limited_page_is_asked_for_again_in_the_same_attempt(void **state)
{
	const char *args = "{\"query\":\"engineer\",\"num_pages\":2,\"max_retries\":0}";
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"429_second\",\"count\":2}");
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(attempt(collect_jobs, 0, args, &result, &e), -ERR_LIMITED);
		assert_in_range(e.retry_after_ms, 1000, 7000);
		assert_int_equal(calls(), i);
		/* before its time nobody is called */
		assert_int_equal(attempt(collect_jobs, 0, args, &result, &e), -ERR_LIMITED);
		assert_int_equal(calls(), i);
		number("UPDATE jobfleet.source_state SET parked_until = now()");
	}
	assert_int_equal(attempt(collect_jobs, 0, args, &result, &e), 0);
	assert_int_equal(calls(), 4);
	assert_int_equal(json_int(result, "pages", 0), 2);
	check_one("SELECT string_agg(http_status::text, ' ' ORDER BY timestamp) FROM"
		  " raw_job_collections", "429 429 200 200");
	cJSON_Delete(result);
}

/* Killed between storing an answer and settling it. */

static void a_stored_answer_is_not_asked_for_again(void **state)
{
	const char *args = "{\"query\":\"engineer\",\"num_pages\":1}";
	cJSON *result = must(args);
	struct err e = { 0 };

	(void)state;
	cJSON_Delete(result);
	number("DELETE FROM jobfleet.steps WHERE step = 'jsearch q0 p1'");
	number("DELETE FROM jobfleet.pending");
	assert_int_equal(attempt(collect_jobs, 1, args, &result, &e), 0);
	assert_int_equal(calls(), 1);
	check_one("SELECT count(*) FROM jobfleet.pending", "1");
	assert_true(json_int(result, "job_count", 0) > 0);
	cJSON_Delete(result);
}

static void a_batch_goes_through_every_pair(void **state)
{
	cJSON *result =
		must("{\"query\":[\"engineer\",\"nurse\"],\"location\":[\"Austin, TX\",\"Berlin\"],"
		     "\"num_pages\":1,\"strategy\":\"scheduled\"}");

	(void)state;
	assert_string_equal(json_str(result, "status", ""), "success");
	assert_int_equal(calls(), 4);
	check_one(
		"SELECT string_agg(query_params->>'query', ', ' ORDER BY timestamp) FROM raw_job_collections",
		"engineer in Austin, TX, engineer in Berlin, nurse in Austin, TX, nurse in Berlin");
	check_one("SELECT count(*) FROM raw_job_collections WHERE query_params->>'country' = 'de'",
		  "2");
	cJSON_Delete(result);
}

static void one_refused_question_does_not_stop_a_batch(void **state)
{
	cJSON *result;

	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"400\",\"count\":1}");
	result = must("{\"query\":[\"engineer\",\"nurse\"],\"num_pages\":1}");
	assert_string_equal(json_str(result, "status", ""), "partial");
	assert_int_equal(cJSON_GetArraySize(json_get(result, "errors")), 1);
	assert_int_equal(cJSON_GetArraySize(json_get(result, "collection_ids")), 1);
	cJSON_Delete(result);
}

static void a_source_that_is_none_is_refused_by_name(void **state)
{
	static const struct { const char *args; enum err_code code; const char *text; } cases[] = {
		{ "{\"query\":\"a\",\"source\":\"nosuch\"}", ERR_INVALID, "no source \"nosuch\"" },
		{ "{\"query\":\"a\",\"source\":\"fred\"}", ERR_INVALID, "has no postings" },
		{ "{\"query\":\"\"}", ERR_INVALID, "query must not be empty" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = { 0 };
		cJSON *result;

		assert_int_equal(attempt(collect_jobs, 0, cases[i].args, &result, &e),
				 -(int)cases[i].code);
		assert_non_null(strstr(e.msg, cases[i].text));
	}
}

static void a_pipeline_answers_when_all_stages_have_ended(void **state)
{
	const char *args = "{\"query\":\"engineer\",\"results\":10}";
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	/* nobody processes: it comes again later, as no retry, and asks nobody twice */
	assert_int_equal(attempt(stages_run, 0, args, &result, &e), -ERR_LIMITED);
	assert_in_range(e.retry_after_ms, 1000, 5000);
	check_one("SELECT run_id FROM raw_job_collections", t.id);
	number("INSERT INTO job_processing_log (collection_id, status, jobs_processed, jobs_failed,"
	       " errors, jobs_loaded, jobs_merged, completed_at, loaded_at) SELECT collection_id,"
	       " 'completed', 9, 1, '[{\"error_message\": \"no title\"}]', 7, 2, now(), now()"
	       " FROM raw_job_collections");
	number("UPDATE raw_job_collections SET processing_status = 'partial'");
	assert_int_equal(attempt(stages_run, 0, args, &result, &e), 0);
	assert_int_equal(calls(), 1);
	assert_string_equal(json_str(result, "status", ""), "success");
	assert_string_equal(json_str(result, "run_id", ""), t.id);
	assert_int_equal(json_int(result, "collected", 0), 10);
	assert_int_equal(json_int(result, "processed", 0), 9);
	assert_int_equal(json_int(result, "refused", 0), 1);
	assert_int_equal(json_int(result, "loaded", 0), 7);
	assert_int_equal(json_int(result, "duplicates", 0), 2);
	assert_int_equal(cJSON_GetArraySize(json_get(result, "errors")), 1);
	assert_true(json_num(json_get(result, "timings"), "all_s", 0) > 0);
	cJSON_Delete(result);
	/* of fresh answers the counts are theirs */
	next_run();
	assert_int_equal(attempt(stages_run, 0, args, &result, &e), 0);
	assert_int_equal(calls(), 1);
	assert_int_equal(json_int(result, "loaded", 0), 7);
	assert_int_equal(json_int(result, "fresh", 0), 1);
	cJSON_Delete(result);
	number("DELETE FROM job_processing_log");
}

static void put_away(const char *id, int status, const char *body)
{
	cJSON *query = cJSON_Parse("{\"query\":\"x\"}"),
	      *metadata = cJSON_Parse("{\"job_count\":0}");
	struct raw_taken raw = { .taken_us = clock_wall_us(),
			   .provider = "jsearch",
			   .run_id = "r",
			   .query = query,
			   .metadata = metadata,
			   .content_type = "application/json",
			   .http_status = status,
			   .body = body,
			   .body_len = strlen(body),
			   .complete = true };
	char *path = NULL;

	snprintf(raw.id, sizeof raw.id, "%s", id);
	assert_int_equal(rawfile_write(t.dir, &raw, &path, NULL), 0);
	free(path);
	cJSON_Delete(query);
	cJSON_Delete(metadata);
}

static void files_are_taken_in_once(void **state)
{
	static const char body[] = "{\"status\":\"OK\",\"data\":{\"jobs\":[{\"job_id\":\"f\"}]}}";
	struct err e = { 0 };
	cJSON *result;
	char **paths;

	(void)state;
	put_away("33333333-3333-4333-8333-333333333333", 200, body);
	put_away("33333333-3333-4333-8333-333333333333", 200, body);
	put_away("44444444-4444-4444-8444-444444444444", 503, "{}");
	assert_int_equal(attempt(collect_pick_up, 0, "{}", &result, &e), 0);
	assert_int_equal(json_int(result, "picked_up", 0), 2);
	cJSON_Delete(result);
	assert_int_equal(rawfile_list(t.dir, 10, &paths), 0);
	free(paths);
	check_one(
		"SELECT string_agg(http_status || ' ' || processing_status, ', ' ORDER BY http_status)"
		" FROM raw_job_collections",
		"200 pending, 503 failed");
	check_one("SELECT count(*) FROM jobfleet.pending", "1");
	assert_int_equal(attempt(collect_pick_up, 0, "{}", &result, &e), 0);
	assert_int_equal(json_int(result, "picked_up", 9), 0);
	cJSON_Delete(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pages_are_collected_until_the_budget, clean),
		cmocka_unit_test_setup(all_pages_end_with_the_last_cursor, clean),
		cmocka_unit_test_setup(enough_results_end_the_walk, clean),
		cmocka_unit_test_setup(a_repeat_of_a_finished_run_calls_nobody, clean),
		cmocka_unit_test_setup(a_repeat_goes_on_at_the_page_that_failed, clean),
		cmocka_unit_test_setup(a_limited_page_is_asked_for_again_in_the_same_attempt,
				       clean),
		cmocka_unit_test_setup(a_stored_answer_is_not_asked_for_again, clean),
		cmocka_unit_test_setup(a_batch_goes_through_every_pair, clean),
		cmocka_unit_test_setup(one_refused_question_does_not_stop_a_batch, clean),
		cmocka_unit_test_setup(a_source_that_is_none_is_refused_by_name, clean),
		cmocka_unit_test_setup(a_pipeline_answers_when_all_stages_have_ended, clean),
		cmocka_unit_test_setup(files_are_taken_in_once, clean),
	};

	if (!getenv("JOBFLEET_DATABASE_URL")) {
		fprintf(stderr,
			"test_collection_collect: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
