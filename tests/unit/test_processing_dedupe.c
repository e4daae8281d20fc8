/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/dedupe.h"

static struct dedupe_keys keys(const char *title, const char *company, const char *place,
			       const char *link)
{
	struct dedupe_keys k;
	struct place p;

	place_parse(place, "US", &p);
	dedupe_keys_fill(&k, title, company, &p, strcmp(place, "") ? "unknown" : "remote", link);
	return k;
}

static void spellings_of_one_posting_share_a_key(void **state)
{
	struct dedupe_keys a = keys("Sr. Java Developer", "Acme, Inc.", "Austin, TX", NULL);
	struct dedupe_keys b =
		keys("Senior Java Developer", "ACME", "Austin, Texas, United States", NULL);

	(void)state;
	assert_string_equal(a.key, b.key);
	assert_string_equal(a.key, "senior java developer|acme|austin,tx,us");
}

static void another_level_place_company_or_language_is_another_posting(void **state)
{
	static const char *const OTHERS[][3] = {
		{ "Senior Java Developer", "Acme", "Austin, TX" }, { "Java Developer", "Acme Foods", "Austin, TX" },
		{ "Java Developer", "Acme", "Dallas, TX" }, { "Java Developer II", "Acme", "Austin, TX" },
		{ "C++ Developer", "Acme", "Austin, TX" }, { "C# Developer", "Acme", "Austin, TX" },
	};
	struct dedupe_set *set = dedupe_set_open();
	struct dedupe_keys k = keys("Java Developer", "Acme", "Austin, TX", NULL);

	(void)state;
	assert_int_equal(dedupe_set_add(set, &k, 0), -1);
	for (size_t i = 0; i < COUNT(OTHERS); i++) {
		k = keys(OTHERS[i][0], OTHERS[i][1], OTHERS[i][2], NULL);
		assert_int_equal(dedupe_set_add(set, &k, (int)i + 1), -1);
	}
	k = keys("java developer", "Acme LLC", "Austin, TX 78701", NULL);
	assert_int_equal(dedupe_set_add(set, &k, 99), 0);
	dedupe_set_close(set);
}

static void one_link_is_one_posting_unless_place_or_level_contradict(void **state)
{
	static const char LINK[] = "https://jobs.example.com/view/889123?utm_source=x";
	struct dedupe_set *set = dedupe_set_open();
	struct dedupe_keys k = keys("Java Developer", "Acme Staffing", "Austin, TX", LINK);

	(void)state;
	assert_int_equal(dedupe_set_add(set, &k, 0), -1);
	k = keys("Java Developer", "Acme", "Austin, TX",
		 "http://www.jobs.example.com/view/889123/");
	assert_int_equal(dedupe_set_add(set, &k, 1), 0);
	k = keys("Java Developer - Platform", "Acme Staffing", "", LINK);
	assert_int_equal(dedupe_set_add(set, &k, 2), 0);
	k = keys("Java Developer", "Acme Staffing", "Dallas, TX", LINK);
	assert_int_equal(dedupe_set_add(set, &k, 3), -1);
	k = keys("Senior Java Developer", "Acme Staffing", "Austin, TX", LINK);
	assert_int_equal(dedupe_set_add(set, &k, 4), -1);
	dedupe_set_close(set);
}

static void ten_thousand_postings_are_told_apart(void **state)
{
	struct dedupe_set *set = dedupe_set_open();

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 10000; i++) {
			struct dedupe_keys k = keys("Clerk", "Acme", "Austin, TX", NULL);

			snprintf(k.key, sizeof k.key, "clerk %d", i);
			assert_int_equal(dedupe_set_add(set, &k, i), round ? i : -1);
		}
	dedupe_set_close(set);
	dedupe_set_close(NULL);
}

static void a_link_for_all_of_a_companys_jobs_makes_them_none(void **state)
{
	static const char PAGE[] = "https://acme.example/about-us/join-our-team";
	struct dedupe_keys baker = keys("Baker", "Acme", "Austin, TX", PAGE);
	struct dedupe_keys accountant = keys("Accountant", "Acme", "Austin, TX", PAGE);
	struct dedupe_keys pastry = keys("Baker for Pastries", "Acme", "Austin, TX", PAGE);

	(void)state;
	assert_string_equal(baker.link, accountant.link);
	assert_false(dedupe_same_by_link(&baker, &accountant));
	assert_true(dedupe_same_by_link(&baker, &pastry));
	baker = keys("Baker", "Acme", "Austin, TX", "https://acme.example/jobs/4711");
	accountant = keys("Boulanger", "Acme", "Austin, TX", "https://acme.example/jobs/4711");
	assert_true(dedupe_same_by_link(&baker, &accountant));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_of_one_posting_share_a_key),
		cmocka_unit_test(another_level_place_company_or_language_is_another_posting),
		cmocka_unit_test(one_link_is_one_posting_unless_place_or_level_contradict),
		cmocka_unit_test(ten_thousand_postings_are_told_apart),
		cmocka_unit_test(a_link_for_all_of_a_companys_jobs_makes_them_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
