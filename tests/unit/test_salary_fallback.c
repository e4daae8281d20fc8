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
		assert_true(amount_number(f.benchmarks[0].median) > 20000);
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

/* Figures that stand in the bureau's Occupational Outlook Handbook and on its OEWS pages. */
static void bundled_figures_are_those_that_were_published(void **state)
{
	static const struct {
		const char *soc, *median;
		int year;
		enum amount_kind kind;
	} PUBLISHED[] = {
		{ "00-0000", "49500", 2024, AMOUNT_VALUE },
		{ "15-1212", "124910", 2024, AMOUNT_VALUE },
		{ "15-2051", "112590", 2024, AMOUNT_VALUE },
		{ "11-3021", "171200", 2024, AMOUNT_VALUE },
		{ "15-1221", "140910", 2024, AMOUNT_VALUE },
		{ "15-1252", "135980", 2025, AMOUNT_VALUE },
		{ "29-1242", "239200", 2024, AMOUNT_BOUND },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(PUBLISHED); i++) {
		struct request r;
		struct findings f = fall_back("Boston", PUBLISHED[i].soc, &r);
		char text[AMOUNT_TEXT_SIZE];
		const struct benchmark *b = &f.benchmarks[0];

		if (strcmp(amount_text(b->median, 0, text), PUBLISHED[i].median) != 0)
			fail_msg("%s: %s, expected %s", PUBLISHED[i].soc, text,
				 PUBLISHED[i].median);
		assert_int_equal(b->year, PUBLISHED[i].year);
		assert_int_equal(b->median.kind, PUBLISHED[i].kind);
		assert_false(b->group);
		release(&f, &r);
	}
}

static void codes_stand_once_and_in_order(void **state)
{
	(void)state;
	for (size_t i = 1; i < FALLBACK_MEDIANS_COUNT; i++)
		if (FALLBACK_MEDIANS[i].code <= FALLBACK_MEDIANS[i - 1].code)
			fail_msg("%06d", FALLBACK_MEDIANS[i].code);
	for (size_t i = 0; i < FALLBACK_MEDIANS_COUNT; i++)
		assert_true(FALLBACK_MEDIANS[i].dollars == 0 ||
			    (FALLBACK_MEDIANS[i].dollars > 20000 &&
			     FALLBACK_MEDIANS[i].dollars < FALLBACK_CEILING));
}

static void a_figure_of_a_whole_group_says_so(void **state)
{
	struct request r;
	struct findings f = fall_back("Boston", "27-2011", &r);	/* actors have no annual figure */

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
		cmocka_unit_test(bundled_figures_are_those_that_were_published),
		cmocka_unit_test(codes_stand_once_and_in_order),
		cmocka_unit_test(a_figure_of_a_whole_group_says_so),
	};

	return cmocka_run_group_tests_name("salary fallback", tests, NULL, NULL);
}
