/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/employment.h"

static void every_form_of_every_generation_is_read(void **state)
{
	static const struct {
		const char *text;
		unsigned want;
	} CASES[] = {
		{ "FULLTIME", EMPLOYMENT(FULLTIME) },
		{ "Full-time", EMPLOYMENT(FULLTIME) },
		{ "Full\xE2\x80\x91time", EMPLOYMENT(FULLTIME) },
		{ "Full\xEF\xBF\xBDtime and Internship", EMPLOYMENT(FULLTIME) | EMPLOYMENT(INTERN) },
		{ "Part-time, Temporary, and Contractor",
		  EMPLOYMENT(PARTTIME) | EMPLOYMENT(TEMPORARY) | EMPLOYMENT(CONTRACTOR) },
		{ "Teilzeit / Minijob", EMPLOYMENT(PARTTIME) },
		{ "À temps plein", EMPLOYMENT(FULLTIME) },
		{ "Prácticas", EMPLOYMENT(INTERN) },
		{ "Tempo pieno", EMPLOYMENT(FULLTIME) },
		{ "full_time", EMPLOYMENT(FULLTIME) },
		{ "FullTime", EMPLOYMENT(FULLTIME) },
		{ "permanent", EMPLOYMENT(FULLTIME) },
		{ "Permanent contract, full-time", EMPLOYMENT(FULLTIME) },
		{ "Permanent, part-time", EMPLOYMENT(PARTTIME) },
		{ "Fixed-term contract", EMPLOYMENT(TEMPORARY) },
		{ "contract", EMPLOYMENT(CONTRACTOR) },
		{ "INTERN", EMPLOYMENT(INTERN) },
		{ "internship", EMPLOYMENT(INTERN) },
		{ "Vollzeit", EMPLOYMENT(FULLTIME) },
		{ "Vollzeit, unbefristet", EMPLOYMENT(FULLTIME) },
		{ "Festanstellung", EMPLOYMENT(FULLTIME) },
		{ "Minijob", EMPLOYMENT(PARTTIME) },
		{ "Geringfügige Beschäftigung", EMPLOYMENT(PARTTIME) },
		{ "Werkstudent (m/w/d)", EMPLOYMENT(INTERN) },
		{ "Ausbildung", EMPLOYMENT(INTERN) },
		{ "Zeitarbeit", EMPLOYMENT(TEMPORARY) },
		{ "befristet, Teilzeit", EMPLOYMENT(PARTTIME) | EMPLOYMENT(TEMPORARY) },
		{ "Freie Mitarbeit", EMPLOYMENT(CONTRACTOR) },
		{ "CDI", EMPLOYMENT(FULLTIME) },
		{ "CDI, temps partiel", EMPLOYMENT(PARTTIME) },
		{ "CDD", EMPLOYMENT(TEMPORARY) },
		{ "Intérim", EMPLOYMENT(TEMPORARY) },
		{ "Alternance", EMPLOYMENT(INTERN) },
		{ "Stage", EMPLOYMENT(INTERN) },
		{ "jornada completa", EMPLOYMENT(FULLTIME) },
		{ "Media jornada", EMPLOYMENT(PARTTIME) },
		{ "Contrato indefinido", EMPLOYMENT(FULLTIME) },
		{ "Contrato temporal", EMPLOYMENT(TEMPORARY) },
		{ "Autónomo", EMPLOYMENT(CONTRACTOR) },
		{ "Tempo indeterminato", EMPLOYMENT(FULLTIME) },
		{ "Tempo determinato", EMPLOYMENT(TEMPORARY) },
		{ "Tirocinio", EMPLOYMENT(INTERN) },
		{ "Seasonal", EMPLOYMENT(TEMPORARY) },
		{ "PRN", EMPLOYMENT(TEMPORARY) },
		{ "Contract to hire", EMPLOYMENT(CONTRACTOR) },
		{ "other", 0 },
		{ "International", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_int_equal(employment_parse(CASES[i].text), CASES[i].want);
	assert_int_equal(employment_parse(NULL), 0);
}

static void the_first_of_the_list_is_the_main_one(void **state)
{
	(void)state;
	assert_string_equal(employment_main(EMPLOYMENT(CONTRACTOR) | EMPLOYMENT(PARTTIME)),
			    "PARTTIME");
	assert_null(employment_main(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_every_generation_is_read),
		cmocka_unit_test(the_first_of_the_list_is_the_main_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
