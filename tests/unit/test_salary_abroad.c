/* SPDX-License-Identifier: MIT */
/* A place outside the United States: our own postings on a real PostgreSQL, or a clear refusal. Who
 * asked an official source would fail: nobody listens there.
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
static const char *place;

static int sources_task(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct request r;
	int code = request_make(place, "Software Engineer", &r, e);

	(void)args;
	if (code < 0)
		return code;
	findings_release(&got);
	findings_init(&got);
	code = source_all(run, &r, &got, e);
	request_release(&r);
	if (code >= 0)
		*ret = mem_check(cJSON_CreateObject());
	return code;
}

static int look(const char *at, struct err *e)
{
	cJSON *o = NULL;
	int code;

	place = at;
	code = bed_call(TASK, sources_task, NULL, "{}", &o, e);
	cJSON_Delete(o);
	return code;
}

static void a_place_abroad_without_postings_is_refused_and_no_source_is_asked(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(look("Toronto, Canada", &e), -ERR_NOT_FOUND);
	if (!strstr(e.msg, "\"Toronto, ON, CA\" is outside the United States (Canada)"))
		fail_msg("%s", e.msg);
	assert_int_equal(got.nbenchmarks, 0);
	assert_int_equal(got.nmarkets, 0);
	assert_false(got.fallback);
	assert_false(got.failed);
}

static void a_place_abroad_has_the_pay_of_its_own_postings_alone(void **state)
{
	struct err e = { 0 };

	(void)state;
	bed_must(pg_exec(bed.pg,
			 "INSERT INTO salary_benchmarks (location, occupation, median_salary, sample_size,"
			 " data_source, data_freshness_days, year, metadata) VALUES ('Toronto, ON, CA',"
			 " 'Software Developers', 98000, 44, 'postings', 3, 2026, '{\"basis\": \"x\"}')",
			 &e),
		 &e, "insert");
	bed_must(look("toronto", &e), &e, "toronto");
	assert_int_equal(got.nbenchmarks, 1);
	assert_string_equal(got.benchmarks[0].source, "postings");
	assert_int_equal(got.benchmarks[0].area.level, AREA_FOREIGN);
	assert_string_equal(area_code(&got.benchmarks[0].area), "CA");
	assert_int_equal(got.benchmarks[0].median.e4, 980000000);
	assert_int_equal(got.nmarkets, 0);
	assert_false(got.fallback);
}

static int clean(void **state)
{
	(void)state;
	bed_clean();
	return 0;
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
		TEST(a_place_abroad_without_postings_is_refused_and_no_source_is_asked),
		TEST(a_place_abroad_has_the_pay_of_its_own_postings_alone),
	};

	return cmocka_run_group_tests_name("salary abroad", tests, start, stop);
}
