/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/title.h"

struct pair {
	const char *raw, *want;
};

static void what_is_not_the_work_leaves_the_title(void **state)
{
	static const struct pair CASES[] = {
		{ "Python Developer", "Python Developer" },
		{ "| DATA ENGINEER | 204417 |", "Data Engineer" },
		{ "Java Developer ( Corp to Corp", "Java Developer" },
		{ "Buchhalter (m/w/d) | 100 % Remote", "Buchhalter" },
		{ "Entwickler*in Backend (all genders)", "Entwickler Backend" },
		{ "Programador/a PHP Senior (hybrid)", "Programador PHP Senior" },
		{ "Ingénieur·e Données H/F - CDI", "Ingénieur Données" },
		{ "SENIOR SQL DBA - REMOTE", "Senior SQL DBA" },
		{ "Analyst, Risk #48112", "Analyst, Risk" },
		{ "Network Engineer (TS/SCI Required)", "Network Engineer" },
		{ "Software Engineer (Platform) - 100% Remote", "Software Engineer (Platform)" },
		{ "R&amp;D Engineer", "R&D Engineer" },
		{ "I/O Specialist", "I/O Specialist" },
		{ "(Remote)", "(Remote)" },
		{ "Web 3000 Developer", "Web 3000 Developer" },
		{ "senior it auditor", "Senior IT Auditor" },
		{ "Web Designer - Apply today", "Web Designer" },
		{ "Web Designer.", "Web Designer" },
		{ "🚀 Web Designer", "Web Designer" },
		{ "Web Designer - $60,000 to $70,000 per year", "Web Designer" },
		{ "***", "" },
		{ "", "" },
	};
	char out[TITLE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		title_clean(CASES[i].raw, out);
		assert_string_equal(out, CASES[i].want);
	}
	title_clean(NULL, out);
	assert_string_equal(out, "");
}

static void spellings_of_one_title_have_one_key(void **state)
{
	static const struct pair CASES[] = {
		{ "Sr. Backend Dev", "senior back end developer" },
		{ "Senior Back-End Developer", "senior back end developer" },
		{ "C++ Developer", "c++ developer" },
		{ "C# Developer", "c# developer" },
		{ "Head of Sales and Marketing", "head sales marketing" },
	};
	char out[TITLE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		title_match_key(CASES[i].raw, out);
		assert_string_equal(out, CASES[i].want);
	}
}

static void a_title_of_any_length_is_cut_between_characters(void **state)
{
	char *long_title = mem_alloc(5001), out[TITLE_MAX];

	(void)state;
	for (int i = 0; i < 5000; i += 2)
		memcpy(long_title + i, "ä", 2);
	long_title[5000] = '\0';
	title_clean(long_title, out);
	assert_int_equal(strlen(out), TITLE_MAX - 2);
	memset(long_title, '(', 5000);
	title_clean(long_title, out);
	memset(long_title, '|', 5000);
	title_clean(long_title, out);
	assert_string_equal(out, "");
	free(long_title);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_the_work_leaves_the_title),
		cmocka_unit_test(spellings_of_one_title_have_one_key),
		cmocka_unit_test(a_title_of_any_length_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
