/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/fold.h"
#include "common/market/occupation.h"

static const struct {
	const char *text, *soc, *name;
} JOBS[] = {
	{ "Software Engineer", "15-1252", "Software Engineer" },
	{ "software engineers", "15-1252", "Software Engineer" },
	{ "Senior Software Engineer II", "15-1252", "Software Engineer" },
	{ "Software Developer", "15-1252", "Software Developer" },
	{ "Software Developers", "15-1252", "Software Developer" },
	{ "sofware enginer", "15-1252", "Software Engineer" },
	{ "Python Developer", "15-1252", "Python Developer" },
	{ "Sr. Backend Engineer (m/w/d)", "15-1252", "Backend Engineer" },
	{ "Full Stack Developer", "15-1252", "Full Stack Developer" },
	{ "Full-time Full-Stack Engineer", "15-1252", "Full Stack Engineer" },
	{ "C++ Developer", "15-1252", "C++ Developer" },
	{ "Machine Learning Engineer - Ads", "15-1252", "Machine Learning Engineer" },
	{ "Data Scientist", "15-2051", "Data Scientist" },
	{ "data analyst", "15-2051", "Data Analyst" },
	{ "Data Engineer", "15-1243", "Data Engineer" },
	{ "DBA", "15-1242", "DBA" },
	{ "DevOps Engineer", "15-1244", "Devops Engineer" },
	{ "SRE", "15-1244", "SRE" },
	{ "Systems Administrator", "15-1244", "Systems Administrator" },
	{ "QA", "15-1253", "QA" },
	{ "Front-end Developer", "15-1254", "Front End Developer" },
	{ "UX/UI Designer", "15-1255", "UX UI Designer" },
	{ "Security Analyst", "15-1212", "Security Analyst" },
	{ "Product Manager", "13-1111", "Product Manager" },
	{ "Engineering Manager", "11-3021", "Engineering Manager" },
	{ "Sales Engineer", "41-9031", "Sales Engineer" },
	{ "Développeur logiciel", NULL, NULL },
	{ "15-1252", "15-1252", "Software Developers" },
	{ "15-2051.01", "15-2051", "Data Scientists" },
	{ "151252", "15-1252", "Software Developers" },
};

static void titles_resolve_to_their_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(JOBS); i++) {
		struct occupation o;
		struct err e;
		int r = occupation_resolve(JOBS[i].text, &o, &e);

		if (!JOBS[i].soc) {
			assert_int_equal(r, -ERR_NOT_FOUND);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", JOBS[i].text, e.msg);
		if (strcmp(o.row->soc, JOBS[i].soc) != 0 || strcmp(o.name, JOBS[i].name) != 0)
			fail_msg("%s: %s %s", JOBS[i].text, o.row->soc, o.name);
	}
}

static void unknown_jobs_get_suggestions(void **state)
{
	struct occupation o;
	struct err e;

	(void)state;
	assert_int_equal(occupation_resolve("Nurse Practitioner", &o, &e), -ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "did you mean"));
	assert_int_equal(occupation_resolve("data wizard", &o, &e), -ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "Data"));
	assert_int_equal(occupation_resolve("99-9999", &o, &e), -ERR_NOT_FOUND);
	assert_int_equal(occupation_resolve("", &o, &e), -ERR_INVALID);
	assert_int_equal(occupation_resolve(NULL, &o, &e), -ERR_INVALID);
}

static void close_spelling_is_told(void **state)
{
	struct occupation o;

	(void)state;
	assert_int_equal(occupation_resolve("data scientits", &o, NULL), 0);
	assert_true(o.corrected);
	assert_int_equal(occupation_resolve("data scientist", &o, NULL), 0);
	assert_false(o.corrected);
}

static void every_alias_leads_to_its_own_row(void **state)
{
	char alias[FOLD_SIZE];

	(void)state;
	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++)
		for (const char *p = OCCUPATIONS[i].aliases; *p;) {
			size_t len = strcspn(p, "|");
			struct occupation o;

			snprintf(alias, sizeof alias, "%.*s", (int)len, p);
			if (len > 0 && occupation_resolve(alias, &o, NULL) < 0)
				fail_msg("%s is unknown", alias);
			if (len > 0 && o.row != &OCCUPATIONS[i])
				fail_msg("%s leads to %s", alias, o.row->title);
			p += len + (p[len] == '|');
		}
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
		cmocka_unit_test(unknown_jobs_get_suggestions),
		cmocka_unit_test(close_spelling_is_told),
		cmocka_unit_test(every_alias_leads_to_its_own_row),
		cmocka_unit_test(texts_fold_to_words_and_slugs),
		cmocka_unit_test(distances_count_slips),
	};

	return cmocka_run_group_tests_name("occupation", tests, NULL, NULL);
}
