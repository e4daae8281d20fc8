/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/market/score.h"

#define ROUNDS 20000

static const char *const NAMES[] = { "bls", "census", "fred", "fallback", "postings", "who?" };
static unsigned seed = 20261121;

static double chance(void)
{
	seed = seed * 1103515245u + 12345u;
	return (double)(seed >> 8) / (double)(1u << 24);
}

static struct score_evidence any_evidence(void)
{
	return (struct score_evidence){
		.source = NAMES[(size_t)(chance() * COUNT(NAMES))],
		.value = chance() < 0.1 ? 0 : 30000 + 200000 * chance(),
		.age_days = chance() < 0.1 ? -1 : 3000 * chance(),
		.half_life_days = SCORE_HALF_LIFE_PAY_DAYS,
		.sample = chance() < 0.3 ? -1 : pow(10, 6 * chance()),
		.error_percent = chance() < 0.5 ? -1 : 40 * chance(),
		.steps_wider = (int)(3 * chance()),
		.lower_bound = chance() < 0.2,
		.estimate = chance() < 0.2,
	};
}

static size_t any_set(struct score_evidence *v)
{
	size_t n = 1 + (size_t)(5 * chance());

	for (size_t i = 0; i < n; i++)
		v[i] = any_evidence();
	return n;
}

static void assert_part(double v)
{
	assert_true(v >= 0 && v <= 1);
}

static void every_part_and_the_whole_stay_between_0_and_1(void **state)
{
	struct score_evidence v[8];
	struct score s;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		score_compute(v, any_set(v), &s);
		assert_part(s.sample_size);
		assert_part(s.freshness);
		assert_part(s.reliability);
		assert_part(s.methodology);
		assert_part(s.consistency);
		assert_part(s.overall);
	}
	score_compute(v, 0, &s);
	assert_true(s.overall == 0);
}

static void the_whole_never_passes_what_its_weakest_essential_part_allows(void **state)
{
	struct score_evidence v[8];
	struct score s;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		score_compute(v, any_set(v), &s);
		assert_true(s.overall <=
			    1.25 * fmin(s.freshness, fmin(s.reliability, s.methodology)) + 1e-12);
	}
}

static double overall(const struct score_evidence *v, size_t n)
{
	struct score s;

	score_compute(v, n, &s);
	return s.overall;
}

static void better_evidence_never_lowers_the_score(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct score_evidence v = any_evidence(), better = v;
		double before = overall(&v, 1);

		switch (i % 6) {
		case 0: better.age_days = v.age_days < 0 ? 10 : v.age_days * chance(); break;
		case 1: better.sample = v.sample < 0 ? v.sample : v.sample * (1 + chance()); break;
		case 2:
			better.error_percent =
				v.error_percent < 0 ? -1 : v.error_percent * chance();
			break;
		case 3: better.steps_wider = v.steps_wider > 0 ? v.steps_wider - 1 : 0; break;
		case 4: better.lower_bound = false; break;
		default: better.estimate = false; break;
		}
		assert_true(overall(&better, 1) >= before - 1e-12);
	}
}

static void agreeing_sources_raise_and_contradicting_ones_lower_consistency(void **state)
{
	struct score_evidence v[2] = {
		{ .source = "bls", .value = 130000, .age_days = 300, .half_life_days = 730, .sample = 900,
		  .error_percent = -1 },
		{ .source = "census", .value = 131000, .age_days = 600, .half_life_days = 730, .sample = -1,
		  .error_percent = -1, .estimate = true },
	};
	struct score one, two, far;

	(void)state;
	score_compute(v, 1, &one);
	score_compute(v, 2, &two);
	v[1].value = 13000;
	score_compute(v, 2, &far);
	assert_true(one.consistency == 0.5);
	assert_true(two.consistency > 0.8);
	assert_true(far.consistency < 0.3);
	assert_true(two.overall > one.overall && one.overall > far.overall);
	assert_int_equal(two.leading, 0);
}

static void order_and_duplicates_and_units_do_not_matter(void **state)
{
	struct score_evidence v[8], other[16];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = any_set(v);
		double before = overall(v, n);

		for (size_t k = 0; k < n; k++)
			other[k] = v[n - 1 - k];
		assert_true(fabs(overall(other, n) - before) < 1e-12);
		memcpy(other, v, n * sizeof *v);
		memcpy(other + n, v, n * sizeof *v);
		assert_true(fabs(overall(other, 2 * n) - before) < 1e-12);
		for (size_t k = 0; k < n; k++) {
			other[k] = v[k];
			other[k].value *= 100;
		}
		assert_true(fabs(overall(other, n) - before) < 1e-9);
	}
}

static void a_wider_area_an_old_year_or_a_bundled_figure_score_lower(void **state)
{
	struct score_evidence good = { .source = "bls",
				       .value = 1,
				       .age_days = 200,
				       .half_life_days = 730,
				       .sample = 1000,
				       .error_percent = -1 };
	struct score_evidence wide = good, old = good, bundled = good;

	(void)state;
	wide.steps_wider = 2;
	old.age_days = 2000;
	bundled.source = "fallback";
	assert_true(overall(&good, 1) > 0.7);
	assert_true(overall(&wide, 1) < overall(&good, 1));
	assert_true(overall(&old, 1) < 0.3);
	assert_true(overall(&bundled, 1) < 0.4);
}

static void the_score_is_explained_in_words(void **state)
{
	struct score_evidence v = { .source = "fallback", .value = 1, .age_days = 900,
				    .half_life_days = 730, .sample = -1, .error_percent = -1,
				    .steps_wider = 2 };
	struct score s;
	cJSON *o;

	(void)state;
	score_compute(&v, 1, &s);
	o = score_explain(&s, &v);
	assert_string_equal(json_str(o, "leading_source", ""), "fallback");
	assert_non_null(strstr(json_str(o, "methodology", ""), "two steps wider"));
	assert_non_null(strstr(json_str(o, "overall", ""), "held down"));
	cJSON_Delete(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_and_the_whole_stay_between_0_and_1),
		cmocka_unit_test(the_whole_never_passes_what_its_weakest_essential_part_allows),
		cmocka_unit_test(better_evidence_never_lowers_the_score),
		cmocka_unit_test(agreeing_sources_raise_and_contradicting_ones_lower_consistency),
		cmocka_unit_test(order_and_duplicates_and_units_do_not_matter),
		cmocka_unit_test(a_wider_area_an_old_year_or_a_bundled_figure_score_lower),
		cmocka_unit_test(the_score_is_explained_in_words),
	};

	return cmocka_run_group_tests_name("confidence score", tests, NULL, NULL);
}
