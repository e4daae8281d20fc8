/* SPDX-License-Identifier: MIT */
/* salary_tasks: what the tests of the salary tasks share beside handler_bed: keys, calls that must
 * succeed, and readings of answers. Clean tables and Redis before each test. */
#ifndef TESTS_SALARY_TASKS_H
#define TESTS_SALARY_TASKS_H

#include "tests/unit/handler_bed.h"
#include "workers/salary/fetch.h"

#define NAME(task) "backend.tasks.salary_data_tasks." task
#define FETCH NAME("fetch_salary_data")
#define SECRET "abcdef0123456789abcdef0123456789"
#define YORK \
	"{\"request_data\":{\"location\":\"New York, NY\",\"occupation\":\"Software Engineer\"}}"

static void set_keys(void)
{
	setenv("FRED_API_KEY", SECRET, 1);
	setenv("BLS_API_KEY", SECRET, 1);
	setenv("CENSUS_API_KEY", SECRET, 1);
}

static cJSON *must(const char *task, task_fn *fn, const char *args)
{
	struct err e = { 0 };
	cJSON *o = NULL;

	if (bed_call(task, fn, NULL, args, &o, &e) < 0)
		fail_msg("%s: %s", args, e.msg);
	assert_string_equal(json_str(o, "status", ""), "success");
	return o;
}

__attribute__((unused))
static cJSON *fetch(const char *args)
{
	return must(FETCH, fetch_salary_data, args);
}

__attribute__((unused))
static const cJSON *row(const cJSON *answer, const char *list, const char *source)
{
	const cJSON *r;

	cJSON_ArrayForEach(r, json_get(answer, list))
		if (strcmp(json_str(r, "data_source", ""), source) == 0)
			return r;
	fail_msg("no row of %s in %s", source, list);
	return NULL;
}

__attribute__((unused))
static bool warned(const cJSON *answer, const char *part)
{
	const cJSON *w;

	cJSON_ArrayForEach(w, json_get(answer, "warnings"))
		if (strstr(w->valuestring, part))
			return true;
	return false;
}

/* Requests that the provider server has counted, of all providers. */
__attribute__((unused))
static int64_t calls(void)
{
	char *text = bed_http("GET", "/_stats", NULL);
	cJSON *o = NULL;
	int64_t n;

	assert_int_equal(json_parse(text, strlen(text), &o, NULL), 0);
	n = json_int(o, "total", -1);
	cJSON_Delete(o);
	free(text);
	return n;
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
	set_keys();
	bed_start_server();
	bed_open();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	bed_close();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

#endif
