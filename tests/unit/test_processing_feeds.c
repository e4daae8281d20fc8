/* SPDX-License-Identifier: MIT */
/* feeds: one answer of our own of each feed, through source and rules, to what an analyst reads. */
#include "tests/unit/reads_bed.h"

static void adzuna_keeps_its_guesses_apart(void **state)
{
	static const char *const ROWS[] = {
		"Senior Data Engineer / Brackenfold Ltd / Cranleigh, GB / unknown / "
		"6200000-7000000 GBP YEAR / FULLTIME / 2026-11-18",
		"Platform Engineer / Tarn & Thistle / London, GB / unknown / "
		"5861237-5861237 GBP YEAR guessed / FULLTIME / 2026-11-17",
		"Go Developer / Pinyon Loop / Mesa Verde Springs, US / unknown /  / CONTRACTOR / 2026-11-16",
		"Missing required field: company.display_name",
	};

	(void)state;
	READS_AS("adzuna", ROWS);
}

static void usajobs_pays_by_code(void **state)
{
	static const char *const ROWS[] = {
		"IT Specialist (SYSANALYSIS) / Bureau of Lighthouse Keeping / Denver, US / hybrid / "
		"9216600-16160000 USD YEAR / FULLTIME / 2026-11-10",
		"Data Scientist / Department of Coasts / , US / remote / "
		"125000-190000 USD TWO_WEEKS / PARTTIME / 2026-11-12",
		"Student Volunteer / Bureau of Lighthouse Keeping / Astoria, US / onsite /  / / "
		"2026-11-13",
	};

	(void)state;
	READS_AS("usajobs", ROWS);
}

static void themuse_names_several_places(void **state)
{
	static const char *const ROWS[] = {
		"Senior Backend Engineer / Gorsefield / Denver, US / remote /  / / 2026-11-15",
		"Backend Engineer / Gorsefield / ,  / remote /  / / 2026-11-14",
		"Missing required field: company.name",
	};

	(void)state;
	READS_AS("themuse", ROWS);
}

static void remotive_writes_pay_freely(void **state)
{
	static const char *const ROWS[] = {
		"Backend Developer (Python) / Hollowmere Cooperative / , US / remote / "
		"9000000-11000000 USD YEAR / FULLTIME / 2026-11-17",
		"Inside Sales / Hollowmere Cooperative / ,  / remote / "
		"2500000-3500000 USD YEAR / CONTRACTOR / 2026-11-17",
		"Illustrator / Hollowmere Cooperative / ,  / remote /  / / 2026-11-17",
		"Engineer / Hollowmere Cooperative / ,  / remote / 9000-15000 USD HOUR / / 2026-11-17",
	};

	(void)state;
	READS_AS("remotive", ROWS);
}

static void arbeitnow_is_german_whatever_was_asked(void **state)
{
	static const char *const ROWS[] = {
		"Java-Entwickler / Fliederbach Digital GmbH / Hamburg, DE / unknown /  / FULLTIME / 2025-11-17",
		"Marketing Manager / Fliederbach Digital GmbH / Berlin, DE / remote /  / FULLTIME / 2025-11-17",
		"Werkstudent IT / Fliederbach Digital GmbH / ,  / unknown /  / / 2025-11-17",
	};

	(void)state;
	READS_AS("arbeitnow", ROWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adzuna_keeps_its_guesses_apart),
		cmocka_unit_test(usajobs_pays_by_code),
		cmocka_unit_test(themuse_names_several_places),
		cmocka_unit_test(remotive_writes_pay_freely),
		cmocka_unit_test(arbeitnow_is_german_whatever_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
