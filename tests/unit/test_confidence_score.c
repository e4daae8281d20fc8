/* SPDX-License-Identifier: MIT */
/* The properties that score.h states, on random sets of figures; JOBFLEET_SEED repeats one. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/market/score.h"

#define ROUNDS 20000
#define SET_MAX 8
#define EPSILON 1e-12

static const char *const NAMES[] = { "bls", "census", "fred", "fallback", "postings", "jsearch",
				     "who?", NULL };
static const double STRANGE[] = { NAN, INFINITY, -INFINITY, -1, -0.0, 0, -1e300, 1e300, DBL_MAX,
				  DBL_MIN, 4.9e-324 };
static unsigned seed;

static double chance(void)
{
	return (double)rand_r(&seed) / ((double)RAND_MAX + 1);
}

static size_t below(size_t n)
{
	return (size_t)(chance() * (double)n);
}

static struct score_evidence any_evidence(void)
{
	return (struct score_evidence){
		.source = NAMES[below(COUNT(NAMES))],
		.value = chance() < 0.1 ? 0 : 30000 + 200000 * chance(),
		.age_days = chance() < 0.1 ? -1 : 3000 * chance(),
		.half_life_days = chance() < 0.8 ? SCORE_HALF_LIFE_PAY_DAYS : 180,
		.sample = chance() < 0.3 ? -1 : pow(10, 6 * chance()) - 1,
		.error_percent = chance() < 0.5 ? -1 : 60 * chance(),
		.steps_wider = (int)below(3),
		.lower_bound = chance() < 0.2,
		.estimate = chance() < 0.2,
	};
}

static size_t any_set(struct score_evidence *v)
{
	size_t n = 1 + below(SET_MAX);

	for (size_t i = 0; i < n; i++)
		v[i] = any_evidence();
	return n;
}

static struct score score_of(const struct score_evidence *v, size_t n)
{
	struct score s;

	score_compute(v, n, &s);
	return s;
}

static double overall(const struct score_evidence *v, size_t n)
{
	return score_of(v, n).overall;
}

static void assert_near(double got, double want, double within, const char *what)
{
	if (!(fabs(got - want) <= within))
		fail_msg("%s: %.17g, expected %.17g (seed at the end of the run: %u)", what, got,
			 want, seed);
}

static void assert_same_score(const struct score *a, const struct score *b, double within)
{
	assert_near(a->sample_size, b->sample_size, within, "sample_size");
	assert_near(a->freshness, b->freshness, within, "freshness");
	assert_near(a->reliability, b->reliability, within, "reliability");
	assert_near(a->methodology, b->methodology, within, "methodology");
	assert_near(a->consistency, b->consistency, within, "consistency");
	assert_near(a->overall, b->overall, within, "overall");
}

static void assert_parts(const struct score *s)
{
	const double parts[] = { s->sample_size, s->freshness, s->reliability,
				 s->methodology, s->consistency, s->overall };

	for (size_t i = 0; i < COUNT(parts); i++)
		if (!(parts[i] >= 0 && parts[i] <= 1))
			fail_msg("part %zu: %g is not in 0..1", i, parts[i]);
}

/* ---- bounds ---- */

static void every_part_and_the_whole_stay_between_0_and_1(void **state)
{
	struct score_evidence v[SET_MAX];
	struct score s;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		s = score_of(v, any_set(v));
		assert_parts(&s);
	}
	s = score_of(v, 0);
	assert_true(s.overall == 0 && s.consistency == 0 && s.nwitnesses == 0);
}

static double strange_or(double v)
{
	return chance() < 0.5 ? STRANGE[below(COUNT(STRANGE))] : v;
}

static void no_number_however_strange_leaves_the_bounds(void **state)
{
	struct score_evidence v[SET_MAX];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = any_set(v);
		struct score s;
		cJSON *words;

		for (size_t k = 0; k < n; k++) {
			v[k].value = strange_or(v[k].value);
			v[k].age_days = strange_or(v[k].age_days);
			v[k].half_life_days = strange_or(v[k].half_life_days);
			v[k].sample = strange_or(v[k].sample);
			v[k].error_percent = strange_or(v[k].error_percent);
			v[k].steps_wider = chance() < 0.2 ? (chance() < 0.5 ? INT32_MIN : INT32_MAX)
							  : v[k].steps_wider;
		}
		s = score_of(v, n);
		assert_parts(&s);
		words = score_explain(&s, v);
		assert_non_null(json_get(words, "overall"));
		cJSON_Delete(words);
	}
}

static void what_is_no_number_counts_as_unknown(void **state)
{
	struct score_evidence known = { .source = "bls", .value = 1, .age_days = -1, .sample = -1,
					.error_percent = -1, .half_life_days = 1095 };
	struct score want = score_of(&known, 1), got;

	(void)state;
	known.age_days = known.sample = known.error_percent = NAN;
	got = score_of(&known, 1);
	assert_same_score(&got, &want, 0);
	known.age_days = INFINITY;
	assert_true(overall(&known, 1) == 0);
	known.age_days = 0;
	known.error_percent = INFINITY;
	assert_true(score_of(&known, 1).sample_size == 0);
	assert_true(overall(&known, 1) <= 0.5);
}

static void the_whole_never_passes_what_its_weakest_essential_part_allows(void **state)
{
	struct score_evidence v[SET_MAX];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct score s = score_of(v, any_set(v));

		assert_true(s.overall <= fmin(s.freshness, fmin(s.reliability, s.methodology)));
		assert_true(s.overall <= 0.5 + s.sample_size);
		assert_true(s.overall <= 0.5 + s.consistency);
	}
}

/* ---- monotone ---- */

static void improve(struct score_evidence *v, int how)
{
	switch (how) {
	case 0: v->age_days = v->age_days < 0 ? -1 : v->age_days * chance(); break;
	case 1: v->sample = v->sample < 0 ? -1 : v->sample * (1 + chance()); break;
	case 2: v->error_percent = v->error_percent < 0 ? -1 : v->error_percent * chance(); break;
	case 3: v->steps_wider = v->steps_wider > 0 ? v->steps_wider - 1 : 0; break;
	default: v->estimate = false; break;
	}
}

static void a_better_figure_never_lowers_the_score_of_its_set(void **state)
{
	struct score_evidence v[SET_MAX];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = any_set(v);
		double before = overall(v, n), after;

		improve(&v[below(n)], i % 5);
		after = overall(v, n);
		if (after < before - EPSILON)
			fail_msg("%g fell to %g by improvement %d", before, after, i % 5);
	}
}

static void every_part_rises_with_its_own_input(void **state)
{
	struct score_evidence v = any_evidence(), worse;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct score a, b;

		v = any_evidence();
		worse = v;
		worse.lower_bound = true;
		improve(&v, i % 5);
		a = score_of(&v, 1);
		b = score_of(&worse, 1);
		assert_true(a.sample_size >= b.sample_size && a.freshness >= b.freshness &&
			    a.methodology >= b.methodology && a.consistency == b.consistency &&
			    a.overall >= b.overall);
	}
}

static void the_closer_the_sources_the_higher_the_score(void **state)
{
	struct score_evidence v[SET_MAX];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = any_set(v);
		double before, after, share = chance();

		for (size_t k = 0; k < n; k++) {
			v[k].lower_bound = false;
			v[k].value = 30000 + 200000 * chance();
		}
		before = overall(v, n);
		for (size_t k = 0; k < n; k++)
			v[k].value = 90000 * pow(v[k].value / 90000, share);
		after = overall(v, n);
		assert_true(after >= before - EPSILON);
	}
}

/* ---- invariant ---- */

static void shuffle(struct score_evidence *v, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = below(i);
		struct score_evidence one = v[i - 1];

		v[i - 1] = v[k];
		v[k] = one;
	}
}

static void neither_order_nor_repeated_figures_matter(void **state)
{
	struct score_evidence v[3 * SET_MAX];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = any_set(v), more = below(2 * SET_MAX);
		struct score want = score_of(v, n), got;

		shuffle(v, n);
		got = score_of(v, n);
		assert_same_score(&got, &want, 0);
		for (size_t k = 0; k < more; k++)
			v[n + k] = v[below(n)];
		shuffle(v, n + more);
		got = score_of(v, n + more);
		assert_same_score(&got, &want, 0);
		assert_int_equal(got.nwitnesses, want.nwitnesses);
	}
}

static void a_copy_of_a_source_confirms_and_contradicts_nothing(void **state)
{
	struct score_evidence v[3] = {
		{ .source = "bls", .value = 130000, .age_days = 300, .sample = 900,
		  .error_percent = -1, .half_life_days = 1095 },
		{ .source = "census", .value = 150000, .age_days = 900, .sample = -1,
		  .error_percent = -1, .half_life_days = 1095, .estimate = true },
	};
	struct score want = score_of(v, 2), got;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		v[2] = v[0];
		v[2].source = i % 2 ? "fallback" : "fred";
		v[2].value = 1000 + 1e6 * chance();
		v[2].age_days = 400;
		got = score_of(v, 3);
		assert_same_score(&got, &want, 0);
		assert_int_equal(got.nwitnesses, 1);
	}
}

static void the_unit_of_the_figures_does_not_matter(void **state)
{
	static const double UNITS[] = { 100, 0.01, 1 / 12.0, 12, 1 / 2080.0, 2080, 1e-6, 1e9 };
	struct score_evidence v[SET_MAX], other[SET_MAX];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = any_set(v);
		double unit = UNITS[(size_t)i % COUNT(UNITS)];

		for (size_t k = 0; k < n; k++) {
			other[k] = v[k];
			other[k].value *= unit;
		}
		assert_near(overall(other, n), overall(v, n), 1e-9, "in another unit");
	}
}

/* ---- continuous ---- */

static void a_little_more_of_an_input_changes_the_score_a_little(void **state)
{
	struct score_evidence v[SET_MAX];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = any_set(v), k = below(n);
		double before, tiny = 1e-9;

		/* joints on purpose: nothing yet, and just what another says */
		if (chance() < 0.3)
			v[k].age_days = v[k].age_days < 0 ? -1 : 0;
		if (chance() < 0.3)
			v[k].sample = v[k].sample < 0 ? -1 : 0;
		if (chance() < 0.3)
			v[k].error_percent = v[k].error_percent < 0 ? -1 : 0;
		if (chance() < 0.5)
			v[k].value = v[below(n)].value;
		before = overall(v, n);
		v[k].age_days += v[k].age_days < 0 ? 0 : tiny;
		v[k].sample += v[k].sample < 0 ? 0 : tiny;
		v[k].error_percent += v[k].error_percent < 0 ? 0 : tiny;
		v[k].value *= 1 + tiny;
		assert_near(overall(v, n), before, 1e-6, "a little more");
	}
}

/* ---- the formulas as they are written ---- */

static void the_parts_are_a_half_where_the_manual_says(void **state)
{
	struct score_evidence v = { .source = "bls", .value = 1, .half_life_days = 1095,
				    .age_days = 1095, .sample = 10000, .error_percent = -1 };
	struct score s = score_of(&v, 1);

	(void)state;
	assert_near(s.freshness, 0.5, EPSILON, "one half-life");
	assert_near(s.sample_size, 1, EPSILON, "10,000 answers");
	assert_near(s.overall, 0.5 * (0.7 + 0.3 * (0.3 + 0.15 + 0.4 * (0.5 + 0.95 + 0.95) / 3)),
		    EPSILON, "overall");
	v.error_percent = 16.5;
	v.steps_wider = 2;
	v.lower_bound = v.estimate = true;
	s = score_of(&v, 1);
	assert_near(s.sample_size, 0.5, EPSILON, "16.5 %, whatever the number of answers");
	assert_near(s.methodology, 0.95 * 0.64 * 0.7 * 0.7, EPSILON, "methodology");
}

static void two_expected_errors_apart_is_neither_confirmed_nor_contradicted(void **state)
{
	double expected = hypot(score_source("bls")->expected_error,
				score_source("census")->expected_error);
	struct score_evidence v[2] = {
		{ .source = "bls", .value = 100000, .age_days = 0, .sample = 10000,
		  .error_percent = -1 },
		{ .source = "census", .value = 100000 * exp(2 * expected), .age_days = 0,
		  .sample = 10000, .error_percent = -1 },
	};

	(void)state;
	assert_near(score_of(v, 2).consistency, 0.5, EPSILON, "two errors apart");
	v[1].value = v[0].value;
	assert_near(score_of(v, 2).consistency, 2.5 / 3, EPSILON, "equal");
	v[1].value = v[0].value * 1e6;
	assert_near(score_of(v, 2).consistency, 0.5 / 3, 1e-3, "a million times");
	v[0].lower_bound = true;
	assert_near(score_of(v, 2).consistency, 2.5 / 3, EPSILON, "above a lower bound");
	v[1].value = v[0].value / 1e6;
	assert_near(score_of(v, 2).consistency, 0.5 / 3, 1e-3, "below a lower bound");
}

static void agreeing_sources_raise_and_contradicting_ones_lower_the_score(void **state)
{
	struct score_evidence v[3] = {
		{ .source = "bls", .value = 130000, .age_days = 300, .sample = 900,
		  .error_percent = -1 },
		{ .source = "census", .value = 131000, .age_days = 600, .sample = -1,
		  .error_percent = -1, .estimate = true },
		{ .source = "postings", .value = 13000, .age_days = 5, .sample = 40,
		  .error_percent = -1 },
	};
	struct score one = score_of(v, 1), two = score_of(v, 2), outlier = score_of(v, 3), far;

	(void)state;
	v[1].value = 13000;
	far = score_of(v, 2);
	assert_true(one.consistency == 0.5);
	assert_true(two.consistency > 0.8);
	assert_true(far.consistency < 0.2);
	assert_true(outlier.consistency > 0.49 && outlier.consistency < two.consistency);
	assert_true(two.overall > one.overall && one.overall > far.overall);
	assert_int_equal(two.leading, 0);
}

static void a_wider_area_an_old_year_or_a_bundled_figure_score_lower(void **state)
{
	struct score_evidence good = { .source = "bls", .value = 1, .age_days = 200, .sample = 1000,
				       .error_percent = -1 };
	struct score_evidence wide = good, old = good, bundled = good, few = good;

	(void)state;
	wide.steps_wider = 2;
	old.age_days = 2500;
	bundled.source = "fallback";
	bundled.age_days = 0;
	bundled.sample = 1e9;
	few.sample = 1;
	assert_true(overall(&good, 1) > 0.7);
	assert_true(overall(&wide, 1) < overall(&good, 1));
	assert_true(overall(&old, 1) < 0.3);
	assert_true(overall(&bundled, 1) <= 0.3);
	assert_true(overall(&few, 1) < 0.6);
}

static void the_score_is_explained_in_words(void **state)
{
	struct score_evidence v[2] = {
		{ .source = "fallback", .value = 100, .age_days = 900, .half_life_days = 1095,
		  .sample = -1, .error_percent = -1, .steps_wider = 2 },
		{ .source = "who?", .value = 131, .age_days = 900, .half_life_days = 1095,
		  .sample = -1, .error_percent = -1, .steps_wider = 2 },
	};
	struct score s = score_of(v, 2);
	cJSON *o = score_explain(&s, v);

	(void)state;
	assert_string_equal(json_str(o, "leading_source", ""), "fallback");
	assert_string_equal(json_str(o, "data_freshness", ""),
			    "29 months old, worth half after 36");
	assert_non_null(strstr(json_str(o, "methodology", ""), "two steps wider"));
	assert_string_equal(json_str(o, "consistency", ""), "who? 31 % higher, as far as expected");
	assert_non_null(strstr(json_str(o, "overall", ""), "essential part, how it was made"));
	cJSON_Delete(o);
	v[0] = (struct score_evidence){ .source = "bls", .age_days = 0, .sample = 0,
					.error_percent = -1 };
	s = score_of(v, 1);
	o = score_explain(&s, v);
	assert_string_equal(json_str(o, "overall", ""), "held down by its few answers");
	cJSON_Delete(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_and_the_whole_stay_between_0_and_1),
		cmocka_unit_test(no_number_however_strange_leaves_the_bounds),
		cmocka_unit_test(what_is_no_number_counts_as_unknown),
		cmocka_unit_test(the_whole_never_passes_what_its_weakest_essential_part_allows),
		cmocka_unit_test(a_better_figure_never_lowers_the_score_of_its_set),
		cmocka_unit_test(every_part_rises_with_its_own_input),
		cmocka_unit_test(the_closer_the_sources_the_higher_the_score),
		cmocka_unit_test(neither_order_nor_repeated_figures_matter),
		cmocka_unit_test(a_copy_of_a_source_confirms_and_contradicts_nothing),
		cmocka_unit_test(the_unit_of_the_figures_does_not_matter),
		cmocka_unit_test(a_little_more_of_an_input_changes_the_score_a_little),
		cmocka_unit_test(the_parts_are_a_half_where_the_manual_says),
		cmocka_unit_test(two_expected_errors_apart_is_neither_confirmed_nor_contradicted),
		cmocka_unit_test(agreeing_sources_raise_and_contradicting_ones_lower_the_score),
		cmocka_unit_test(a_wider_area_an_old_year_or_a_bundled_figure_score_lower),
		cmocka_unit_test(the_score_is_explained_in_words),
	};
	int64_t given = clock_wall_us() % 1000000;

	if (getenv("JOBFLEET_SEED"))
		scan_int64(getenv("JOBFLEET_SEED"), 0, UINT32_MAX, &given, NULL);
	seed = (unsigned)given;
	print_message("# seed %u (JOBFLEET_SEED=%u repeats it)\n", seed, seed);
	return cmocka_run_group_tests_name("confidence score", tests, NULL, NULL);
}
