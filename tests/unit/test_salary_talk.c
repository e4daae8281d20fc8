/* SPDX-License-Identifier: MIT */
/* The conversation with all sources at once, against the local provider server.
 * services: shared
 * timeout: 120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>
#include <pthread.h>

#include "tests/unit/salary_tasks.h"

#define TIMEOUT_MS 3000

static void set_timeout(const char *source, int64_t ms)
{
	for (size_t i = 0; i < bed.conf->nsources; i++)
		if (strcmp(bed.conf->sources[i].name, source) == 0)
			bed.conf->sources[i].timeout_ms = ms;
}

static void set_timeouts(int64_t ms)
{
	set_timeout("bls", ms);
	set_timeout("census", ms);
	set_timeout("fred", ms);
}

static int64_t asked(const cJSON *stats, const char *provider)
{
	const cJSON *path;
	int64_t n = 0;

	cJSON_ArrayForEach(path, json_get(json_get(stats, "calls"), provider)) {
		const cJSON *status;

		cJSON_ArrayForEach(status, path)
			n += (int64_t)status->valuedouble;
	}
	return n;
}

/* Waits until every source has been asked, while none of them says a word. */
static void *watch(void *arg)
{
	bool *ret_all = arg;
	int64_t end = clock_mono_ms() + 60000;

	while (!*ret_all && clock_mono_ms() < end) {
		char *text = bed_http("GET", "/_stats", NULL);
		cJSON *o = NULL;

		assert_int_equal(json_parse(text, strlen(text), &o, NULL), 0);
		*ret_all = asked(o, "bls") >= 1 && asked(o, "fred") >= 2 && asked(o, "census") >= 1;
		cJSON_Delete(o);
		free(text);
		usleep(20000);
	}
	if (*ret_all)
		free(bed_http("DELETE", "/_fault", NULL));
	return NULL;
}

static void all_sources_are_asked_before_any_has_answered(void **state)
{
	pthread_t thread;
	bool all = false;
	cJSON *a;

	(void)state;
	set_timeouts(60000);
	bed_fault("{\"provider\":\"*\",\"kind\":\"hang\",\"seconds\":3,\"count\":4}");
	pthread_create(&thread, NULL, watch, &all);
	a = fetch(YORK);
	pthread_join(thread, NULL);
	assert_true(all);
	assert_int_equal(json_num(a, "data_count", 0), 2);	/* each call was made once more */
	assert_int_equal(cJSON_GetArraySize(json_get(a, "sources")), 3);
	cJSON_Delete(a);
}

static void a_silent_source_leaves_the_figures_of_the_others_and_says_so(void **state)
{
	int64_t start = clock_mono_ms();
	cJSON *a;

	(void)state;
	set_timeout("bls", 500);
	bed_fault("{\"provider\":\"bls\",\"kind\":\"delay\",\"seconds\":30}");
	a = fetch(YORK);
	assert_true(clock_mono_ms() - start < 30000);
	assert_true(warned(a, "bls failed: bls: POST"));
	assert_true(warned(a, "no whole answer in time"));
	row(a, "salary_benchmarks", "census");
	row(a, "market_data", "fred");
	cJSON_Delete(a);
	bed_expect_sql("SELECT failures FROM jobfleet.source_state WHERE source = 'bls'", "1");
}

static void half_an_answer_of_a_source_counts(void **state)
{
	const cJSON *m;
	cJSON *a;

	(void)state;
	set_timeouts(30000);
	bed_fault("{\"provider\":\"fred\",\"kind\":\"fred_500\",\"count\":1}");
	a = fetch(YORK);
	m = row(a, "market_data", "fred");
	assert_true(!json_get(m, "unemployment_rate") != !json_get(m, "cost_of_living_index"));
	assert_true(warned(a, "fred: FRED answers 500"));
	assert_int_equal(cJSON_GetArraySize(json_get(a, "sources")), 3);
	cJSON_Delete(a);
}

static void a_broken_call_is_made_once_more_and_counts_twice_in_the_quota(void **state)
{
	cJSON *a;

	(void)state;
	bed_fault("{\"provider\":\"bls\",\"kind\":\"reset\",\"count\":1}");
	a = fetch(YORK);
	row(a, "salary_benchmarks", "bls");
	cJSON_Delete(a);
	bed_expect_sql("SELECT used FROM jobfleet.provider_quota WHERE source = 'bls'"
		       " AND period = 'day'", "2");
}

static void the_repeat_of_a_broken_call_is_not_made_beyond_the_quota(void **state)
{
	cJSON *a;

	(void)state;
	cJSON_Delete(fetch(YORK));
	bed_must((int)pg_run(bed.pg, "UPDATE jobfleet.provider_quota SET used = 499"
			     " WHERE source = 'bls' AND period = 'day'", NULL, 0, NULL, NULL),
		 &(struct err){ 0 }, "quota");
	bed_fault("{\"provider\":\"bls\",\"kind\":\"reset\"}");
	free(bed_http("DELETE", "/_stats", NULL));
	a = fetch("{\"request_data\":{\"location\":\"Boston\",\"occupation\":\"DBA\"}}");
	cJSON_Delete(a);
	bed_expect_sql("SELECT used FROM jobfleet.provider_quota WHERE source = 'bls'"
		       " AND period = 'day'", "500");
}

static void a_source_that_says_too_fast_is_left_alone_for_a_while(void **state)
{
	cJSON *a;
	int64_t before;

	(void)state;
	bed_fault("{\"provider\":\"census\",\"kind\":\"429\",\"retry_after\":300}");
	bed_fault("{\"provider\":\"fred\",\"kind\":\"fred_423\"}");
	cJSON_Delete(fetch(YORK));
	bed_expect_sql("SELECT extract(epoch FROM parked_until - now()) BETWEEN 240 AND 300"
		       " FROM jobfleet.source_state WHERE source = 'census'", "t");
	bed_expect_sql("SELECT extract(epoch FROM parked_until - now()) BETWEEN 1 AND 20"
		       " FROM jobfleet.source_state WHERE source = 'fred'", "t");
	free(bed_http("DELETE", "/_fault", NULL));
	before = calls();
	a = fetch("{\"request_data\":{\"location\":\"Boston\",\"occupation\":\"DBA\"}}");
	assert_true(warned(a, "census skipped: "));
	assert_true(warned(a, "fred skipped: "));
	assert_int_equal(calls(), before + 1);
	cJSON_Delete(a);
}

static void without_a_key_bls_is_asked_25_times_a_day_and_no_more(void **state)
{
	cJSON *a;

	(void)state;
	unsetenv("BLS_API_KEY");
	cJSON_Delete(fetch(YORK));
	bed_must((int)pg_run(bed.pg, "UPDATE jobfleet.provider_quota SET used = 25"
			     " WHERE source = 'bls' AND period = 'day'", NULL, 0, NULL, NULL),
		 &(struct err){ 0 }, "quota");
	a = fetch("{\"request_data\":{\"location\":\"Boston\",\"occupation\":\"DBA\"}}");
	set_keys();
	assert_true(warned(a, "bls skipped: "));
	cJSON_Delete(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_sources_are_asked_before_any_has_answered),
		TEST(a_silent_source_leaves_the_figures_of_the_others_and_says_so),
		TEST(half_an_answer_of_a_source_counts),
		TEST(a_broken_call_is_made_once_more_and_counts_twice_in_the_quota),
		TEST(the_repeat_of_a_broken_call_is_not_made_beyond_the_quota),
		TEST(a_source_that_says_too_fast_is_left_alone_for_a_while),
		TEST(without_a_key_bls_is_asked_25_times_a_day_and_no_more),
	};

	return cmocka_run_group_tests_name("salary talk", tests, start, stop);
}
