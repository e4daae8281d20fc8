/* SPDX-License-Identifier: MIT */
/* Consumer prices from the local provider server.
 * services: shared
 * timeout: 60 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/salary_tasks.h"
#include "workers/salary/inflation.h"

static int from_year;

static int factor_task(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct inflation got = { 0 };
	int r = inflation_factor(run, from_year, &got, e);

	(void)args;
	if (r < 0)
		return r;
	*ret = mem_check(cJSON_CreateObject());
	json_set_num(*ret, "from", got.from_year);
	json_set_num(*ret, "to", got.to_year);
	json_set_num(*ret, "factor", (double)got.factor_e6);
	json_set_str(*ret, "series", got.series);
	return 0;
}

static int factor(int year, cJSON **ret, struct err *e)
{
	from_year = year;
	return bed_call(FETCH, factor_task, NULL, "{}", ret, e);
}

static void expect_factor(int year, int to, int64_t min, int64_t max, const char *series)
{
	struct err e = { 0 };
	cJSON *o = NULL;

	if (factor(year, &o, &e) < 0)
		fail_msg("%d: %s", year, e.msg);
	assert_int_equal(json_int(o, "to", 0), to);
	assert_string_equal(json_str(o, "series", ""), series);
	assert_in_range(json_int(o, "factor", 0), min, max);
	cJSON_Delete(o);
}

static void prices_of_full_years_are_compared_and_remembered(void **state)
{
	int64_t before;

	(void)state;
	/* the server's prices rise by 2.45 % a year */
	expect_factor(2024, 2025, 1023000, 1027000, "CPIAUCSL");
	before = calls();
	expect_factor(2015, 2025, 1270000, 1285000, "CPIAUCSL");
	expect_factor(2025, 2025, 1000000, 1000000, "CPIAUCSL");
	expect_factor(2026, 2025, 1000000, 1000000, "CPIAUCSL");
	assert_int_equal(calls(), before);
}

static void a_year_before_the_series_has_no_factor(void **state)
{
	struct err e = { 0 };
	cJSON *o = NULL;

	(void)state;
	assert_int_equal(factor(1900, &o, &e), -ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "1900"));
}

static void when_fred_is_silent_the_bureau_answers(void **state)
{
	static const char *const KINDS[] = { "fred_500", "fred_429", "html_200", "empty_object" };

	(void)state;
	for (size_t i = 0; i < COUNT(KINDS); i++) {
		char fault[96];

		bed_clean();
		snprintf(fault, sizeof fault, "{\"provider\":\"fred\",\"kind\":\"%s\"}", KINDS[i]);
		bed_fault(fault);
		expect_factor(2024, 2025, 990000, 1010000, "CUUR0000SA0");
	}
	bed_clean();
	unsetenv("FRED_API_KEY");
	expect_factor(2024, 2025, 990000, 1010000, "CUUR0000SA0");
	set_keys();
}

static void when_nobody_tells_the_prices_it_is_an_error_and_nothing_is_remembered(void **state)
{
	struct err e = { 0 };
	cJSON *o = NULL;

	(void)state;
	bed_fault("{\"provider\":\"*\",\"kind\":\"503_html\"}");
	assert_int_equal(factor(2024, &o, &e), -ERR_HTTP);
	free(bed_http("DELETE", "/_fault", NULL));
	expect_factor(2024, 2025, 1023000, 1027000, "CPIAUCSL");
}

static void what_stands_in_redis_under_its_name_but_is_no_prices_is_asked_anew(void **state)
{
	static const char *const JUNK[] = { "", "CPIAUCSL", "CPIAUCSL 2024:12:x 2025", ": : :",
					    "CPIAUCSL 99999:12:5 2025:3:7" };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(JUNK); i++) {
		char key[96];

		snprintf(key, sizeof key, "%sconsumer_prices", bed.conf->fleet.redis_prefix);
		bed_must(redis_cmd(bed.redis, NULL, &e, "SET", key, JUNK[i], NULL), &e, "set");
		expect_factor(2024, 2025, 1023000, 1027000, "CPIAUCSL");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(prices_of_full_years_are_compared_and_remembered),
		TEST(a_year_before_the_series_has_no_factor),
		TEST(when_fred_is_silent_the_bureau_answers),
		TEST(when_nobody_tells_the_prices_it_is_an_error_and_nothing_is_remembered),
		TEST(what_stands_in_redis_under_its_name_but_is_no_prices_is_asked_anew),
	};

	return cmocka_run_group_tests_name("salary inflation", tests, start, stop);
}
