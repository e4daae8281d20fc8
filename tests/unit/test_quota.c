/* SPDX-License-Identifier: MIT */
/* quota against a real PostgreSQL (JOBFLEET_DATABASE_URL, an empty database).
 * services: shared */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "common/store/quota.h"

static const char *url;
static struct pg *pg;

static int64_t run(const char *sql)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	int64_t n = pg_run(pg, sql, NULL, 0, &rows, &e);

	if (n < 0)
		fail_msg("%s: %s", sql, e.msg);
	n = pg_rows_count(rows) ? pg_int(rows, 0, 0) : 0;
	pg_rows_free(rows);
	return n;
}

static void load_schema(void)
{
	struct err e = { 0 };

	if (migrate_run(pg, "sql", NULL, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static int start(void **state)
{
	struct err e = { 0 };

	(void)state;
	if (pg_open(&pg, url, "test_quota", 5000, &e) < 0)
		fail_msg("%s", e.msg);
	load_schema();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	pg_close(pg);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	run("DELETE FROM jobfleet.provider_quota");
	run("DELETE FROM jobfleet.source_state");
	run("DELETE FROM jobfleet.alerts");
	return 0;
}

static void calls_are_taken_until_the_month_is_used_up(void **state)
{
	struct conf_source s = { .name = "jsearch", .monthly_quota = 10 };
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(quota_take(pg, &s, 1, &e), 0);
		assert_int_equal(
			run("SELECT count(*) FROM jobfleet.alerts WHERE name = 'quota_low'"),
			i >= 7);
	}
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_QUOTA);
	assert_in_range(e.retry_after_ms, 1, 31LL * 86400 * 1000);
	assert_int_equal(run("SELECT used FROM jobfleet.provider_quota WHERE period = 'month'"),
			 10);
	assert_int_equal(run("SELECT used FROM jobfleet.provider_quota WHERE period = 'day'"), 10);
	assert_int_equal(run("SELECT count(*) FROM jobfleet.alerts WHERE name = 'quota_used_up'"
			     " AND resolved_at IS NULL"), 1);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_PARKED);
}

static void a_take_that_one_period_refuses_takes_from_neither(void **state)
{
	struct conf_source s = { .name = "adzuna", .monthly_quota = 100, .daily_quota = 5 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(quota_take(pg, &s, 4, &e), 0);
	assert_int_equal(quota_take(pg, &s, 2, &e), -ERR_QUOTA);
	assert_in_range(e.retry_after_ms, 1, 86400 * 1000);
	assert_int_equal(run("SELECT used FROM jobfleet.provider_quota WHERE period = 'month'"), 4);
}

static void without_a_bound_calls_are_only_counted(void **state)
{
	struct conf_source s = { .name = "board" };

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(quota_take(pg, &s, 1, NULL), 0);
	assert_int_equal(run("SELECT used FROM jobfleet.provider_quota WHERE period = 'month'"),
			 20);
}

static void the_providers_figures_replace_ours(void **state)
{
	struct conf_source s = { .name = "jsearch", .monthly_quota = 200 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_correct(pg, &s, QUOTA_MONTH, 200, 2, 864000, &e), 0);
	assert_int_equal(run("SELECT used FROM jobfleet.provider_quota WHERE period = 'month'"),
			 198);
	assert_int_equal(run("SELECT count(*) FROM jobfleet.alerts WHERE name = 'quota_low'"), 1);
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_QUOTA);
	assert_in_range(e.retry_after_ms, 863990000LL, 864000000LL);
}

static void a_bigger_plan_does_not_lift_the_configured_bound(void **state)
{
	struct conf_source s = { .name = "jsearch", .monthly_quota = 3 },
			   open = { .name = "other" };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_correct(pg, &s, QUOTA_MONTH, 10000, 9998, 1000, &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_QUOTA);
	assert_int_equal(quota_take(pg, &open, 1, &e), 0);
	assert_int_equal(quota_correct(pg, &open, QUOTA_MONTH, 10, 1, 1000, &e), 0);
	assert_int_equal(quota_take(pg, &open, 1, &e), 0);
	assert_int_equal(quota_take(pg, &open, 1, &e), -ERR_QUOTA);
}

static void a_smaller_plan_than_configured_holds_and_warns(void **state)
{
	struct conf_source s = { .name = "jsearch", .monthly_quota = 200 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_correct(pg, &s, QUOTA_MONTH, 5, 4, 1000, &e), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(run("SELECT count(*) FROM jobfleet.alerts WHERE name = 'quota_low'"), 1);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_QUOTA);
}

static void a_bound_that_the_operator_raises_holds_at_once(void **state)
{
	struct conf_source s = { .name = "board", .daily_quota = 1 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	s.daily_quota = 2;
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_QUOTA);
}

static void a_new_period_starts_from_nothing(void **state)
{
	struct conf_source s = { .name = "jsearch", .monthly_quota = 2 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(quota_take(pg, &s, 2, &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_QUOTA);
	run("UPDATE jobfleet.provider_quota SET resets_at = now() - interval '1 second'");
	run("UPDATE jobfleet.source_state SET parked_until = now() - interval '1 second'");
	assert_int_equal(quota_take(pg, &s, 2, &e), 0);
	assert_int_equal(quota_succeeded(pg, "jsearch", &e), 0);
	assert_int_equal(run("SELECT count(*) FROM jobfleet.alerts WHERE resolved_at IS NULL"
			     " AND name = 'quota_used_up'"), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_QUOTA);
}

static void impossible_headers_change_nothing(void **state)
{
	static const int64_t cases[][3] = {
		{ -1, 0, 10 }, { 200, 201, 10 }, { 200, -1, 10 }, { 200, 1, 0 }, { 200, 1, 1LL << 40 },
		{ 1LL << 40, 1, 10 },
	};
	struct conf_source s = { .name = "jsearch", .monthly_quota = 200 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(quota_correct(pg, &s, QUOTA_MONTH, cases[i][0], cases[i][1],
					       cases[i][2], &e), -ERR_PROTOCOL);
	assert_int_equal(run("SELECT used FROM jobfleet.provider_quota WHERE period = 'month'"), 1);
}

static void many_processes_never_take_more_than_there_is(void **state)
{
	struct conf_source s = { .name = "jsearch", .monthly_quota = 100 };
	int taken = 0;

	(void)state;
	for (int i = 0; i < 6; i++) {
		if (fork() == 0) {
			struct pg *own = NULL;
			int n = 0;

			if (pg_open(&own, url, "test_quota", 5000, NULL) < 0)
				_exit(255);
			while (n < 200 && quota_take(own, &s, 1, NULL) == 0)
				n++;
			_exit(n);
		}
	}
	for (int i = 0, status; i < 6; i++) {
		assert_true(wait(&status) > 0 && WIFEXITED(status));
		assert_true(WEXITSTATUS(status) < 255);
		taken += WEXITSTATUS(status);
	}
	assert_int_equal(taken, 100);
	assert_int_equal(run("SELECT used FROM jobfleet.provider_quota WHERE period = 'month'"),
			 100);
}

static void a_parked_source_is_not_called_and_says_why(void **state)
{
	struct conf_source s = { .name = "jsearch" };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(quota_park(pg, "jsearch", QUOTA_FOR_EVER, "provider_key_missing",
				    "no key in RAPIDAPI_KEY", &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_PARKED);
	assert_non_null(strstr(e.msg, "no key in RAPIDAPI_KEY"));
	assert_int_equal(e.retry_after_ms, 3600000);
	assert_int_equal(quota_unpark(pg, "jsearch", "provider_key_refused", &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_PARKED);
	assert_int_equal(quota_unpark(pg, "jsearch", "provider_key_missing", &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(run("SELECT count(*) FROM jobfleet.alerts WHERE resolved_at IS NULL"), 0);
}

static void the_circuit_opens_after_five_failures_and_lets_one_probe_through(void **state)
{
	struct conf_source s = { .name = "jsearch" };
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(quota_failed(pg, "jsearch", &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_failed(pg, "jsearch", &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_AGAIN);
	assert_in_range(e.retry_after_ms, 55000, 60000);
	assert_int_equal(run("SELECT count(*) FROM jobfleet.alerts WHERE name = 'circuit_open'"),
			 1);
	run("UPDATE jobfleet.source_state SET opened_at = now() - interval '61 seconds'");
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), -ERR_AGAIN);
	assert_int_equal(quota_succeeded(pg, "jsearch", &e), 0);
	assert_int_equal(quota_take(pg, &s, 1, &e), 0);
	assert_int_equal(run("SELECT count(*) FROM jobfleet.alerts WHERE resolved_at IS NULL"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(calls_are_taken_until_the_month_is_used_up, clean),
		cmocka_unit_test_setup(a_take_that_one_period_refuses_takes_from_neither, clean),
		cmocka_unit_test_setup(without_a_bound_calls_are_only_counted, clean),
		cmocka_unit_test_setup(the_providers_figures_replace_ours, clean),
		cmocka_unit_test_setup(a_bigger_plan_does_not_lift_the_configured_bound, clean),
		cmocka_unit_test_setup(a_smaller_plan_than_configured_holds_and_warns, clean),
		cmocka_unit_test_setup(a_bound_that_the_operator_raises_holds_at_once, clean),
		cmocka_unit_test_setup(a_new_period_starts_from_nothing, clean),
		cmocka_unit_test_setup(impossible_headers_change_nothing, clean),
		cmocka_unit_test_setup(many_processes_never_take_more_than_there_is, clean),
		cmocka_unit_test_setup(a_parked_source_is_not_called_and_says_why, clean),
		cmocka_unit_test_setup(
			the_circuit_opens_after_five_failures_and_lets_one_probe_through, clean),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	if (!url) {
		fprintf(stderr, "test_quota: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
