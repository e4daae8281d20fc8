/* SPDX-License-Identifier: MIT */
/* What our own postings tell, on a real PostgreSQL; no source is asked.
 * services: shared
 * timeout: 60 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/handler_bed.h"
#include "workers/salary/source.h"

#define TASK "backend.tasks.salary_data_tasks.fetch_salary_data"

static struct findings got;
static const char *place = "New York, NY";

static int postings_task(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct request r;
	int code = request_make(place, "Software Engineer", &r, e);

	(void)args;
	if (code < 0)
		return code;
	*ret = mem_check(cJSON_CreateObject());
	findings_release(&got);
	findings_init(&got);
	code = source_postings(run, &r, &got, e);
	request_release(&r);
	return code;
}

static void look(const char *at)
{
	struct err e = { 0 };
	cJSON *o = NULL;

	place = at;
	bed_must(bed_call(TASK, postings_task, NULL, "{}", &o, &e), &e, at);
	cJSON_Delete(o);
}

/* n postings of a place; each has pay from min to min + 20000, a thousand more than the one
 * before. */
static void post(int n, const char *city, const char *cbsa, const char *soc, const char *remote,
		 int min)
{
	struct err e = { 0 };
	char *sql = mem_printf(
		"INSERT INTO enhanced_jobs (title, company, city, state, country, remote, soc_code, dedupe_title,"
		" dedupe_key, api_provider, status, posted_at, metadata, salary_currency, salary_annual_min,"
		" salary_annual_max) SELECT 'x', 'y', '%s', 'NY', 'US', '%s', '%s', 'x', gen_random_uuid()::text,"
		" 'jsearch', 'active', now() - interval '1 day', jsonb_build_object('cbsa', '%s'), 'USD',"
		" %d + 1000 * i, %d + 1000 * i + 20000 FROM generate_series(0, %d) i", city, remote, soc, cbsa,
		min, min, n - 1);

	bed_must(pg_exec(bed.pg, sql, &e), &e, sql);
	free(sql);
}

static int clean(void **state)
{
	struct err e = { 0 };

	(void)state;
	bed_clean();
	bed_must(pg_exec(bed.pg, "TRUNCATE enhanced_jobs CASCADE", &e), &e, "truncate");
	return 0;
}

static void expect_amount(struct amount a, int decimals, const char *want)
{
	char text[AMOUNT_TEXT_SIZE];
	const char *is = amount_text(a, decimals, text);

	if (!is != !want || (is && strcmp(is, want) != 0))
		fail_msg("%s, expected %s", is ? is : "nothing", want ? want : "nothing");
}

static void too_few_postings_say_nothing(void **state)
{
	(void)state;
	post(29, "New York", "35620", "15-1252", "remote", 100000);
	look("New York, NY");
	assert_int_equal(got.nbenchmarks, 0);
	assert_int_equal(got.nmarkets, 0);
	assert_null(got.sources->child);
	assert_false(got.failed);
}

static void offers_of_a_metro_make_a_median_with_their_number(void **state)
{
	const struct benchmark *b = &got.benchmarks[0];

	(void)state;
	post(20, "New York", "35620", "15-1252", "onsite", 100000);
	post(11, "Newark", "35620", "15-1252", "onsite", 120000);
	post(40, "Albany", "10580", "15-1252", "onsite", 10000);
	look("New York, NY");
	assert_int_equal(got.nbenchmarks, 1);
	assert_string_equal(b->source, "postings");
	expect_amount(b->median, 2, "125000.00");
	assert_int_equal(b->sample, 31);
	assert_true(b->error_percent < 0);
	assert_int_equal(b->steps_wider, 0);
	assert_int_equal(b->age_days, 1);
	assert_string_equal(json_str(json_get(got.sources, "postings"), "status", ""), "ok");
}

static void what_loading_computed_for_the_city_is_taken_as_it_stands(void **state)
{
	struct err e = { 0 };

	(void)state;
	bed_must(
		pg_exec(bed.pg,
			"INSERT INTO salary_benchmarks (location, occupation, median_salary,"
			" percentile_25, sample_size, data_source, data_freshness_days, year, metadata)"
			" VALUES ('New York, NY', 'Software Developers', 151000.50, 120000, 44, 'postings', 3,"
			" 2026, '{\"basis\": \"x\"}'), ('New York, NY', 'Software Developers', 1, 1, 44,"
			" 'postings', 3, 2025, '{\"basis\": \"x\"}'), ('New York, NY', 'Software Developers',"
			" 2, 2, 29, 'postings', 3, 2027, '{\"basis\": \"x\"}')",
			&e),
		&e, "insert");
	look("NYC");
	assert_int_equal(got.nbenchmarks, 1);
	expect_amount(got.benchmarks[0].median, 2, "151000.50");
	expect_amount(got.benchmarks[0].p25, 0, "120000");
	expect_amount(got.benchmarks[0].mean, 0, NULL);
	assert_int_equal(got.benchmarks[0].sample, 44);
	assert_int_equal(got.benchmarks[0].year, 2026);
	assert_int_equal(got.benchmarks[0].age_days, 3);
}

static void demand_is_the_share_of_the_place_beside_that_of_the_nation(void **state)
{
	const struct market *m = &got.markets[0];

	(void)state;
	post(40, "New York", "35620", "15-1252", "remote", 100000);
	post(20, "New York", "35620", "15-1252", "onsite", 100000);
	post(10, "New York", "35620", "15-1252", "unknown", 100000);
	post(70, "New York", "35620", "43-4051", "onsite", 40000);
	post(210, "Albany", "10580", "43-4051", "onsite", 40000);
	look("New York, NY");
	assert_int_equal(got.nmarkets, 1);
	expect_amount(m->job_count, 0, "70");
	expect_amount(m->remote, 2, "66.67");
	/* half of the place's postings, a fifth of the nation's: (1/2) / (1/2 + 1/5) */
	expect_amount(m->demand, 4, "0.7143");
	assert_true(m->quarter >= 1 && m->quarter <= 4);
	look("United States");
	assert_int_equal(got.nmarkets, 1);
	expect_amount(m->job_count, 0, "70");
	expect_amount(m->demand, 2, NULL);
}

static void what_is_old_gone_or_made_up_does_not_count(void **state)
{
	struct err e = { 0 };

	(void)state;
	post(90, "New York", "35620", "15-1252", "remote", 100000);
	bed_must(
		pg_exec(bed.pg,
			"WITH n AS (SELECT id, row_number() OVER () AS i FROM enhanced_jobs)"
			" UPDATE enhanced_jobs j SET status = CASE WHEN i <= 30 THEN 'expired' ELSE status END,"
			" is_demo = i BETWEEN 31 AND 60, posted_at = CASE WHEN i > 60 THEN"
			" now() - interval '400 days' ELSE posted_at END FROM n WHERE n.id = j.id",
			&e),
		&e, "update");
	look("New York, NY");
	assert_int_equal(got.nmarkets, 0);
	assert_int_equal(got.nbenchmarks, 1);	/* an expired offer still says what was paid */
	assert_int_equal(got.benchmarks[0].sample, 30);
}

static int start(void **state)
{
	(void)state;
	if (!getenv("JOBFLEET_DATABASE_URL") || !getenv("JOBFLEET_REDIS_URL"))
		return -1;
	findings_init(&got);
	snprintf(bed.base, sizeof bed.base, "http://127.0.0.1:1");	/* nobody is there */
	bed_open();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	findings_release(&got);
	bed_close();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(too_few_postings_say_nothing),
		TEST(offers_of_a_metro_make_a_median_with_their_number),
		TEST(what_loading_computed_for_the_city_is_taken_as_it_stands),
		TEST(demand_is_the_share_of_the_place_beside_that_of_the_nation),
		TEST(what_is_old_gone_or_made_up_does_not_count),
	};

	return cmocka_run_group_tests_name("salary postings", tests, start, stop);
}
