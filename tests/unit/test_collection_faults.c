/* SPDX-License-Identifier: MIT */
/* collect_jobs against everything that a provider can answer or do, missing keys and used-up plans.
 * Needs JOBFLEET_DATABASE_URL (an empty database) and JOBFLEET_REDIS_URL.
 * services: shared
 * timeout: 120 */
#include "tests/unit/collection_bed.h"

static void every_fault_is_stored_and_has_its_outcome(void **state)
{
	static const struct {
		const char *fault;
		enum err_code code;	/* of the first attempt; ERR_NONE: parked */
		const char *reason;	/* of raw_response being {}; NULL: it is JSON */
		const char *parked;
	} cases[] = {
		{ "400", ERR_INVALID, NULL, NULL },
		{ "401", ERR_REFUSED, NULL, "provider_key_refused" },
		{ "403", ERR_REFUSED, NULL, "provider_key_refused" },
		{ "429_minute", ERR_LIMITED, NULL, "rate_limited" },
		{ "429_second", ERR_LIMITED, NULL, "rate_limited" },
		{ "429", ERR_LIMITED, "html", "rate_limited" },
		{ "429_monthly", ERR_NONE, NULL, "quota_used_up" },
		{ "429_daily", ERR_NONE, NULL, "quota_used_up" },
		{ "500", ERR_HTTP, NULL, NULL },
		{ "502", ERR_HTTP, "html", NULL },
		{ "504", ERR_HTTP, NULL, NULL },
		{ "html_200", ERR_HTTP, "html", NULL },
		{ "html_as_json", ERR_HTTP, "html", NULL },
		{ "empty_200", ERR_HTTP, "no_body", NULL },
		{ "empty_object", ERR_HTTP, NULL, NULL },
		{ "null", ERR_HTTP, NULL, NULL },
		{ "cut", ERR_HTTP, "cut_off", NULL },
		{ "truncated", ERR_HTTP, "not_json", NULL },
		{ "deep", ERR_HTTP, "too_deep", NULL },
		{ "redirect", ERR_INVALID, "no_body", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *fault = mem_printf("{\"provider\":\"jsearch\",\"kind\":\"%s\",\"count\":1}",
					 cases[i].fault);
		struct err e = { 0 };
		cJSON *result;
		int r;

		clean(state);
		tell_server("POST", "/_fault", fault);
		r = attempt(collect_jobs, 0, "{\"query\":\"engineer\",\"num_pages\":1}", &result,
			    &e);
		if (r != -(int)cases[i].code)
			fail_msg("%s: %d %s", cases[i].fault, r, e.msg);
		if (r == 0)
			check_result(result, "parked", "parked");
		else
			assert_int_equal(e.retry_after_ms > 0, err_is_transient(e.code));
		cJSON_Delete(result);
		check_one("SELECT processing_status FROM raw_job_collections", "failed");
		check_one("SELECT coalesce(error_info->>'reason', '') FROM raw_job_collections",
			  cases[i].reason ? cases[i].reason : "");
		check_one("SELECT count(*) FROM jobfleet.pending", "0");
		check_one("SELECT coalesce(max(name), '') FROM jobfleet.alerts",
			  cases[i].parked ? cases[i].parked : "");
		check_one("SELECT count(*) FROM jobfleet.source_state WHERE parked_until > now()",
			  cases[i].parked ? "1" : "0");
		check_no_key_anywhere();
		free(fault);
	}
}

static void odd_answers_that_are_pages_are_handed_on(void **state)
{
	static const struct { const char *fault, *reason; } cases[] = {
		{ "nul", "nul" }, { "wrong_charset", "not_utf8" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *fault = mem_printf("{\"kind\":\"%s\",\"count\":1}", cases[i].fault);
		cJSON *result;

		clean(state);
		tell_server("POST", "/_fault", fault);
		result = must("{\"query\":\"engineer\"}");
		check_result(result, "success", "no_more");
		assert_int_equal(json_int(result, "job_count", 0), 1);
		check_one(
			"SELECT processing_status || ' ' || (error_info->>'reason') FROM raw_job_collections",
			i == 0 ? "pending nul" : "pending not_utf8");
		check_one("SELECT count(*) FROM jobfleet.pending", "1");
		cJSON_Delete(result);
		free(fault);
	}
}

static void an_answer_that_never_ends_is_a_timeout(void **state)
{
	static const char *const faults[] = { "{\"kind\":\"hang\",\"seconds\":0.2,\"count\":1}",
					      "{\"kind\":\"reset\",\"count\":1}" };

	for (size_t i = 0; i < COUNT(faults); i++) {
		struct err e = { 0 };
		cJSON *result;

		clean(state);
		tell_server("POST", "/_fault", faults[i]);
		assert_int_equal(attempt(collect_jobs, 0, "{\"query\":\"engineer\"}", &result, &e),
				 -ERR_NET);
		assert_in_range(e.retry_after_ms, 1000, 3000);
		assert_null(strstr(e.msg, "engineer"));
		check_one("SELECT failures FROM jobfleet.source_state", "1");
		check_one("SELECT count(*) FROM raw_job_collections", "0");
	}
}

static void short_of_time(struct conf *conf)
{
	for (size_t i = 0; i < conf->nsources; i++)
		conf->sources[i].timeout_ms = 1500;
}

static void a_request_that_timed_out_is_repeated_with_twice_the_time(void **state)
{
	const char *args = "{\"query\":\"engineer\",\"num_pages\":1}";
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	t.tune = short_of_time;
	tell_server("POST", "/_fault", "{\"kind\":\"delay\",\"seconds\":2,\"count\":2}");
	assert_int_equal(attempt(collect_jobs, 0, args, &result, &e), -ERR_TIMEOUT);
	assert_in_range(e.retry_after_ms, 1000, 3000);
	assert_int_equal(attempt(collect_jobs, 1, args, &result, &e), 0);
	assert_int_equal(calls(), 2);
	cJSON_Delete(result);
}

static void an_answer_over_its_limit_is_noted_and_not_asked_for_again(void **state)
{
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"gzip_bomb\",\"count\":1}");
	assert_int_equal(attempt(collect_jobs, 0, "{\"query\":\"engineer\"}", &result, &e),
			 -ERR_TOO_BIG);
	assert_false(err_is_transient(e.code));
	check_one("SELECT processing_status || ' ' || (error_info->>'class') || ' ' ||"
		  " octet_length(raw_response::text) FROM raw_job_collections", "failed too_big 2");
}

static void a_parked_source_is_not_called(void **state)
{
	cJSON *result;

	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"429_monthly\",\"count\":1,\"reset\":500}");
	cJSON_Delete(must("{\"query\":\"engineer\"}"));
	assert_int_equal(calls(), 1);
	snprintf(t.id, sizeof t.id, "run-%d", ++t.runs);
	result = must("{\"query\":\"engineer\"}");
	check_result(result, "parked", "parked");
	assert_in_range(json_int(result, "retry_after_s", 0), 480, 500);
	assert_int_equal(json_int(result, "api_calls_used", -1), 0);
	assert_int_equal(calls(), 1);
	cJSON_Delete(result);
}

static void the_plan_running_out_leaves_what_came_before(void **state)
{
	cJSON *result;

	(void)state;
	tell_server("POST", "/_quota", "{\"limit\":2,\"used\":0,\"reset\":1000}");
	result = must("{\"query\":\"engineer\",\"num_pages\":5}");
	check_result(result, "partial", "parked");
	assert_int_equal(json_int(result, "pages", 0), 2);
	assert_int_equal(calls(), 2);	/* the header said that nothing was left */
	check_one(
		"SELECT string_agg(name, ' ' ORDER BY name) FROM jobfleet.alerts WHERE resolved_at IS NULL",
		"quota_low quota_used_up");
	cJSON_Delete(result);
}

static void retries_end_where_the_caller_said(void **state)
{
	const char *args = "{\"query\":\"engineer\",\"max_retries\":2,\"retry_count\":1}";
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"500\"}");
	assert_int_equal(attempt(collect_jobs, 0, args, &result, &e), -ERR_HTTP);
	assert_int_equal(attempt(collect_jobs, 1, args, &result, &e), -ERR_HTTP);
	assert_string_equal(err_exc_type(&e), "RetriesExhausted");
	assert_non_null(strstr(e.msg, "gave up after 2 retries"));
}

static void without_a_key_production_parks_and_invents_nothing(void **state)
{
	cJSON *result;

	(void)state;
	unsetenv("RAPIDAPI_KEY");
	result = must("{\"query\":\"engineer\"}");
	setenv("RAPIDAPI_KEY", KEY, 1);
	check_result(result, "parked", "parked");
	assert_non_null(strstr(json_str(result, "reason", ""), "no key in RAPIDAPI_KEY"));
	cJSON_Delete(result);
	check_one("SELECT count(*) FROM raw_job_collections", "0");
	check_one("SELECT name FROM jobfleet.alerts WHERE resolved_at IS NULL",
		  "provider_key_missing");
	assert_int_equal(calls(), 0);
	/* the key is there again: so is the source */
	cJSON_Delete(must("{\"query\":\"engineer\"}"));
	check_one("SELECT count(*) FROM jobfleet.alerts WHERE resolved_at IS NULL", "0");
	assert_true(calls() > 0);
}

static void without_a_key_development_has_the_sample_marked_in_every_row(void **state)
{
	cJSON *result, *again;

	(void)state;
	unsetenv("RAPIDAPI_KEY");
	setenv("ETL_MODE", "development", 1);
	result = must("{\"query\":\"engineer\"}");
	again = must("{\"query\":\"engineer\"}");
	unsetenv("ETL_MODE");
	setenv("RAPIDAPI_KEY", KEY, 1);
	check_result(result, "success", "no_more");
	assert_true(json_bool(result, "demo", false));
	assert_true(json_int(result, "job_count", 0) >= 12);
	assert_int_equal(calls(), 0);
	check_one("SELECT count(*) || ' ' || bool_and(is_demo) FROM raw_job_collections", "1 true");
	check_one("SELECT bool_and((j->>'demo')::bool) FROM raw_job_collections,"
		  " jsonb_array_elements(raw_response->'data'->'jobs') j", "t");
	check_one("SELECT count(*) FROM jobfleet.pending", "1");
	cJSON_Delete(result);
	cJSON_Delete(again);
}

static void a_withdrawn_path_gives_way_and_repeated_pages_end_the_walk(void **state)
{
	cJSON *result;

	(void)state;
	stop_server();
	start_server("legacy");
	result = must("{\"query\":\"engineer\",\"num_pages\":3}");
	assert_int_equal(json_int(result, "pages", 0), 3);
	assert_int_equal(calls(), 4);
	check_one(
		"SELECT string_agg(http_status || ' ' || (query_params->>'url' ~ '/search$'), ', ' ORDER BY"
		" timestamp) FROM raw_job_collections",
		"404 false, 200 true, 200 true, 200 true");
	check_one("SELECT name || ' ' || level FROM jobfleet.alerts", "endpoint_withdrawn WARNING");
	cJSON_Delete(result);
	clean(state);
	tell_server("POST", "/_fault", "{\"kind\":\"nul\",\"endpoint\":\"/search\"}");
	result = must("{\"query\":\"engineer\",\"num_pages\":5}");
	check_result(result, "success", "no_new");	/* every page is the same one posting */
	assert_int_equal(json_int(result, "job_count", 0), 1);
	check_one("SELECT string_agg(processing_status, ' ' ORDER BY timestamp) FROM"
		  " raw_job_collections", "failed pending completed");
	check_one("SELECT count(*) FROM jobfleet.pending", "1");
	cJSON_Delete(result);
	stop_server();
	start_server("both");
}

static void when_both_paths_are_gone_the_source_is_parked(void **state)
{
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"404_endpoint\"}");
	assert_int_equal(attempt(collect_jobs, 0, "{\"query\":\"engineer\"}", &result, &e),
			 -ERR_REFUSED);
	assert_int_equal(calls(), 2);
	check_one("SELECT count(*) FROM jobfleet.source_state WHERE parked_until > now()"
		  " AND reason LIKE 'endpoint_gone: %'", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_fault_is_stored_and_has_its_outcome, clean),
		cmocka_unit_test_setup(odd_answers_that_are_pages_are_handed_on, clean),
		cmocka_unit_test_setup(an_answer_that_never_ends_is_a_timeout, clean),
		cmocka_unit_test_setup(a_request_that_timed_out_is_repeated_with_twice_the_time,
				       clean),
		cmocka_unit_test_setup(an_answer_over_its_limit_is_noted_and_not_asked_for_again,
				       clean),
		cmocka_unit_test_setup(a_parked_source_is_not_called, clean),
		cmocka_unit_test_setup(the_plan_running_out_leaves_what_came_before, clean),
		cmocka_unit_test_setup(retries_end_where_the_caller_said, clean),
		cmocka_unit_test_setup(without_a_key_production_parks_and_invents_nothing, clean),
		cmocka_unit_test_setup(without_a_key_development_has_the_sample_marked_in_every_row,
				       clean),
		cmocka_unit_test_setup(a_withdrawn_path_gives_way_and_repeated_pages_end_the_walk,
				       clean),
		cmocka_unit_test_setup(when_both_paths_are_gone_the_source_is_parked, clean),
	};

	if (!getenv("JOBFLEET_DATABASE_URL")) {
		fprintf(stderr,
			"test_collection_faults: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
