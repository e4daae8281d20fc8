/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "common/base/mem.h"
#include "workers/processing/benefits.h"

/* In the order of the vocabulary. */
static const struct {
	const char *text, *want;
} CASES[] = {
	{ "Medical, dental and vision insurance", "health_insurance dental_coverage vision_coverage" },
	{ "Health, dental, and vision plans", "health_insurance dental_coverage vision_coverage" },
	{ "medical/dental/vision", "health_insurance dental_coverage vision_coverage" },
	{ "Comprehensive health insurance", "health_insurance" },
	{ "401(k) with company match", "retirement_savings" },
	{ "401k and PTO", "retirement_savings paid_time_off" },
	{ "Unlimited PTO and paid holidays", "paid_time_off paid_holidays" },
	{ "25 days holiday plus bank holidays", "paid_time_off paid_holidays" },
	{ "Paid time off, sick leave and parental leave", "paid_time_off sick_leave parental_leave" },
	{ "Life insurance, short-term disability", "life_insurance disability_insurance" },
	{ "HSA and FSA accounts", "health_savings_account" },
	{ "Tuition reimbursement", "tuition_reimbursement" },
	{ "Student loan repayment", "student_loan_assistance" },
	{ "Annual bonus and stock options", "bonus stock_options" },
	{ "Sign-on bonus of $5,000", "bonus signing_bonus" },
	{ "Employee referral program", "referral_bonus" },
	{ "Profit sharing", "profit_sharing" },
	{ "Uncapped commission", "commission" },
	{ "Relocation assistance available", "relocation_assistance" },
	{ "Visa sponsorship", "visa_sponsorship" },
	{ "Flexible hours and work from home", "flexible_hours work_from_home" },
	{ "Gym membership and wellness program", "wellness_program gym_membership" },
	{ "Employee assistance program (EAP)", "employee_assistance" },
	{ "Commuter benefits, free parking", "commuter_benefits free_parking" },
	{ "Company car and phone allowance", "company_car company_phone" },
	{ "Cycle to work scheme", "bike_leasing" },
	{ "Free lunch every Friday, team events", "free_food team_events" },
	{ "Dog-friendly office", "dog_friendly_office" },
	{ "Childcare vouchers", "childcare" },
	{ "Pet insurance, volunteer time off", "pet_insurance volunteer_time_off" },
	{ "Paid training and career advancement", "professional_development" },
	{ "Mental health support", "mental_health" },
	{ "Paid sabbatical after five years", "sabbatical" },
	{ "Fertility benefits", "family_planning" },
	{ "4-day work week", "four_day_week" },
	{ "Overtime pay and shift differential", "overtime_pay" },
	{ "Our vision is a world without waste", "" },
	{ "Dental assistant with a passion for health", "" },
	{ "You will hate PTo", "" },
	{ "A company that cares", "" },
	{ "30 Tage Urlaub und flexible Arbeitszeiten", "paid_time_off flexible_hours" },
	{ "Betriebliche Altersvorsorge, Weihnachtsgeld", "retirement_savings thirteenth_salary" },
	{ "Jobticket, JobRad und Homeoffice", "work_from_home commuter_benefits bike_leasing" },
	{ "Dienstwagen auch zur privaten Nutzung", "company_car" },
	{ "Kostenlose Getränke und Obstkorb", "free_food" },
	{ "Mitarbeiterrabatte, Urban Sports Club", "gym_membership employee_discount" },
	{ "Weiterbildungsmöglichkeiten und Teamevents", "professional_development team_events" },
	{ "Unbefristeter Arbeitsvertrag", "job_security" },
	{ "Zuschuss zur Kinderbetreuung", "childcare" },
	{ "Vermögenswirksame Leistungen", "retirement_savings" },
	{ "Mutuelle et tickets restaurant", "health_insurance meal_vouchers" },
	{ "RTT, télétravail, 13ème mois", "paid_time_off work_from_home thirteenth_salary" },
	{ "Intéressement, participation aux bénéfices", "profit_sharing" },
	{ "Voiture de fonction", "company_car" },
	{ "Crèche d'entreprise", "childcare" },
	{ "Prime annuelle et formation continue", "bonus professional_development" },
	{ "Seguro médico y ticket restaurante", "health_insurance meal_vouchers" },
	{ "Teletrabajo y horario flexible", "flexible_hours work_from_home" },
	{ "23 días de vacaciones", "paid_time_off" },
	{ "Plan de pensiones, coche de empresa", "retirement_savings company_car" },
	{ "Formación continua", "professional_development" },
	{ "Buoni pasto e smart working", "work_from_home meal_vouchers" },
	{ "Assicurazione sanitaria, auto aziendale", "health_insurance company_car" },
	{ "Tredicesima e quattordicesima", "thirteenth_salary" },
	{ "Orario flessibile", "flexible_hours" },
	{ "", "" },
};

static void list(const struct benefits *b, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; benefits_name(i); i++)
		if (b->set >> i & 1)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " " : "",
					      benefits_name(i));
}

static bool holds_the_same(const char *got, const char *want)
{
	char padded[512], word[64];

	if (strlen(got) != strlen(want))
		return false;
	snprintf(padded, sizeof padded, " %s ", got);
	while (*want) {
		size_t n = strcspn(want, " ");

		snprintf(word, sizeof word, " %.*s ", (int)n, want);
		if (!strstr(padded, word))
			return false;
		want += n + (want[n] == ' ');
	}
	return true;
}

static void phrases_in_five_languages_say_them(void **state)
{
	size_t wrong = 0;
	char got[512];

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct benefits b;

		benefits_init(&b);
		benefits_find(&b, CASES[i].text, strlen(CASES[i].text));
		list(&b, got, sizeof got);
		if (holds_the_same(got, CASES[i].want))
			continue;
		wrong++;
		print_error("%s\n  expected %s\n  got %s\n", CASES[i].text, CASES[i].want, got);
	}
	assert_int_equal(wrong, 0);
}

static void names_of_a_source_are_taken_where_they_are_known(void **state)
{
	struct benefits b;
	char got[512];

	(void)state;
	benefits_init(&b);
	benefits_add(&b, "paid_time_off");
	benefits_add(&b, "Dental coverage");
	benefits_add(&b, "a nice view");
	benefits_add(&b, "");
	list(&b, got, sizeof got);
	assert_string_equal(got, "dental_coverage paid_time_off");
	assert_int_equal(benefits_count(&b), 2);
}

static void every_name_of_the_vocabulary_is_understood(void **state)
{
	(void)state;
	for (unsigned i = 0; benefits_name(i); i++) {
		struct benefits b;

		benefits_init(&b);
		benefits_add(&b, benefits_name(i));
		if (!(b.set >> i & 1))
			print_error("%s\n", benefits_name(i));
		assert_true(b.set >> i & 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phrases_in_five_languages_say_them),
		cmocka_unit_test(names_of_a_source_are_taken_where_they_are_known),
		cmocka_unit_test(every_name_of_the_vocabulary_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
