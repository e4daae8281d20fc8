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
		{ "Acme Co., Ltd.", "acme" },
		{ "Acme B.V.", "acme" },
		{ "Acme N.V.", "acme" },
		{ "Acme AB (publ)", "acme" },
		{ "Acme Oy Ab", "acme" },
		{ "Acme A/S", "acme" },
		{ "Acme ApS", "acme" },
		{ "Acme AS", "acme" },
		{ "Acme S.r.l.", "acme" },
		{ "Acme SAS", "acme" },
		{ "Acme S.A.R.L.", "acme" },
		{ "Acme S.L.U.", "acme" },
		{ "Acme, S.A. de C.V.", "acme" },
		{ "Acme Ltda.", "acme" },
		{ "Acme K.K.", "acme" },
		{ "Acme Pte. Ltd.", "acme" },
		{ "Acme Sdn. Bhd.", "acme" },
		{ "Acme Pvt. Ltd.", "acme" },
		{ "Acme s.r.o.", "acme" },
		{ "Acme d.o.o.", "acme" },
		{ "Acme Kft.", "acme" },
		{ "Acme UG (haftungsbeschränkt)", "acme" },
		{ "Acme e.V.", "acme" },
		{ "Acme AG & Co. KGaA", "acme" },
		{ "Acme PLLC", "acme" },
		{ "Acme Anonim Şirketi", "acme" },
		{ "OOO Acme", "acme" },
		{ "株式会社アクメ", "アクメ" },
		{ "アクメ株式会社", "アクメ" },
		{ "Grupo Acme", "grupo acme" },
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
	company_clean("\"Acme Corp.\" | ", name);
	assert_string_equal(name, "Acme Corp.");
	company_clean("ACME CORP", name);
	assert_string_equal(name, "ACME CORP");
	company_clean("Dunkin'", name);
	assert_string_equal(name, "Dunkin'");
	company_clean(" -- ", name);
	assert_string_equal(name, "");
	company_clean(NULL, name);
	assert_string_equal(name, "");
}

static void what_stands_for_no_name_is_told(void **state)
{
	(void)state;
	assert_true(company_is_nobody("Confidential"));
	assert_true(company_is_nobody("N/A"));
	assert_true(company_is_nobody(""));
	assert_false(company_is_nobody("Acme Confidential Printing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal_suffixes_do_not_count_for_matching),
		cmocka_unit_test(a_name_of_nothing_but_marks_is_none),
		cmocka_unit_test(what_stands_for_no_name_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
