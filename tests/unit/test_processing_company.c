/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/company.h"

static void legal_suffixes_do_not_count_for_matching(void **state)
{
	static const struct {
		const char *name, *want;
	} CASES[] = {
		{ "Acme, Inc.", "acme" },
		{ "Acme Inc", "acme" },
		{ "The Acme Company", "acme" },
		{ "Acme GmbH & Co. KG", "acme" },
		{ "Acme S.p.A.", "acme" },
		{ "Acme Sp. z o.o.", "acme" },
		{ "Acme Holdings Pty Ltd", "acme holdings" },
		{ "ACME L.L.C.", "acme" },
		{ "Société Générale S.A.", "societe generale" },
		{ "Limited", "limited" },
		{ "Costa", "costa" },
		{ "Inc.", "inc" },
		{ "Co & Co", "co" },
	};
	char key[COMPANY_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		company_match_key(CASES[i].name, key);
		assert_string_equal(key, CASES[i].want);
	}
}

static void a_name_of_nothing_but_marks_is_none(void **state)
{
	char name[COMPANY_MAX];

	(void)state;
	company_clean("  Mills &amp;\nSons ", name);
	assert_string_equal(name, "Mills & Sons");
	company_clean(" -- ", name);
	assert_string_equal(name, "");
	company_clean(NULL, name);
	assert_string_equal(name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal_suffixes_do_not_count_for_matching),
		cmocka_unit_test(a_name_of_nothing_but_marks_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
