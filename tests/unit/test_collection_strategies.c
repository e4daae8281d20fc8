/* SPDX-License-Identifier: MIT */
/* What collect_jobs asks and what it does not: freshness, equal calls at once, schedules that
 * spread a quota, increments, several sources, backups.
 * Needs JOBFLEET_DATABASE_URL (an empty database) and JOBFLEET_REDIS_URL.
 * services: shared
 * timeout: 120 */
#include "tests/unit/collection_bed.h"

#include "common/store/quota.h"

static struct conf_source *source_of(struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->nsources; i++)
		if (strcmp(conf->sources[i].name, name) == 0)
			return &conf->sources[i];
	fail_msg("queues.conf has no source %s", name);
	return NULL;
}

/* A source that asks the local server instead of its provider. */
static struct conf_source *enable(struct conf *conf, const char *name)
{
	static char urls[8][80];
	static unsigned n;
	struct conf_source *s = source_of(conf, name);
	char *url = urls[n++ % COUNT(urls)];

	snprintf(url, sizeof urls[0], "%s/%s", t.base, name);
	s->enabled = true;
	s->base_url = url;
	s->rate_per_s = 1000;
	return s;
}

static void check_ids(const cJSON *a, const cJSON *b)
{
	char *x = json_print(json_get(a, "collection_ids")),
	     *y = json_print(json_get(b, "collection_ids"));

	assert_string_equal(x, y);
	free(x);
	free(y);
}

static void a_fresh_answer_costs_no_call(void **state)
{
	const char *args = "{\"query\":\"engineer\",\"location\":\"Austin, TX\",\"num_pages\":3}";
	cJSON *first = must(args), *second;

	(void)state;
	next_run();
	second = must(args);
	assert_int_equal(calls(), 3);
	assert_int_equal(json_int(second, "fresh", -1), 3);
	assert_int_equal(json_int(second, "api_calls_used", -1), 0);
	assert_int_equal(json_int(second, "job_count", -1), json_int(first, "job_count", 0));
	check_ids(first, second);
	check_one("SELECT count(*) FROM jobfleet.pending", "3");	/* not processed again */
	check_one("SELECT count(*) FROM jobfleet.asking", "0");
	cJSON_Delete(second);
	next_run();	/* another question */
	cJSON_Delete(must("{\"query\":\"engineer\",\"location\":\"Boston, MA\"}"));
	assert_true(calls() > 3);
	cJSON_Delete(first);
}

static void what_is_old_or_to_be_refreshed_is_asked_again(void **state)
{
	(void)state;
	cJSON_Delete(must("{\"query\":\"engineer\",\"num_pages\":1}"));
	next_run();
	cJSON_Delete(must("{\"query\":\"engineer\",\"num_pages\":1,\"refresh\":true}"));
	assert_int_equal(calls(), 2);
	number("UPDATE raw_job_collections SET timestamp = timestamp - interval '25 hours'");
	next_run();
	cJSON_Delete(must("{\"query\":\"engineer\",\"num_pages\":1}"));
	assert_int_equal(calls(), 3);
}

static void a_stored_failure_is_not_fresh(void **state)
{
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"html_200\",\"count\":1}");
	assert_int_equal(attempt(collect_jobs, 0, "{\"query\":\"nurse\"}", &result, &e), -ERR_HTTP);
	/* as if it had not been judged yet */
	number("UPDATE raw_job_collections SET processing_status = 'pending', error_info = NULL");
	next_run();
	cJSON_Delete(must("{\"query\":\"nurse\",\"num_pages\":1}"));
	assert_int_equal(calls(), 2);
}

/* Each in a process of its own, as children of a worker are. */
static void equal_calls_at_once_make_one(void **state)
{
	enum { CALLERS = 4 };
	pid_t pids[CALLERS];
	int status;

	(void)state;
	tell_server("POST", "/_fault", "{\"kind\":\"delay\",\"seconds\":0.7,\"count\":1}");
	for (int i = 0; i < CALLERS; i++) {
		next_run();
		pids[i] = fork();
		if (pids[i] == 0) {
			struct err e = { 0 };
			cJSON *result;
			int r = attempt(collect_jobs, 0, "{\"query\":\"pilot\",\"num_pages\":1}",
					&result, &e);

			_exit(r == 0 && json_int(result, "job_count", 0) == 10 ? 0 : 1);
		}
	}
	for (int i = 0; i < CALLERS; i++) {
		waitpid(pids[i], &status, 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_int_equal(calls(), 1);
	check_one("SELECT count(*) FROM jobfleet.pending", "1");
}

#define NINE \
	"{\"strategy\":\"scheduled\",\"num_pages\":1,\"query\":[\"software engineer\"," \
	"\"data scientist\",\"product manager\"],\"location\":[\"San Francisco, CA\"," \
	"\"New York, NY\",\"Seattle, WA\"]}"

static void begin_day(int day, int used)
{
	char *quota = mem_printf("{\"limit\":200,\"used\":%d,\"reset\":%d}", used,
				 (30 - day) * 86400);
	char *sql = mem_printf("UPDATE jobfleet.provider_quota SET resets_at = now() + interval"
			       " '%d days'", 30 - day);

	tell_server("POST", "/_quota", quota);
	number("UPDATE raw_job_collections SET timestamp = timestamp - interval '1 day'");
	number(sql);
	next_run();
	free(quota);
	free(sql);
}

static void a_schedule_of_nine_fits_two_hundred_calls_a_month(void **state)
{
	(void)state;
	number("INSERT INTO jobfleet.provider_quota (source, period, period_start, used, allowed,"
	       " resets_at) VALUES ('jsearch', 'month', now()::date, 0, 200, now() + '30 days')");
	for (int day = 0; day < 30; day++) {
		cJSON *result;
		const cJSON *source;

		begin_day(day, calls());
		result = must(NINE);
		source = json_get(json_get(result, "sources"), "jsearch");
		assert_string_equal(json_str(result, "status", ""), "success");
		if (day == 0) {
			assert_int_equal(json_int(source, "questions", 0), 6);
			assert_int_equal(json_int(source, "questions_in_all", 0), 9);
			assert_non_null(strstr(json_str(source, "rotated", ""),
					       "allows 6 calls today"));
		}
		cJSON_Delete(result);
	}
	assert_in_range(calls(), 180, 200);
	check_one("SELECT count(*) FROM (SELECT query_params->>'query' FROM raw_job_collections"
		  " GROUP BY 1 HAVING count(*) BETWEEN 18 AND 24) x", "9");
	check_one("SELECT count(*) FROM jobfleet.alerts WHERE name = 'quota_used_up'", "0");
}

static void a_second_run_of_a_day_has_only_what_is_left_of_it(void **state)
{
	cJSON *result;

	(void)state;
	number("INSERT INTO jobfleet.provider_quota (source, period, period_start, used, allowed,"
	       " resets_at) VALUES ('jsearch', 'month', now()::date, 0, 200, now() + '30 days')");
	begin_day(0, 0);
	cJSON_Delete(must(NINE));
	next_run();
	result = must(NINE);
	assert_int_equal(calls(), 6);
	assert_int_equal(json_int(json_get(json_get(result, "sources"), "jsearch"), "questions",
				  -1), 0);
	cJSON_Delete(result);
}

static void only_arbeitnow(struct conf *conf)
{
	source_of(conf, "jsearch")->enabled = false;
	enable(conf, "arbeitnow")->fresh_for_ms = 0;
}

static void an_unchanged_feed_is_not_processed_again(void **state)
{
	const char *args = "{\"query\":\"any\",\"strategy\":\"incremental\",\"num_pages\":1}";
	cJSON *first, *second;

	(void)state;
	t.tune = only_arbeitnow;
	first = must(args);
	assert_true(json_int(first, "job_count", 0) > 0);
	check_one("SELECT count(*) FROM jobfleet.watermarks WHERE source = 'arbeitnow'"
		  " AND succeeded_at > now() - interval '1 minute'", "1");
	next_run();
	second = must(args);
	assert_string_equal(json_str(second, "status", ""), "success");
	assert_string_equal(json_str(second, "stopped", ""), "unchanged");
	assert_int_equal(json_int(second, "unchanged", 0), 1);
	assert_int_equal(cJSON_GetArraySize(json_get(second, "collection_ids")), 0);
	check_one("SELECT string_agg(http_status || ' ' || processing_status, ', '"
		  " ORDER BY timestamp) FROM raw_job_collections", "200 pending, 304 completed");
	check_one("SELECT count(*) FROM raw_job_collections WHERE error_info IS NOT NULL", "0");
	check_one("SELECT count(*) FROM jobfleet.pending", "1");
	cJSON_Delete(second);
	/* on demand the answer that still holds is what was asked for */
	next_run();
	second = must("{\"query\":\"any\",\"num_pages\":1}");
	check_ids(first, second);
	cJSON_Delete(second);
	cJSON_Delete(first);
}

static void postings_that_are_all_known_end_an_increment(void **state)
{
	cJSON *result;

	(void)state;
	cJSON_Delete(must("{\"query\":\"engineer\",\"num_pages\":1}"));
	number("INSERT INTO enhanced_jobs (id, title, dedupe_title, dedupe_key, api_provider)"
	       " VALUES ('11111111-1111-4111-8111-111111111111', 't', 't', 'k', 'jsearch')");
	number("INSERT INTO job_sources (job_id, api_provider, external_id) SELECT"
	       " '11111111-1111-4111-8111-111111111111', 'jsearch', j->>'job_id' FROM"
	       " raw_job_collections, jsonb_array_elements(raw_response->'data'->'jobs') j");
	number("DELETE FROM jobfleet.watermarks");	/* else it asks for what came since */
	next_run();
	result = must("{\"query\":\"engineer\",\"num_pages\":5,\"strategy\":\"incremental\","
		      "\"refresh\":true}");
	assert_string_equal(json_str(result, "stopped", ""), "known");
	assert_int_equal(json_int(result, "pages", 0), 1);
	cJSON_Delete(result);
	number("DELETE FROM job_sources");
	number("DELETE FROM enhanced_jobs");
}

static void with_backup(struct conf *conf)
{
	source_of(conf, "jsearch")->backup = "arbeitnow";
	enable(conf, "arbeitnow");
}

static void a_source_that_is_down_gives_way_to_its_backup(void **state)
{
	static const char *const faults[] = {
		"{\"provider\":\"jsearch\",\"kind\":\"429_monthly\",\"count\":1,\"reset\":500}",
		"{\"provider\":\"jsearch\",\"kind\":\"403\",\"count\":1}",
		"",	/* the circuit is open */
	};

	for (size_t i = 0; i < COUNT(faults); i++) {
		cJSON *result;
		const cJSON *sources;

		clean(state);
		t.tune = with_backup;
		if (*faults[i])
			tell_server("POST", "/_fault", faults[i]);
		for (int n = 0; !*faults[i] && n < 5; n++)
			quota_failed(t.pg, "jsearch", NULL);
		result = must("{\"query\":\"engineer\",\"num_pages\":1,\"source\":\"jsearch\"}");
		sources = json_get(result, "sources");
		assert_string_equal(json_str(result, "status", ""), "success");
		assert_string_equal(json_str(json_get(sources, "jsearch"), "status", ""), "down");
		assert_string_equal(json_str(json_get(sources, "arbeitnow"), "backup_of", ""),
				    "jsearch");
		assert_true(json_int(json_get(sources, "arbeitnow"), "job_count", 0) > 0);
		cJSON_Delete(result);
	}
}

static void several(struct conf *conf)
{
	enable(conf, "arbeitnow");
	enable(conf, "greenhouse")->boards = " quillfern=Quill Fern Ltd ,otherboard, ";
	enable(conf, "adzuna");		/* has no key here */
}

static void all_sources_are_asked_each_in_its_way(void **state)
{
	cJSON *result;
	const cJSON *sources;

	(void)state;
	t.tune = several;
	result = must("{\"query\":[\"a\",\"b\"],\"source\":\"all\",\"num_pages\":1}");
	sources = json_get(result, "sources");
	assert_string_equal(json_str(result, "status", ""), "success");
	assert_string_equal(json_str(result, "source", ""),
			    "greenhouse,jsearch,adzuna,arbeitnow");
	assert_int_equal(json_int(json_get(sources, "jsearch"), "pages", 0), 2);
	assert_int_equal(json_int(json_get(sources, "arbeitnow"), "pages", 0), 1);
	assert_int_equal(json_int(json_get(sources, "greenhouse"), "pages", 0), 2);
	assert_string_equal(json_str(json_get(sources, "adzuna"), "status", ""), "skipped");
	assert_non_null(strstr(json_str(json_get(sources, "arbeitnow"), "terms", ""), "Arbeitnow"));
	check_one("SELECT name || ' ' || subject FROM jobfleet.alerts",
		  "provider_key_missing adzuna");
	check_one("SELECT count(*) FROM raw_job_collections WHERE query_params->>'board' ="
		  " 'otherboard'", "1");
	check_no_key_anywhere();
	cJSON_Delete(result);
}

static void one_source_that_fails_does_not_stop_the_others(void **state)
{
	const char *args = "{\"query\":\"a\",\"source\":[\"jsearch\",\"arbeitnow\"],"
			   "\"num_pages\":1}";
	struct err e = { 0 };
	cJSON *result;

	(void)state;
	t.tune = several;
	tell_server("POST", "/_fault", "{\"provider\":\"jsearch\",\"kind\":\"503\"}");
	assert_int_equal(attempt(collect_jobs, 0, args, &result, &e), -ERR_HTTP);
	check_one("SELECT count(*) FROM raw_job_collections WHERE api_provider = 'arbeitnow'", "1");
	assert_int_equal(attempt(collect_jobs, 3, args, &result, &e), 0);	/* the last try */
	assert_string_equal(json_str(result, "status", ""), "partial");
	assert_string_equal(json_str(json_get(json_get(result, "sources"), "jsearch"), "status",
				     ""), "failed");
	check_one("SELECT count(*) FROM raw_job_collections WHERE api_provider = 'arbeitnow'", "1");
	cJSON_Delete(result);
}

static void a_provider_that_is_too_fast_for_is_left_alone_for_longer(void **state)
{
	int64_t wait = 0;

	(void)state;
	for (int i = 0; i < 9; i++) {
		int64_t before = wait;

		assert_int_equal(quota_limited(t.pg, "x", 60, "slow down", &wait, NULL), 0);
		assert_in_range(wait, i == 0 ? 60 : before < 1800 ? 2 * before - 1 : 3600, 3600);
		number("UPDATE jobfleet.source_state SET updated_at = updated_at -"
		       " (parked_until - now()), parked_until = now()");
	}
	quota_succeeded(t.pg, "x", NULL);
	assert_int_equal(quota_limited(t.pg, "x", 60, "slow down", &wait, NULL), 0);
	assert_int_equal(wait, 60);
	/* told again while it waits: nothing new */
	assert_int_equal(quota_limited(t.pg, "x", 60, "slow down", &wait, NULL), 0);
	assert_int_equal(wait, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_fresh_answer_costs_no_call, clean),
		cmocka_unit_test_setup(what_is_old_or_to_be_refreshed_is_asked_again, clean),
		cmocka_unit_test_setup(a_stored_failure_is_not_fresh, clean),
		cmocka_unit_test_setup(equal_calls_at_once_make_one, clean),
		cmocka_unit_test_setup(a_schedule_of_nine_fits_two_hundred_calls_a_month, clean),
		cmocka_unit_test_setup(a_second_run_of_a_day_has_only_what_is_left_of_it, clean),
		cmocka_unit_test_setup(an_unchanged_feed_is_not_processed_again, clean),
		cmocka_unit_test_setup(postings_that_are_all_known_end_an_increment, clean),
		cmocka_unit_test_setup(a_source_that_is_down_gives_way_to_its_backup, clean),
		cmocka_unit_test_setup(all_sources_are_asked_each_in_its_way, clean),
		cmocka_unit_test_setup(one_source_that_fails_does_not_stop_the_others, clean),
		cmocka_unit_test_setup(a_provider_that_is_too_fast_for_is_left_alone_for_longer,
				       clean),
	};

	if (!getenv("JOBFLEET_DATABASE_URL")) {
		fprintf(stderr,
			"test_collection_strategies: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
