/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/secrets.h"

static void a_secret_is_hidden_letter_for_letter(void **state)
{
	char text[] =
		"{\"error\": \"key 5ecret/key is bad\", \"url\": \"?k=5ecret%2Fkey&k=5ecret/key\"}";

	(void)state;
	secrets_add("5ecret/key");
	secrets_add("5ecret/key");
	assert_true(secrets_hide(text, strlen(text)));
	assert_string_equal(text, "{\"error\": \"key ********** is bad\", "
			    "\"url\": \"?k=************&k=**********\"}");
	assert_false(secrets_hide(text, strlen(text)));
}

static void a_short_value_and_none_are_not_looked_for(void **state)
{
	char text[] = "demo demo";

	(void)state;
	secrets_add("demo");
	secrets_add("");
	secrets_add(NULL);
	assert_false(secrets_hide(text, strlen(text)));
	assert_false(secrets_hide(text, 0));
	assert_string_equal(text, "demo demo");
}

static void only_so_many_are_kept(void **state)
{
	char one[32], text[] = "number-1-of-many, number-99-of-many";

	(void)state;
	for (int i = 1; i < 100; i++) {
		snprintf(one, sizeof one, "number-%d-of-many", i);
		secrets_add(one);
	}
	assert_true(secrets_hide(text, strlen(text)));
	assert_string_equal(text, "****************, number-99-of-many");
}

static void a_process_leaves_no_core(void **state)
{
	struct rlimit before, after;

	(void)state;
	getrlimit(RLIMIT_CORE, &before);
	secrets_no_core();
	getrlimit(RLIMIT_CORE, &after);
	assert_int_equal(after.rlim_cur, 0);
	assert_int_equal(after.rlim_max, before.rlim_max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_hidden_letter_for_letter),
		cmocka_unit_test(a_short_value_and_none_are_not_looked_for),
		cmocka_unit_test(only_so_many_are_kept),
		cmocka_unit_test(a_process_leaves_no_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
