/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/json.h"
#include "workers/salary/findings.h"

static void what_a_source_does_not_tell_is_unknown_not_nothing(void **state)
{
	struct benchmark b = benchmark_empty("bls");
	struct score_evidence v = benchmark_evidence(&b);

	(void)state;
	assert_true(v.sample < 0);
	assert_true(v.error_percent < 0);
	assert_true(v.age_days < 0);
}

static void the_sample_is_what_the_source_says_else_comes_from_the_employed(void **state)
{
	struct benchmark b = benchmark_empty("bls");

	(void)state;
	b.employment = AMOUNT_OF(3500);
	assert_true(benchmark_evidence(&b).sample == 100);
	b.sample = 7;
	b.error_percent = 2.5;
	assert_true(benchmark_evidence(&b).sample == 7);
	assert_true(benchmark_evidence(&b).error_percent == 2.5);
}

static void no_figure_is_certain_only_when_every_source_was_asked_well(void **state)
{
	static const struct { const char *status; bool failed; } CASES[] = {
		{ "ok", false }, { "skipped", true }, { "failed", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct findings f;

		findings_init(&f);
		findings_note(&f, "fred", "ok", NULL);
		findings_note(&f, "bls", CASES[i].status, "why");
		assert_int_equal(f.failed, CASES[i].failed);
		assert_string_equal(json_str(json_get(f.sources, "bls"), "status", ""),
				    CASES[i].status);
		findings_release(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_source_does_not_tell_is_unknown_not_nothing),
		cmocka_unit_test(the_sample_is_what_the_source_says_else_comes_from_the_employed),
		cmocka_unit_test(no_figure_is_certain_only_when_every_source_was_asked_well),
	};

	return cmocka_run_group_tests_name("salary findings", tests, NULL, NULL);
}
