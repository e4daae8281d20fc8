/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/ctl/history.h"

static void the_newest_numbers_are_columns(void **state)
{
	struct history *h = history_new(true);
	char out[HISTORY_TEXT_SIZE];

	(void)state;
	assert_string_equal(history_text(h, "a", out), "");
	history_put(h, "a", -1);
	assert_string_equal(history_text(h, "a", out), "");
	history_put(h, "a", 0);
	assert_string_equal(history_text(h, "a", out), "▁");
	history_put(h, "a", 8);
	history_put(h, "a", 4);
	history_put(h, "b", 3);
	assert_string_equal(history_text(h, "a", out), "▁█▄");
	for (int i = 0; i < HISTORY_NUMBERS - 1; i++)
		history_put(h, "a", 1e-9);
	assert_string_equal(history_text(h, "a", out), "█▁▁▁▁▁▁▁▁▁▁▁");
	history_put(h, "a", 0);
	assert_string_equal(history_text(h, "a", out), "███████████▁");
	history_free(h);
}

static void without_blocks_it_is_plain_and_names_are_bounded(void **state)
{
	struct history *h = history_new(false);
	char out[HISTORY_TEXT_SIZE], name[16];

	(void)state;
	for (int i = 0; i < HISTORY_NAMES_MAX + 10; i++) {
		snprintf(name, sizeof name, "q%d", i);
		history_put(h, name, i % 2);
		history_put(h, name, 1);
	}
	assert_string_equal(history_text(h, "q0", out), ".|");
	assert_string_equal(history_text(h, "q260", out), "");
	history_free(h);
	history_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_numbers_are_columns),
		cmocka_unit_test(without_blocks_it_is_plain_and_names_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
