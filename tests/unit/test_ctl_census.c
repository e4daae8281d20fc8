/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/conf.h"
#include "common/base/mem.h"
#include "workers/ctl/census.h"

static void an_age_says_how_sure_it_is(void **state)
{
	static const struct {
		enum census_age kind;
		double age_s;
		const char *text;
		bool noted;
	} cases[] = {
		{ CENSUS_AGE_NONE, 5, "-", false }, { CENSUS_AGE_EXACT, 3.14, "3.1s", false },
		{ CENSUS_AGE_EXACT, 65.4, "65s", false }, { CENSUS_AGE_OWN, 2, "own 2.0s", true },
		{ CENSUS_AGE_BOUND, 12, "<= 12s", true }, { CENSUS_AGE_UNKNOWN, 9, "-", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct census_queue q = { .age_kind = cases[i].kind, .age_s = cases[i].age_s };
		char text[48];

		census_age_text(&q, text, sizeof text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(*census_age_note(&q) != '\0', cases[i].noted);
	}
}

static void a_state_names_all_that_is_odd(void **state)
{
	static const struct conf_queue conf = { .name = "q", .program = "p" };
	static const struct {
		struct census_queue q;
		const char *text;
	} cases[] = {
		{ { .conf = &conf, .declared = true, .consumers = 1 }, "ok" },
		{ { .declared = true }, "ok" },
		{ { .conf = &conf, .consumers = -1 }, "not declared" },
		{ { .conf = &conf, .declared = true }, "nobody consumes" },
		{ { .conf = &conf, .declared = true, .consumers = 2, .paused = true,
		    .other_arguments = true }, "paused, other arguments" },
		{ { .conf = &conf, .declared = true, .fleet_paused = true },
		  "fleet paused, nobody consumes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[160];

		census_state(&cases[i].q, text, sizeof text);
		assert_string_equal(text, cases[i].text);
	}
}

static double rate_of(int64_t before, int64_t now, int64_t settled, bool declared)
{
	struct census_queue old = { .name = "q", .ready = before, .declared = true };
	struct census_queue q = { .name = "q",
				  .ready = now,
				  .settled_since = settled,
				  .declared = declared,
				  .in_per_s = -1 };
	struct census first = { .queues = &old, .n = 1, .taken_ms = 1000 };
	struct census second = { .queues = &q, .n = 1, .taken_ms = 3000 };

	census_compare(&second, &first);
	return q.in_per_s;
}

static void the_rate_in_is_growth_and_what_was_settled(void **state)
{
	(void)state;
	assert_true(rate_of(10, 10, 0, true) == 0);
	assert_true(rate_of(10, 14, 0, true) == 2);
	assert_true(rate_of(10, 4, 10, true) == 2);
	assert_true(rate_of(10, 0, 4, true) == 0);	/* purged, or taken by others */
	assert_true(rate_of(10, 14, 0, false) < 0);
}

static void what_the_first_look_saw_is_kept(void **state)
{
	struct census_queue old = { .name = "q", .declared = true, .other_arguments = true,
				    .empty_ms = 500 };
	struct census_queue q[2] = { { .name = "new", .declared = true, .in_per_s = -1 },
				     { .name = "q", .declared = true } };
	struct census first = { .queues = &old, .n = 1, .taken_ms = 1000 };
	struct census second = { .queues = q, .n = 2, .taken_ms = 3000 };

	(void)state;
	census_compare(&second, &first);
	assert_true(q[0].in_per_s < 0 && !q[0].other_arguments && q[0].empty_ms == 0);
	assert_true(q[1].other_arguments && q[1].empty_ms == 500);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_age_says_how_sure_it_is),
		cmocka_unit_test(a_state_names_all_that_is_odd),
		cmocka_unit_test(the_rate_in_is_growth_and_what_was_settled),
		cmocka_unit_test(what_the_first_look_saw_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
