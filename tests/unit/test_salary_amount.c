/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/salary/amount.h"

static const struct {
	const char *text;
	enum amount_kind kind;
	const char *two;	/* with two decimals; NULL: not known */
} FIGURES[] = {
	{ "148100", AMOUNT_VALUE, "148100.00" },
	{ "65.38", AMOUNT_VALUE, "65.38" },
	{ "1,234,567.5", AMOUNT_VALUE, "1234567.50" },
	{ "$239,200", AMOUNT_VALUE, "239200.00" },
	{ "0", AMOUNT_VALUE, "0.00" },
	{ "0.005", AMOUNT_VALUE, "0.01" },
	{ "320.76749", AMOUNT_VALUE, "320.77" },
	{ "-12.345", AMOUNT_VALUE, "-12.35" },
	{ "-666666666.0", AMOUNT_VALUE, "-666666666.00" },
	{ "999999999999", AMOUNT_VALUE, "999999999999.00" },
	{ "250,000+", AMOUNT_BOUND, "250000.00" },
	{ "2,500-", AMOUNT_ABSENT, NULL },
	{ "#", AMOUNT_BOUND, NULL },
	{ "-", AMOUNT_ABSENT, NULL },
	{ ".", AMOUNT_ABSENT, NULL },
	{ "*", AMOUNT_ABSENT, NULL },
	{ "**", AMOUNT_ABSENT, NULL },
	{ "", AMOUNT_ABSENT, NULL },
	{ "(X)", AMOUNT_ABSENT, NULL },
};

static void figures_and_marks_of_all_sources_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(FIGURES); i++) {
		char text[AMOUNT_TEXT_SIZE] = "";
		struct amount a;
		struct err e;

		if (amount_parse(FIGURES[i].text, &a, &e) < 0)
			fail_msg("%s: %s", FIGURES[i].text, e.msg);
		if (a.kind != FIGURES[i].kind)
			fail_msg("%s is of kind %d", FIGURES[i].text, a.kind);
		if (!FIGURES[i].two)
			assert_null(amount_text(a, 2, text));
		else
			assert_string_equal(amount_text(a, 2, text), FIGURES[i].two);
	}
}

static void what_is_no_figure_is_refused(void **state)
{
	static const char *const WRONG[] = { "abc", "12abc", "1.2.3", "1 2", "--5", "$", ",", "1e5",
					     "1234567890123", "0x10", "12%" };
	struct amount a;

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++)
		if (amount_parse(WRONG[i], &a, NULL) != -ERR_PROTOCOL)
			fail_msg("%s was taken", WRONG[i]);
	assert_int_equal(amount_parse(NULL, &a, NULL), 0);
}

static void shares_are_computed_without_floating_point(void **state)
{
	char text[AMOUNT_TEXT_SIZE];
	struct amount none = { AMOUNT_ABSENT, 0 };

	(void)state;
	assert_string_equal(amount_text(amount_percent(AMOUNT_OF(1), AMOUNT_OF(3)), 2, text),
			    "33.33");
	assert_string_equal(amount_text(amount_percent(AMOUNT_OF(2), AMOUNT_OF(3)), 2, text),
			    "66.67");
	assert_string_equal(
		amount_text(amount_percent(AMOUNT_OF(170000000), AMOUNT_OF(334900000)), 4, text),
		"50.7614");
	assert_null(amount_text(amount_percent(AMOUNT_OF(1), AMOUNT_OF(0)), 2, text));
	assert_null(amount_text(amount_percent(none, AMOUNT_OF(5)), 2, text));
	assert_string_equal(amount_text(AMOUNT_OF(135980), 0, text), "135980");
}

static void changes_are_exact(void **state)
{
	struct amount bound = { AMOUNT_BOUND, 2392000000 };
	char text[AMOUNT_TEXT_SIZE];

	(void)state;
	assert_string_equal(amount_text(amount_change(AMOUNT_OF(103), AMOUNT_OF(100)), 2, text),
			    "3.00");
	assert_string_equal(amount_text(amount_change(AMOUNT_OF(2), AMOUNT_OF(3)), 2, text),
			    "-33.33");
	assert_null(amount_text(amount_change(AMOUNT_OF(2), AMOUNT_OF(0)), 2, text));
	assert_null(amount_text(amount_change(bound, AMOUNT_OF(1)), 2, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_and_marks_of_all_sources_are_read),
		cmocka_unit_test(what_is_no_figure_is_refused),
		cmocka_unit_test(shares_are_computed_without_floating_point),
		cmocka_unit_test(changes_are_exact),
	};

	return cmocka_run_group_tests_name("salary amount", tests, NULL, NULL);
}
