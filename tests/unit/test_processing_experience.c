/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/experience.h"

enum { NOTHING = -2 };			/* as the least: no experience is stated */

static const struct {
	const char *text;
	int least, most;		/* months */
} CASES[] = {
	{ "5+ years of experience in software development", 60, -1 },
	{ "3-5 years experience with Java", 36, 60 },
	{ "3–5 years of relevant work experience", 36, 60 },
	{ "At least two years' experience as a nurse", 24, -1 },
	{ "Minimum of 7 yrs exp. is required; 7 years of experience in sales", 84, -1 },
	{ "two to four years of experience", 24, 48 },
	{ "Five (5) or more years of professional experience", 60, -1 },
	{ "• 8+ years in B2B sales", 96, -1 },
	{ "• 3+ years building web applications", 36, -1 },
	{ "You have 10+ years of experience leading teams", 120, -1 },
	{ "6 months of experience in a warehouse", 6, -1 },
	{ "6-12 months customer service experience", 6, 12 },
	{ "1 year experience preferred", 12, -1 },
	{ "a year of experience in retail", 12, -1 },
	{ "1.5 years of experience", 18, -1 },
	{ "Up to 3 years of experience", -1, 36 },
	{ "No experience necessary, we train you", 0, -1 },
	{ "No prior experience required", 0, -1 },
	{ "Experience not required", 0, -1 },
	{ "4 years of experience with SQL, 2 years of experience with Python", 48, -1 },
	{ "5 years of experience required; 10 years of experience preferred", 60, -1 },
	{ "Requires 3 years' experience. We have been in business for 40 years.", 36, -1 },
	{ "2 years to 5 years of experience", 24, 60 },
	{ "Bachelor's degree and 3 years of related experience", 36, -1 },
	{ "Experience: 3 to 5 years", 36, 60 },
	{ "Work experience of 4+ years", 48, -1 },
	{ "You bring 2-3 years hands-on experience", 24, 36 },
	{ "Over 20 years of experience make our company a leader", NOTHING, 0 },
	{ "We have 20 years of experience in logistics", NOTHING, 0 },
	{ "Our firm was founded 35 years ago", NOTHING, 0 },
	{ "Applicants must be at least 18 years old", NOTHING, 0 },
	{ "Must be 21 years of age or older", NOTHING, 0 },
	{ "A fixed-term contract of 2 years", NOTHING, 0 },
	{ "Options vest over 4 years", NOTHING, 0 },
	{ "4-year degree in biology", NOTHING, 0 },
	{ "A two-year program for graduates", NOTHING, 0 },
	{ "Clients have relied on us for the past 12 years", NOTHING, 0 },
	{ "We grew by 30 % in the last 3 years", NOTHING, 0 },
	{ "Shifts of 12 hours, 3 days a week", NOTHING, 0 },
	{ "Our machines come with a 5 year warranty", NOTHING, 0 },
	{ "Mindestens 3 Jahre Berufserfahrung im Vertrieb", 36, -1 },
	{ "3-5 Jahre Berufserfahrung", 36, 60 },
	{ "mindestens fünf Jahre Erfahrung als Projektleiter", 60, -1 },
	{ "Sie bringen zwei bis drei Jahre Erfahrung mit", 24, 36 },
	{ "Erste Führungserfahrung von 2 Jahren", 24, -1 },
	{ "Ein Jahr Praxiserfahrung in der Pflege", 12, -1 },
	{ "Keine Berufserfahrung nötig", 0, -1 },
	{ "Quereinsteiger willkommen", 0, -1 },
	{ "Unser Unternehmen blickt auf 50 Jahre Erfahrung zurück", NOTHING, 0 },
	{ "Du bist mindestens 18 Jahre alt", NOTHING, 0 },
	{ "befristet auf 2 Jahre", NOTHING, 0 },
	{ "Wir sind seit 25 Jahren am Markt", NOTHING, 0 },
	{ "au moins 2 ans d'expérience sur un poste similaire", 24, -1 },
	{ "Expérience de 3 à 5 ans minimum", 36, 60 },
	{ "Vous justifiez d’une expérience de cinq ans", 60, -1 },
	{ "Débutant accepté", 0, -1 },
	{ "un an d'expérience en restauration", 12, -1 },
	{ "Notre entreprise existe depuis 15 ans", NOTHING, 0 },
	{ "CDD de 18 mois", NOTHING, 0 },
	{ "mínimo 3 años de experiencia", 36, -1 },
	{ "Experiencia de 2 a 4 años en ventas", 24, 48 },
	{ "al menos dos años como camarero", 24, -1 },
	{ "Sin experiencia previa", 0, -1 },
	{ "Somos una empresa con 30 años de experiencia", NOTHING, 0 },
	{ "Esperienza di almeno 2 anni nel ruolo", 24, -1 },
	{ "almeno tre anni di esperienza", 36, -1 },
	{ "Azienda con 40 anni di esperienza nel settore", NOTHING, 0 },
	{ "", NOTHING, 0 },
};

static void spans_that_are_asked_for_are_read_and_others_not(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct experience got = { .min_months = NOTHING, .max_months = 0 };

		experience_find(CASES[i].text, strlen(CASES[i].text), &got);
		if (got.min_months == CASES[i].least && got.max_months == CASES[i].most)
			continue;
		wrong++;
		print_error("%s\n  expected %d to %d, got %d to %d\n", CASES[i].text,
			    CASES[i].least, CASES[i].most, got.min_months, got.max_months);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_that_are_asked_for_are_read_and_others_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
