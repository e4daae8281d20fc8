/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/education.h"

static const struct {
	const char *text, *level;
	const char *flags;		/* e = or experience, p = only preferred */
} CASES[] = {
	{ "Bachelor's degree in Computer Science", "bachelors", "" },
	{ "Bachelor’s degree in Finance or equivalent experience", "bachelors", "e" },
	{ "BS or MS in Electrical Engineering", "bachelors", "" },
	{ "B.S. in Mathematics required", "bachelors", "" },
	{ "BA/BS degree", "bachelors", "" },
	{ "BSc in Nursing", "bachelors", "" },
	{ "Bachelor of Science in Nursing (BSN)", "bachelors", "" },
	{ "Degree in Marketing or related field", "bachelors", "" },
	{ "A four-year degree from an accredited university", "bachelors", "" },
	{ "University degree required", "bachelors", "" },
	{ "Master's degree in Statistics", "masters", "" },
	{ "MBA required", "masters", "" },
	{ "MBA preferred", "masters", "p" },
	{ "Bachelor's degree required. Master's degree preferred.", "bachelors", "" },
	{ "Master's or PhD in Physics", "masters", "" },
	{ "PhD in Chemistry", "doctorate", "" },
	{ "Ph.D. in Economics is required", "doctorate", "" },
	{ "Doctorate in Physical Therapy", "doctorate", "" },
	{ "Juris Doctor from an accredited law school", "doctorate", "" },
	{ "High school diploma or GED", "high_school", "" },
	{ "High School Diploma or equivalent", "high_school", "e" },
	{ "GED required", "high_school", "" },
	{ "High school diploma required; Bachelor's degree preferred", "high_school", "" },
	{ "Associate's degree in Accounting", "associates", "" },
	{ "Associate degree or higher", "associates", "" },
	{ "Two-year degree in electronics", "associates", "" },
	{ "Advanced degree in Biology", "postgraduate", "" },
	{ "Postgraduate qualification in law", "postgraduate", "" },
	{ "Bachelor's degree or equivalent combination of education and experience", "bachelors", "e" },
	{ "Bachelor's degree is a plus", "bachelors", "p" },
	{ "Scrum Master with MS Office skills", "", "" },
	{ "Headquartered in Boston, MA", "", "" },
	{ "Work with master data and BS 7671 wiring", "", "" },
	{ "Tutoring high school students", "", "" },
	{ "Associates enjoy a discount", "", "" },
	{ "A high degree of accuracy; 90 degrees in summer", "", "" },
	{ "Abgeschlossenes Studium der Informatik", "bachelors", "" },
	{ "Hochschulstudium oder vergleichbare Qualifikation", "bachelors", "e" },
	{ "Abgeschlossene Berufsausbildung als Mechatroniker", "high_school", "" },
	{ "Abgeschlossene kaufmännische Ausbildung", "high_school", "" },
	{ "Abitur oder Fachhochschulreife", "high_school", "" },
	{ "Masterabschluss in Maschinenbau", "masters", "" },
	{ "Diplom-Ingenieur (m/w/d)", "masters", "" },
	{ "Abgeschlossene Promotion in Biologie", "doctorate", "" },
	{ "Studium im Bereich Elektrotechnik von Vorteil", "bachelors", "p" },
	{ "Neben dem Studium arbeiten", "", "" },
	{ "Eine Promotion in unserem Markt", "", "" },
	{ "Titulaire d'un Bac+5 en informatique", "masters", "" },
	{ "Diplôme d'ingénieur ou équivalent", "masters", "e" },
	{ "Bac +2 en comptabilité", "associates", "" },
	{ "BTS ou DUT en électronique", "associates", "" },
	{ "Licence professionnelle", "bachelors", "" },
	{ "CAP cuisine exigé", "high_school", "" },
	{ "Doctorat en chimie", "doctorate", "" },
	{ "Licenciatura en Derecho", "bachelors", "" },
	{ "Grado en Enfermería", "bachelors", "" },
	{ "Máster en Finanzas", "masters", "" },
	{ "Bachillerato terminado", "high_school", "" },
	{ "Ciclo formativo de grado superior", "associates", "" },
	{ "Doctorado en Física", "doctorate", "" },
	{ "Laurea in Economia", "bachelors", "" },
	{ "Laurea magistrale in Ingegneria", "masters", "" },
	{ "Diploma di scuola superiore", "high_school", "" },
	{ "Dottorato di ricerca", "doctorate", "" },
	{ "", "", "" },
};

static void the_lowest_degree_that_is_asked_for_counts(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct education e;
		char flags[3] = "", *f = flags;
		const char *level;

		education_find(CASES[i].text, strlen(CASES[i].text), &e);
		level = education_name(e.level) ? education_name(e.level) : "";
		if (e.or_experience)
			*f++ = 'e';
		if (e.preferred)
			*f++ = 'p';
		if (!strcmp(level, CASES[i].level) && !strcmp(flags, CASES[i].flags))
			continue;
		wrong++;
		print_error("%s\n  expected \"%s\" %s, got \"%s\" %s\n", CASES[i].text,
			    CASES[i].level, CASES[i].flags, level, flags);
	}
	assert_int_equal(wrong, 0);
}

static void levels_and_their_names_belong_together(void **state)
{
	(void)state;
	assert_null(education_name(EDUCATION_UNKNOWN));
	for (unsigned i = 1; i < EDUCATION_COUNT; i++)
		assert_int_equal(education_of(education_name(i)), i);
	assert_int_equal(education_of("kindergarten"), EDUCATION_UNKNOWN);
	assert_int_equal(education_of(NULL), EDUCATION_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_degree_that_is_asked_for_counts),
		cmocka_unit_test(levels_and_their_names_belong_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
