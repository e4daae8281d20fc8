/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/remote.h"

static void the_strongest_word_wins(void **state)
{
	static const struct {
		bool flag;
		const char *title, *location, *text;
		enum remote want;
	} CASES[] = {
		{ false, "Nurse", "Tulsa, OK", "Care for patients.", REMOTE_UNKNOWN },
		{ true, "Nurse", "Tulsa, OK", "Care for patients.", REMOTE_REMOTE },
		{ true, "Writer", "Anywhere", "Hybrid role: 3 days in office.", REMOTE_HYBRID },
		{ true, "Writer (hybrid)", NULL, NULL, REMOTE_HYBRID },
		{ false, "Programador 100% remoto", NULL, "", REMOTE_REMOTE },
		{ false, "Buchhalter Homeoffice", NULL, "", REMOTE_REMOTE },
		{ false, "Writer", "Remote, Italy", "", REMOTE_REMOTE },
		{ false, "Writer", "Rome", "This is a fully remote position.", REMOTE_REMOTE },
		{ false, "Writer", "Rome", "You work remotely, from anywhere.", REMOTE_REMOTE },
		{ false, "Writer", "Rome", "This is an on-site role.", REMOTE_ONSITE },
		{ false, "Writer", "Rome", "100% vor Ort.", REMOTE_ONSITE },
		{ false, "Writer", "Rome", "Two days: 2 Tage Homeoffice pro Woche.", REMOTE_HYBRID },
		{ false, "Writer", "Rome", "2 jours de télétravail par semaine", REMOTE_HYBRID },
		{ false, "Writer", "Rome", "modalidad híbrida", REMOTE_HYBRID },
		{ false, "Mechanic", "Rome", "Repair hybrid vehicles and hybrid cloud.", REMOTE_UNKNOWN },
		{ false, "Remote Sensing Analyst", "Rome", "remote sensing and remote teams", REMOTE_UNKNOWN },
		{ false, "Writer", "Rome", "On-site in our office; remote work is not possible.", REMOTE_ONSITE },
		{ false, "Redattore (Ibrido)", "Roma", "", REMOTE_HYBRID },
		{ false, "Cook", "Rome", "On-site gym and cafeteria.", REMOTE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		const char *text = CASES[i].text;
		enum remote got = remote_combine(CASES[i].flag, CASES[i].title, CASES[i].location,
						 text, text ? strlen(text) : 0);

		if (got != CASES[i].want)
			print_error("%s | %s: %s\n", CASES[i].title, text ? text : "",
				    remote_name(got));
		assert_int_equal(got, CASES[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_strongest_word_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
