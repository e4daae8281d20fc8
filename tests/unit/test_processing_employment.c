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
