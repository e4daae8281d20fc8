/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/fold.h"
#include "common/market/occupation.h"

static const struct {
	const char *text, *soc, *name;
} JOBS[] = {
#include "tests/unit/occupation_titles.inc"
};

static void titles_resolve_to_their_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(JOBS); i++) {
		struct occupation o;
		struct err e;

		if (occupation_resolve(JOBS[i].text, &o, &e) < 0)
			fail_msg("%s: %s", JOBS[i].text, e.msg);
		if (strcmp(o.row->soc, JOBS[i].soc) != 0 || strcmp(o.name, JOBS[i].name) != 0)
			fail_msg("%s: %s %s, expected %s %s", JOBS[i].text, o.row->soc, o.name,
				 JOBS[i].soc, JOBS[i].name);
	}
}

static void a_name_resolves_to_itself(void **state)
{
	struct occupation o, again;

	(void)state;
	for (size_t i = 0; i < COUNT(JOBS); i++) {
		assert_int_equal(occupation_resolve(JOBS[i].text, &o, NULL), 0);
		if (occupation_resolve(o.name, &again, NULL) < 0 || again.row != o.row ||
		    strcmp(again.name, o.name) != 0)
			fail_msg("%s: %s becomes %s", JOBS[i].text, o.name, again.name);
		for (size_t k = 0; k < OCCUPATION_ALTERNATIVES && *o.alternatives[k]; k++)
			if (occupation_resolve(o.alternatives[k], &again, NULL) < 0 ||
			    strcmp(again.name, o.alternatives[k]) != 0 || again.row == o.row)
				fail_msg("%s: alternative %s becomes %s", o.name,
					 o.alternatives[k], again.name);
	}
}

static void every_code_and_title_of_soc_leads_to_its_own_row(void **state)
{
	struct occupation o, again;

	(void)state;
	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++) {
		const struct occupation_row *row = &OCCUPATIONS[i];

		if (i > 0)
			assert_true(strcmp(row[-1].soc, row->soc) < 0);
		assert_int_equal(occupation_resolve(row->title, &o, NULL), 0);
		if (o.row != row)
			fail_msg("%s leads to %s", row->title, o.row->title);
		assert_int_equal(occupation_resolve(row->soc, &o, NULL), 0);
		assert_ptr_equal(o.row, row);
		assert_int_equal(occupation_resolve(o.name, &again, NULL), 0);
		if (again.row != row || strcmp(again.name, o.name) != 0)
			fail_msg("%s: %s leads to %s", row->soc, o.name, again.row->soc);
	}
	assert_int_equal(OCCUPATIONS_COUNT, 867 + 24 + 12);
}

static void unknown_jobs_get_suggestions(void **state)
{
	struct occupation o;
	struct err e;

	(void)state;
	assert_int_equal(occupation_resolve("data wizard", &o, &e), -ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "did you mean \"Data "));
	assert_int_equal(occupation_resolve("Wizard of Light Bulb Moments", &o, &e),
			 -ERR_NOT_FOUND);
	assert_int_equal(occupation_resolve("99-9999", &o, &e), -ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "99-9999"));
	assert_int_equal(occupation_resolve("", &o, &e), -ERR_INVALID);
	assert_int_equal(occupation_resolve(" -,; ", &o, &e), -ERR_INVALID);
	assert_int_equal(occupation_resolve(NULL, &o, &e), -ERR_INVALID);
}

static void close_spelling_is_told(void **state)
{
	static const struct {
		const char *text, *soc;
	} CASES[] = {
		{ "data scientits", "15-2051" },     { "sofware enginer", "15-1252" },
		{ "Senior Sofware Enginer, Payments", "15-1252" }, { "electrican", "47-2111" },
		{ "nurse practicioner", "29-1171" }, { "acountant", "13-2011" },
	};
	struct occupation o;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		if (occupation_resolve(CASES[i].text, &o, NULL) < 0)
			fail_msg("%s is unknown", CASES[i].text);
		assert_string_equal(o.row->soc, CASES[i].soc);
		assert_true(o.corrected);
	}
	assert_int_equal(occupation_resolve("data scientist", &o, NULL), 0);
	assert_false(o.corrected);
}

static void a_vague_text_names_what_else_it_means(void **state)
{
	static const char *const TEXTS[] = {
		"engineer",   "analyst", "manager",
		"nurse",      "teacher", "driver",
		"consultant", "15-1250", "Data Engineer / Data Scientist"
	};
	struct occupation o;

	(void)state;
	for (size_t i = 0; i < COUNT(TEXTS); i++) {
		assert_int_equal(occupation_resolve(TEXTS[i], &o, NULL), 0);
		if (!*o.alternatives[0])
			fail_msg("%s names nothing else", TEXTS[i]);
	}
	assert_int_equal(occupation_resolve("nurse", &o, NULL), 0);
	assert_string_equal(o.alternatives[0], "Licensed Practical Nurse");
}

static void words_left_aside_are_told(void **state)
{
	static const struct {
		const char *text, *warning;	/* NULL: none */
	} CASES[] = {
		{ "forest surgeon", "\"forest\" was left aside: read as Surgeon (29-1249)" },
		{ "hardware technician", "\"hardware\" was left aside: read as Technician" },
		{ "assistant truck driver", "\"assistant\" was left aside" },
		{ "Senior Software Engineer II (m/w/d)", NULL }, { "Full-time nurse", NULL },
		{ "Remote contract Data Analyst", NULL }, { "Data Engineer / Data Scientist", NULL },
		{ "software engineers", NULL }, { "tree surgeon", NULL },
	};
	struct occupation o;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		assert_int_equal(occupation_resolve(CASES[i].text, &o, NULL), 0);
		if (CASES[i].warning ? !strstr(o.warning, CASES[i].warning) : *o.warning != '\0')
			fail_msg("%s: \"%s\", expected \"%s\"", CASES[i].text, o.warning,
				 CASES[i].warning ? CASES[i].warning : "");
	}
	assert_int_equal(occupation_resolve("hardware technician", &o, NULL), 0);
	assert_string_equal(o.alternatives[0], "Electronics Technician");
	assert_int_equal(occupation_resolve("Staff Engineer", &o, NULL), 0);
	assert_string_equal(o.alternatives[0], "Software Engineer");
}

static void codes_are_asked_where_oews_has_them(void **state)
{
	static const struct {
		const char *text, *soc, *digits, *warning;	/* NULL: none */
	} CASES[] = {
		{ "15-1252", "15-1252", "151252", NULL },
		{ "15-0000", "15-0000", "150000", NULL },
		{ "15-1250", "15-0000", "150000", "the group 15-1250" },
		{ "15-1200", "15-0000", "150000", "the group 15-1200" },
		{ "15-1220", "15-1221", "151221", NULL },
		{ "15-1131", "15-1251", "151251", "SOC 2010" },
		{ "15113200", "15-1252", "151252", "SOC 2010" },
		{ "31-1121.00", "31-1121", "311120", "Home Health and Personal Care Aides" },
		{ "Substance Abuse Counselor", "21-1011", "211018", "21-1018" },
		{ "31-1120", "31-1120", "311120", NULL },
		{ "Infantry", "55-3016", "553016", "armed forces" },
		{ "55-0000", "55-0000", "550000", "armed forces" },
		{ "45-3031", "45-3031", "453031", "fish and hunt" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct occupation o;
		char digits[7];

		assert_int_equal(occupation_resolve(CASES[i].text, &o, NULL), 0);
		occupation_digits(o.row, digits);
		if (strcmp(o.row->soc, CASES[i].soc) != 0 || strcmp(digits, CASES[i].digits) != 0 ||
		    (CASES[i].warning ? !strstr(o.warning, CASES[i].warning) : *o.warning != '\0'))
			fail_msg("%s: %s %s \"%s\"", CASES[i].text, o.row->soc, digits, o.warning);
	}
	assert_null(occupation_by_soc("15-1131"));
	assert_null(occupation_by_soc("software"));
	assert_string_equal(occupation_by_soc("151252")->title, "Software Developers");
	assert_string_equal(occupation_by_soc2010("15113200")->soc, "15-1252");
}

static void any_bytes_are_survived(void **state)
{
	char junk[2000];
	struct occupation o;
	unsigned seed = 11;

	(void)state;
	for (int round = 0; round < 500; round++) {
		for (size_t i = 0; i + 1 < sizeof junk; i++) {
			seed = seed * 1103515245u + 12345u;
			junk[i] = (char)(seed >> 16 | 1);
		}
		junk[(size_t)round * 4 % sizeof junk] = '\0';
		junk[sizeof junk - 1] = '\0';
		(void)occupation_resolve(junk, &o, NULL);
	}
	memset(junk, 'a', sizeof junk - 1);
	assert_true(occupation_resolve(junk, &o, NULL) < 0);
	memset(junk, '1', sizeof junk - 1);
	assert_true(occupation_resolve(junk, &o, NULL) < 0);
}

static void a_title_costs_microseconds(void **state)
{
	int64_t start;
	struct occupation o;

	(void)state;
	(void)occupation_resolve("nurse", &o, NULL);
	start = clock_mono_us();
	for (size_t i = 0; i < COUNT(JOBS); i++)
		(void)occupation_resolve(JOBS[i].text, &o, NULL);
	print_message("%.1f us a title\n", (double)(clock_mono_us() - start) / COUNT(JOBS));
}

static void texts_fold_to_words_and_slugs(void **state)
{
	char out[FOLD_SIZE], slug[32];

	(void)state;
	fold_text("  Sr. D\xc3\xa9veloppeur\xe2\x80\x94" "C++ ", out);
	assert_string_equal(out, "sr developpeur c++");
	fold_text("Bachelor's", out);
	assert_string_equal(out, "bachelors");
	fold_text("bad \xff\xfe bytes", out);
	assert_string_equal(out, "bad bytes");
	fold_slug("New York, NY", slug, sizeof slug);
	assert_string_equal(slug, "new_york_ny");
	fold_slug("C++ Developer", slug, sizeof slug);
	assert_string_equal(slug, "c_developer");
}

static void distances_count_slips(void **state)
{
	(void)state;
	assert_int_equal(fold_distance("abc", "abc", 3), 0);
	assert_int_equal(fold_distance("abc", "acb", 3), 1);
	assert_int_equal(fold_distance("abc", "abd", 3), 1);
	assert_int_equal(fold_distance("abc", "ab", 3), 1);
	assert_int_equal(fold_distance("abcdef", "zzzzzz", 2), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(titles_resolve_to_their_codes),
		cmocka_unit_test(a_name_resolves_to_itself),
		cmocka_unit_test(every_code_and_title_of_soc_leads_to_its_own_row),
		cmocka_unit_test(unknown_jobs_get_suggestions),
		cmocka_unit_test(close_spelling_is_told),
		cmocka_unit_test(a_vague_text_names_what_else_it_means),
		cmocka_unit_test(words_left_aside_are_told),
		cmocka_unit_test(codes_are_asked_where_oews_has_them),
		cmocka_unit_test(any_bytes_are_survived),
		cmocka_unit_test(a_title_costs_microseconds),
		cmocka_unit_test(texts_fold_to_words_and_slugs),
		cmocka_unit_test(distances_count_slips),
	};

	return cmocka_run_group_tests_name("occupation", tests, NULL, NULL);
}
