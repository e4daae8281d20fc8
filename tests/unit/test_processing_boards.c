/* SPDX-License-Identifier: MIT */
/* boards: one answer of our own of each board, through source and rules, to what analysts read. */
#include "tests/unit/reads_bed.h"

static void greenhouse_pays_in_cents_and_in_fields_of_its_own(void **state)
{
	static const char *const ROWS[] = {
		"Senior Beam Engineer (C++) / Quillfern / , PT / remote /  / / 2026-09-02",
		"Missing required field: company_name",
		"Buoy Technician / quill fern / Halifax, CA / unknown / 4900000-7000050 "
		"CAD YEAR / / 2026-10-01",
	};

	(void)state;
	READS_AS("greenhouse", ROWS);
}

static void lever_does_not_name_its_employer(void **state)
{
	static const char *const ROWS[] = {
		"Chart Engineer II / tidewright / Lisbon, PT / hybrid / 5200000-6800000 "
		"EUR YEAR / FULLTIME / 2026-05-19",
		"Map Intern / tidewright / ,  / remote / 2200-2200 EUR HOUR / INTERN / "
		"2026-05-17",
	};

	(void)state;
	READS_AS("lever", ROWS);
}

static void ashby_pays_a_salary_and_no_equity(void **state)
{
	static const char *const ROWS[] = {
		"Kiln Engineer / Glaze Works / Leeds, GB / hybrid / 6150000-8000000 GBP "
		"YEAR / FULLTIME / 2026-09-07",
		"Clay Intern / Glaze Works / ,  / remote /  / INTERN / 2026-09-08",
		"",	/* not listed */
	};

	(void)state;
	READS_AS("ashby", ROWS);
}

static void remoteok_begins_with_a_notice(void **state)
{
	static const char *const ROWS[] = {
		"",	/* the notice */
		"Lens Software Engineer / Farglass / ,  / remote / 7000000-9500000 USD "
		"YEAR / FULLTIME / 2026-08-02",
		"Sdf / Nobody / ,  / remote /  / / 2026-08-02",
		"Dev / Mono / ,  / remote / 0-6000000 EUR YEAR / / ",
	};

	(void)state;
	READS_AS("remoteok", ROWS);
}

static void himalayas_limits_countries(void **state)
{
	static const char *const ROWS[] = {
		"Senior Rope Engineer (Rust) / Upper Ledge / ,  / remote / "
		"6200000-9100000 EUR YEAR / FULLTIME / 2026-07-11",
		"Knot Tester / Upper Ledge / ,  / remote /  / CONTRACTOR / 2026-07-11",
	};

	(void)state;
	READS_AS("himalayas", ROWS);
}

static void jobicy_writes_entities(void **state)
{
	static const char *const ROWS[] = {
		"Data Engineer, Rain & Hail / Gauge & Sons / ,  / remote / 610000-790000 "
		"USD MONTH / FULLTIME CONTRACTOR / 2026-07-10",
		"Hail Analyst / Gauge & Sons / ,  / remote / 5200000-6000000 EUR YEAR / "
		"PARTTIME / 2025-07-10",
		"Cloud Writer / Cirrus / ,  / remote /  / / 2026-07-10",
	};

	(void)state;
	READS_AS("jobicy", ROWS);
}

static void indeed_marks_its_guesses(void **state)
{
	static const char *const ROWS[] = {
		"Bell Founder / Clapper & Crown / Dayton, US / unknown / 3150-4000 USD "
		"HOUR / FULLTIME / 2026-07-11",
		"Missing required field: employer.name",
	};

	(void)state;
	READS_AS("indeed", ROWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greenhouse_pays_in_cents_and_in_fields_of_its_own),
		cmocka_unit_test(lever_does_not_name_its_employer),
		cmocka_unit_test(ashby_pays_a_salary_and_no_equity),
		cmocka_unit_test(remoteok_begins_with_a_notice),
		cmocka_unit_test(himalayas_limits_countries),
		cmocka_unit_test(jobicy_writes_entities),
		cmocka_unit_test(indeed_marks_its_guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
