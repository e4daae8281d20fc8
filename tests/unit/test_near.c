/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/near.h"

static const char *nearest(const char *text)
{
	static const char *const words[] = { "prefetch", "priority", "program", "max_priority",
					     "q" };
	struct near near;

	near_init(&near, text);
	for (size_t i = 0; i < COUNT(words); i++)
		near_offer(&near, words[i]);
	return near.word ? near.word : "";
}

static void one_slip_is_near(void **state)
{
	(void)state;
	assert_string_equal(nearest("prefech"), "prefetch");	/* left out */
	assert_string_equal(nearest("prefetcch"), "prefetch");	/* doubled */
	assert_string_equal(nearest("prefatch"), "prefetch");	/* changed */
	assert_string_equal(nearest("perfetch"), "prefetch");	/* swapped */
	assert_string_equal(nearest("PREFETCH"), "prefetch");
}

static void the_nearest_of_several_wins(void **state)
{
	(void)state;
	assert_string_equal(nearest("priorty"), "priority");
	assert_string_equal(nearest("max_priorty"), "max_priority");
}

static void what_shares_little_is_not_near(void **state)
{
	char lengthy[200];

	(void)state;
	memset(lengthy, 'p', sizeof lengthy - 1);
	lengthy[sizeof lengthy - 1] = '\0';
	assert_string_equal(nearest("colour"), "");
	assert_string_equal(nearest("r"), "");
	assert_string_equal(nearest(""), "");
	assert_string_equal(nearest(lengthy), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_slip_is_near),
		cmocka_unit_test(the_nearest_of_several_wins),
		cmocka_unit_test(what_shares_little_is_not_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
