/* SPDX-License-Identifier: MIT */
/* The tasks of the collection program, each called as one handler, against the local provider
 * server with faults, a real PostgreSQL and Redis (JOBFLEET_DATABASE_URL, an empty database).
 * services: shared
 * timeout: 120 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "common/worker/run_private.h"
#include "workers/collection/collect.h"
#include "workers/collection/raw.h"
#include "workers/collection/rawfile.h"

#define KEY "k3y-that-must-not-be-seen"

enum { READY_MS = 20000 };

static struct {
	struct pg *pg;
	struct http *http;
	pid_t server;
	char dir[64], base[64];
	int runs;
	char id[64];			/* of the run that is being tried */
} t;

static const struct task TASK = {
	.name = "jobfleet.collect_jobs",
	.params = PARAMS("query"),
	.fn = collect_jobs,
};

static char *ask_server(const char *method, const char *path, const char *body)
{
	char *url = mem_printf("%s%s", t.base, path), *text;
	struct http_request req = { .method = method, .url = url, .body = body,
				    .body_len = body ? strlen(body) : 0 };
	struct http_response r;
	struct err e = { 0 };

	if (http_perform(t.http, &req, &r, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
	text = buf_take(&r.body);
	http_response_release(&r);
	free(url);
	return text;
}

static void tell_server(const char *method, const char *path, const char *body)
{
	free(ask_server(method, path, body));
}

static int calls(void)
{
	char *text = ask_server("GET", "/_stats", NULL);
	cJSON *o = cJSON_Parse(text);
	int n = (int)json_int(o, "total", -1);

	cJSON_Delete(o);
	free(text);
	return n;
}

static char *one(const char *sql)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	char *text;

	if (pg_run(t.pg, sql, NULL, 0, &rows, &e) < 0)
		fail_msg("%s: %s", sql, e.msg);
	text = mem_strdup(pg_rows_count(rows) ? pg_text(rows, 0, 0) : "");
	pg_rows_free(rows);
	return text;
}

static int64_t number(const char *sql)
{
	char *text = one(sql);
	int64_t n = strtoll(text, NULL, 10);

	free(text);
	return n;
}

static void check_one(const char *sql, const char *want)
{
	char *got = one(sql);

	assert_string_equal(got, want);
	free(got);
}

static void start_server(const char *generation)
{
	char *port_file = mem_printf("%s/port", t.dir);
	int64_t end = clock_mono_ms() + READY_MS;
	int port = 0;

	unlink(port_file);
	t.server = fork();
	if (t.server == 0) {
		execl("tests/providers/server", "server", "--port-file", port_file, "--match",
		      "all", "--die-with-parent", "--generation", generation, (char *)NULL);
		_exit(127);
	}
	while (port == 0 && clock_mono_ms() < end) {
		FILE *f = fopen(port_file, "r");

		if (f && fscanf(f, "%d", &port) != 1)
			port = 0;
		if (f)
			fclose(f);
		usleep(20000);
	}
	assert_true(port > 0);
	free(port_file);
	snprintf(t.base, sizeof t.base, "http://127.0.0.1:%d", port);
	char *url = mem_printf("%s/jsearch", t.base);

	setenv("JOBFLEET_SOURCE_JSEARCH_URL", url, 1);
	free(url);
}

static void stop_server(void)
{
	kill(t.server, SIGTERM);
	waitpid(t.server, NULL, 0);
}

static int start(void **state)
{
	struct err e = { 0 };

	(void)state;
	snprintf(t.dir, sizeof t.dir, "/tmp/jobfleet-collect-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	if (pg_open(&t.pg, getenv("JOBFLEET_DATABASE_URL"), "test_collect", 5000, &e) < 0 ||
	    migrate_run(t.pg, "sql", NULL, NULL, &e) < 0 || http_open(&t.http, "test", &e) < 0)
		fail_msg("%s", e.msg);
	setenv("RAPIDAPI_KEY", KEY, 1);
	setenv("ETL_REQUESTS_PER_MINUTE", "60000", 1);
	log_set_level(LOG_LEVEL_CRITICAL);
	unsetenv("ETL_MODE");
	unsetenv("USE_DEMO_FALLBACK");
	unsetenv("JOBFLEET_BROKER_URL");	/* follow-ups are looked at in pending */
	start_server("both");
	return 0;
}

static int stop(void **state)
{
	char *command = mem_printf("rm -rf %s", t.dir);
	int r;

	(void)state;
	stop_server();
	http_close(t.http);
	pg_close(t.pg);
	r = system(command);
	free(command);
	return r;
}

static int clean(void **state)
{
	struct err e = { 0 };

	(void)state;
	if (pg_exec(t.pg,
		    "TRUNCATE raw_job_collections CASCADE; TRUNCATE jobfleet.pending, jobfleet.steps,"
		    " jobfleet.provider_quota, jobfleet.source_state, jobfleet.alerts",
		    &e) < 0)
		fail_msg("%s", e.msg);
	tell_server("DELETE", "/_fault", NULL);
	tell_server("DELETE", "/_stats", NULL);
	tell_server("POST", "/_quota", "{\"limit\":10000,\"used\":0,\"reset\":864000}");
	snprintf(t.id, sizeof t.id, "run-%d", ++t.runs);
	return 0;
}

/* One attempt of the current run. */
static int attempt(task_fn *fn, int retries, const char *text, cJSON **ret, struct err *e)
{
	cJSON *args = cJSON_Parse(text);
	struct conf *conf = NULL;
	struct run *run = NULL;
	int r;

	assert_non_null(args);
	*ret = NULL;
	if (conf_load(&conf, "queues.conf", e) < 0 || run_open(&run, conf, &TASK, t.id, e) < 0)
		fail_msg("%s", e->msg);
	conf->fleet.data_dir = t.dir;
	run->key.retries = retries;
	r = fn(run, args, ret, e);
	if (run_close(run, r == 0, r == 0 ? e : NULL) < 0)
		fail_msg("%s", e->msg);
	conf_close(conf);
	cJSON_Delete(args);
	return r;
}

static cJSON *must(const char *text)
{
	struct err e = { 0 };
	cJSON *result;

	if (attempt(collect_jobs, 0, text, &result, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	assert_non_null(result);
	return result;
}

static void check_no_key_anywhere(void)
{
	check_one("SELECT count(*) FROM (SELECT r::text AS t FROM raw_job_collections r UNION ALL"
		  " SELECT p::text || convert_from(body, 'UTF8') FROM jobfleet.pending p UNION ALL"
		  " SELECT s::text FROM jobfleet.source_state s UNION ALL"
		  " SELECT a::text FROM jobfleet.alerts a UNION ALL SELECT s::text FROM jobfleet.steps s) x"
		  " WHERE t LIKE '%" KEY "%'", "0");
}

static void check_result(const cJSON *result, const char *status, const char *stopped)
{
	assert_string_equal(json_str(result, "status", ""), status);
	assert_string_equal(json_str(result, "stopped", ""), stopped);
}

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
		{ "429_minute", ERR_LIMITED, NULL, NULL },
		{ "429_second", ERR_LIMITED, NULL, NULL },
		{ "429", ERR_LIMITED, "html", NULL },
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
	assert_int_equal(attempt(collect_jobs, 1, args, &result, &e), -ERR_REFUSED);
	assert_string_equal(err_exc_type(&e), "RetriesExhausted");
	assert_non_null(strstr(e.msg, "gave up after 2 retries"));
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

static void a_pipeline_starts_its_collection_under_its_own_id(void **state)
{
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	assert_int_equal(attempt(collect_pipeline, 0, "{\"query\":\"engineer\",\"results\":20}",
				 &result, &e),
			 0);
	assert_string_equal(json_str(result, "run_id", ""), t.id);
	assert_string_equal(json_str(result, "status", ""), "started");
	check_one("SELECT task || ' ' || queue FROM jobfleet.pending",
		  "jobfleet.collect_jobs job_collection_requests");
	char *want = mem_printf("\"run_id\":\"%s\"", t.id),
	     *body = one("SELECT convert_from(body, 'UTF8')"
			 " FROM jobfleet.pending");

	assert_non_null(strstr(body, want));
	free(want);
	free(body);
	cJSON_Delete(result);
}

static void put_away(const char *id, int status, const char *body)
{
	cJSON *query = cJSON_Parse("{\"query\":\"x\"}"),
	      *metadata = cJSON_Parse("{\"job_count\":0}");
	struct raw raw = { .taken_us = clock_wall_us(),
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

static void a_withdrawn_path_gives_way_to_the_other_one(void **state)
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
		cmocka_unit_test_setup(pages_are_collected_until_the_budget, clean),
		cmocka_unit_test_setup(all_pages_end_with_the_last_cursor, clean),
		cmocka_unit_test_setup(enough_results_end_the_walk, clean),
		cmocka_unit_test_setup(a_repeat_of_a_finished_run_calls_nobody, clean),
		cmocka_unit_test_setup(a_repeat_goes_on_at_the_page_that_failed, clean),
		cmocka_unit_test_setup(a_stored_answer_is_not_asked_for_again, clean),
		cmocka_unit_test_setup(every_fault_is_stored_and_has_its_outcome, clean),
		cmocka_unit_test_setup(odd_answers_that_are_pages_are_handed_on, clean),
		cmocka_unit_test_setup(an_answer_that_never_ends_is_a_timeout, clean),
		cmocka_unit_test_setup(a_parked_source_is_not_called, clean),
		cmocka_unit_test_setup(the_plan_running_out_leaves_what_came_before, clean),
		cmocka_unit_test_setup(retries_end_where_the_caller_said, clean),
		cmocka_unit_test_setup(a_batch_goes_through_every_pair, clean),
		cmocka_unit_test_setup(one_refused_question_does_not_stop_a_batch, clean),
		cmocka_unit_test_setup(without_a_key_production_parks_and_invents_nothing, clean),
		cmocka_unit_test_setup(without_a_key_development_has_the_sample_marked_in_every_row,
				       clean),
		cmocka_unit_test_setup(a_source_that_is_none_is_refused_by_name, clean),
		cmocka_unit_test_setup(a_pipeline_starts_its_collection_under_its_own_id, clean),
		cmocka_unit_test_setup(files_are_taken_in_once, clean),
		cmocka_unit_test_setup(a_withdrawn_path_gives_way_to_the_other_one, clean),
		cmocka_unit_test_setup(when_both_paths_are_gone_the_source_is_parked, clean),
	};

	if (!getenv("JOBFLEET_DATABASE_URL")) {
		fprintf(stderr,
			"test_collection_collect: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
