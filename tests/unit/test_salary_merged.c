/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/salary/findings.h"
#include "workers/salary/merged.h"

struct figure {
	const char *source;
	int64_t dollars;
	enum amount_kind kind;
	int age_days, steps;
	bool group;
};

static char *merge(const struct figure *figures, size_t n)
{
	struct findings f;
	cJSON *o;
	char *text;

	findings_init(&f);
	for (size_t i = 0; i < n; i++) {
		struct benchmark *b = findings_benchmark(&f, figures[i].source);

		b->median = (struct amount){ figures[i].kind, figures[i].dollars * 10000 };
		b->age_days = figures[i].age_days;
		b->steps_wider = figures[i].steps;
		b->group = figures[i].group;
	}
	o = merged_make(&f);
	text = json_print(o);
	cJSON_Delete(o);
	findings_release(&f);
	return text;
}
#define MERGE(...) merge((const struct figure[]){ __VA_ARGS__ }, \
			 COUNT(((const struct figure[]){ __VA_ARGS__ })))

static void assert_merged(char *owned_got, const char *want)
{
	assert_string_equal(owned_got, want);
	free(owned_got);
}

static void one_source_stands_for_itself(void **state)
{
	(void)state;
	assert_merged(MERGE({ "bls", 131415, AMOUNT_VALUE, 400, 0, false }),
		      "{\"median_salary\":131415.00,\"lowest\":131415.00,\"highest\":131415.00,"
		      "\"lower_bound\":false,\"weights\":{\"bls\":1.0000},\"left_out\":[]}");
	assert_merged(merge(NULL, 0), "null");
}

static void the_more_reliable_and_fresher_source_weighs_more(void **state)
{
	/* reliability x method: bls 0.95 x 0.95 = 0.9025, postings 0.55 x 0.50 = 0.275 */
	char *got = MERGE({ "bls", 100000, AMOUNT_VALUE, 0, 0, false },
			  { "postings", 200000, AMOUNT_VALUE, 0, 0, false });

	(void)state;
	/* (9025 x 100000 + 2750 x 200000) / 11775 = 123354.564… */
	assert_merged(got, "{\"median_salary\":123354.56,\"lowest\":100000.00,"
			   "\"highest\":200000.00,\"lower_bound\":false,"
			   "\"weights\":{\"bls\":0.7665,\"postings\":0.2335},"
			   "\"left_out\":[]}");
}

static void a_figure_of_a_group_a_bound_and_a_bundled_one_are_left_out(void **state)
{
	(void)state;
	assert_merged(MERGE({ "census", 90000, AMOUNT_VALUE, 0, 0, true },
			    { "bls", 140000, AMOUNT_VALUE, 900, 2, false },
			    { "fallback", 70000, AMOUNT_VALUE, 900, 0, false },
			    { "indeed", 239200, AMOUNT_BOUND, 10, 0, false }),
		      "{\"median_salary\":140000.00,\"lowest\":140000.00,\"highest\":140000.00,"
		      "\"lower_bound\":false,\"weights\":{\"bls\":1.0000},"
		      "\"left_out\":[\"census\",\"fallback\",\"indeed\"]}");
	assert_merged(MERGE({ "census", 90000, AMOUNT_VALUE, 0, 0, true },
			    { "bls", 239200, AMOUNT_BOUND, 0, 0, false }),
		      "{\"median_salary\":239200.00,\"lowest\":239200.00,\"highest\":239200.00,"
		      "\"lower_bound\":true,\"weights\":{\"bls\":1.0000},"
		      "\"left_out\":[\"census\"]}");
}

static void order_does_not_matter(void **state)
{
	static const struct figure A[] = { { "bls", 101, AMOUNT_VALUE, 30, 0, false },
					   { "postings", 208, AMOUNT_VALUE, 3, 0, false } };
	static const struct figure B[] = { { "postings", 208, AMOUNT_VALUE, 3, 0, false },
					   { "bls", 101, AMOUNT_VALUE, 30, 0, false } };
	char *a = merge(A, 2), *b = merge(B, 2);

	(void)state;
	assert_int_equal(strncmp(a, b, strcspn(a, "w")), 0);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_source_stands_for_itself),
		cmocka_unit_test(the_more_reliable_and_fresher_source_weighs_more),
		cmocka_unit_test(a_figure_of_a_group_a_bound_and_a_bundled_one_are_left_out),
		cmocka_unit_test(order_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
