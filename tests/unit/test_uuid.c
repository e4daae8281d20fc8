/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/uuid.h"

static void random_ids_are_version_4_and_differ(void **state)
{
	char a[UUID_SIZE], b[UUID_SIZE];

	(void)state;
	uuid_v4(a);
	uuid_v4(b);
	assert_true(uuid_is_valid(a));
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	assert_string_not_equal(a, b);
}

/* The value is a contract: a repeated settle of an older release must repeat these ids. */
static void a_name_gives_the_same_version_5_id_for_ever(void **state)
{
	char a[UUID_SIZE], b[UUID_SIZE];

	(void)state;
	uuid_v5("task 1/0", 8, a);
	uuid_v5("task 1/0", 8, b);
	assert_string_equal(a, b);
	assert_int_equal(a[14], '5');
	assert_string_equal(a, "53120eac-f7a1-5239-96d2-f18f5e949362");
	uuid_v5("task 1/1", 8, b);
	assert_string_not_equal(a, b);
	uuid_v5("task 1/0\0", 9, b);
	assert_string_not_equal(a, b);
}

static void only_the_text_form_is_valid(void **state)
{
	static const char *const bad[] = {
		"", "x", "6f1d7c52-43a5-5e0c-9d3f-2f8f0c1b7a1",
		"6f1d7c52-43a5-5e0c-9d3f-2f8f0c1b7a100", "6f1d7c5243a55e0c9d3f2f8f0c1b7a10",
		"6f1d7c52-43a5-5e0c-9d3f-2f8f0c1b7a1g", "6f1d7c52 43a5-5e0c-9d3f-2f8f0c1b7a10",
		"{f1d7c52-43a5-5e0c-9d3f-2f8f0c1b7a1}", NULL,
	};

	(void)state;
	assert_true(uuid_is_valid("6f1d7c52-43a5-5e0c-9d3f-2f8f0c1b7a10"));
	assert_true(uuid_is_valid("6F1D7C52-43A5-5E0C-9D3F-2F8F0C1B7A10"));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(uuid_is_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ids_are_version_4_and_differ),
		cmocka_unit_test(a_name_gives_the_same_version_5_id_for_ever),
		cmocka_unit_test(only_the_text_form_is_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
