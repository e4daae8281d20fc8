/* SPDX-License-Identifier: MIT */
/* Pay as Indeed advertises it, for who has switched the source on and has a token.
 * services: shared
 * timeout: 60 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/salary_tasks.h"

static void enable(bool on)
{
	for (size_t i = 0; i < bed.conf->nsources; i++)
		if (strcmp(bed.conf->sources[i].name, "indeed") == 0)
			bed.conf->sources[i].enabled = on;
}

static const char *status_of(const cJSON *answer)
{
	return json_str(json_get(json_get(answer, "source_details"), "indeed"), "status", "absent");
}

static void a_source_that_is_off_is_not_spoken_of(void **state)
{
	cJSON *a;

	(void)state;
	enable(false);
	a = fetch(YORK);
	assert_string_equal(status_of(a), "absent");
	assert_false(warned(a, "indeed"));
	cJSON_Delete(a);
}

static void without_a_token_it_is_skipped(void **state)
{
	cJSON *a;

	(void)state;
	enable(true);
	unsetenv("INDEED_API_KEY");
	a = fetch(YORK);
	setenv("INDEED_API_KEY", SECRET, 1);
	assert_string_equal(status_of(a), "skipped");
	assert_true(warned(a, "indeed needs a key: set INDEED_API_KEY"));
	row(a, "salary_benchmarks", "bls");
	cJSON_Delete(a);
}

static void offers_of_the_occupation_and_place_make_a_median(void **state)
{
	const cJSON *b;
	cJSON *a;

	(void)state;
	enable(true);
	bed_fault("{\"provider\":\"indeed\",\"kind\":\"indeed_offers\"}");
	a = fetch(YORK);
	b = row(a, "salary_benchmarks", "indeed");
	assert_true(json_num(b, "median_salary", 0) == 129500);
	assert_true(json_num(b, "percentile_25", 0) == 119750);
	assert_true(json_num(b, "percentile_90", 0) == 145100);
	assert_int_equal(json_num(b, "sample_size", 0), 40);
	assert_true(json_num(b, "source_confidence_score", 1) <
		    json_num(row(a, "salary_benchmarks", "bls"), "source_confidence_score", 0));
	cJSON_Delete(a);
}

static void too_few_offers_are_no_figure(void **state)
{
	cJSON *a;

	(void)state;
	enable(true);
	bed_fault("{\"provider\":\"indeed\",\"kind\":\"indeed_offers\",\"bytes\":29}");
	a = fetch(YORK);
	assert_string_equal(status_of(a), "ok");
	assert_true(warned(a, "indeed: fewer than 30 offers"));
	assert_int_equal(json_num(a, "data_count", 0), 2);
	cJSON_Delete(a);
}

static void each_refusal_is_understood_and_repeats_no_token(void **state)
{
	static const struct { const char *kind, *reason; } CASES[] = {
		{ "indeed_refused", "provider_key_refused" }, { "401", "provider_key_refused" },
		{ "429", "rate_limited" }, { "indeed_wrong", "" }, { "html_200", "" },
		{ "truncated", "" }, { "500", "" },
	};

	(void)state;
	enable(true);
	for (size_t i = 0; i < COUNT(CASES); i++) {
		char fault[96], *reason, *text;
		cJSON *a;

		bed_clean();
		snprintf(fault, sizeof fault, "{\"provider\":\"indeed\",\"kind\":\"%s\"}",
			 CASES[i].kind);
		bed_fault(fault);
		a = fetch(YORK);
		text = json_print(a);
		assert_null(strstr(text, SECRET));
		if (strcmp(status_of(a), "failed") != 0)
			fail_msg("%s: %s", CASES[i].kind, status_of(a));
		reason = bed_sql("SELECT coalesce(reason, '') FROM jobfleet.source_state"
				 " WHERE source = 'indeed'");
		if (strncmp(reason, CASES[i].reason, strlen(CASES[i].reason)) != 0)
			fail_msg("%s: %s", CASES[i].kind, reason);
		free(reason);
		free(text);
		cJSON_Delete(a);
	}
}

static int begin(void **state)
{
	int r = start(state);

	setenv("INDEED_API_KEY", SECRET, 1);
	bed_set_source("indeed");
	conf_close(bed.conf);
	bed.conf = NULL;
	return r < 0 || conf_load(&bed.conf, "queues.conf", NULL) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_source_that_is_off_is_not_spoken_of),
		TEST(without_a_token_it_is_skipped),
		TEST(offers_of_the_occupation_and_place_make_a_median),
		TEST(too_few_offers_are_no_figure),
		TEST(each_refusal_is_understood_and_repeats_no_token),
	};

	return cmocka_run_group_tests_name("salary indeed", tests, begin, stop);
}
