/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/salary/answer.h"
#include "workers/salary/fallback.h"

static struct findings fall_back(const char *location, const char *occupation, struct request *r)
{
	struct findings f;

	assert_int_equal(request_make(location, occupation, r, NULL), 0);
	findings_init(&f);
	fallback_add(r, &f);
	return f;
}

static void release(struct findings *f, struct request *r)
{
	findings_release(f);
	request_release(r);
}

static void every_occupation_of_the_table_has_a_bundled_figure(void **state)
{
	(void)state;
	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++) {
		struct request r;
		struct findings f = fall_back("Boston", OCCUPATIONS[i].soc, &r);

		assert_true(f.fallback);
		assert_int_equal(f.nbenchmarks, 1);
		assert_true(amount_number(f.benchmarks[0].median) > 40000);
		assert_int_equal(f.benchmarks[0].steps_wider, 2);
		release(&f, &r);
	}
}

static void a_bundled_figure_is_marked_dated_and_scored_low(void **state)
{
	struct request r;
	struct findings f = fall_back("Boston", "Software Engineer", &r);
	cJSON *metadata = benchmark_metadata(&f.benchmarks[0], &r, true);
	cJSON *scores = answer_scores(&r, &f, "key"),
	      *meta = answer_meta(&r, &f, CACHE_SALARY, 1, true);

	(void)state;
	assert_true(json_bool(metadata, "fallback", false));
	assert_string_equal(json_str(metadata, "level", ""), "nation");
	assert_string_equal(json_str(metadata, "mode", ""), "development");
	assert_non_null(strstr(json_str(metadata, "note", ""), "May 2025"));
	assert_true(json_num(meta, "count", 0) == 1);
	assert_true(json_bool(meta, "fallback", false));
	assert_int_equal(cJSON_GetArraySize(scores), 1);
	cJSON_Delete(metadata);
	cJSON_Delete(scores);
	cJSON_Delete(meta);
	release(&f, &r);
}

static void a_figure_of_a_whole_group_says_so(void **state)
{
	struct request r;
	struct findings f = fall_back("Boston", "Blockchain Developer", &r);

	(void)state;
	assert_true(f.benchmarks[0].group);
	assert_non_null(strstr(f.benchmarks[0].note, "together"));
	release(&f, &r);
	f = fall_back("Boston", "Computer Programmer", &r);
	assert_false(f.benchmarks[0].group);
	release(&f, &r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_occupation_of_the_table_has_a_bundled_figure),
		cmocka_unit_test(a_bundled_figure_is_marked_dated_and_scored_low),
		cmocka_unit_test(a_figure_of_a_whole_group_says_so),
	};

	return cmocka_run_group_tests_name("salary fallback", tests, NULL, NULL);
}
