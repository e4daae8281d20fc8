/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/soc.h"

static void a_title_has_a_role_and_a_code(void **state)
{
	static const struct {
		const char *title, *code, *role;
	} CASES[] = {
		{ "Software Engineer", "15-1252", "software engineer" },
		{ "Sr. Back-End Developer (Python), Payments", "15-1252", "software engineer" },
		{ "Softwareentwickler", "15-1252", "software engineer" },
		{ "Développeur web", "15-1254", "web developer" },
		{ "Senior Staff Accountant II", "13-2011", "accountant" },
		{ "Accountants", "13-2011", "accountant" },
		{ "Registered Nurse - ICU, Nights", "29-1141", "registered nurse" },
		{ "Infirmier de nuit", "29-1141", "registered nurse" },
		{ "Night Baker", "51-3011", "baker" },
		{ "Staff Nurse", "29-1141", "registered nurse" },
		{ "Nurse Practitioner", "29-1171", "nurse practitioner" },
		{ "CDL A Truck Driver", "53-3032", "truck driver" },
		{ "Lagermitarbeiter", "53-7062", "warehouse worker" },
		{ "Director of Nursing", "11-9111", "medical and health services manager" },
		{ "Project Mgr, Rail", "13-1082", "project manager" },
		{ "Executive Assistant to the CEO", "43-6011", "executive assistant" },
		{ "Server", "35-3031", "server" },
		{ "Consultant", "13-1111", "consultant" },
		{ "Master Electrician", "47-2111", "electrician" },
		{ "Attorney", "23-1011", "lawyer" },
		{ "Police Officer", "33-3051", "police officer" },
		{ "Roofer - Flat Roofs", "47-2181", "roofer" },
		{ "Deckhand", "53-5011", "sailor" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		const struct soc *soc = soc_of(CASES[i].title);

		if (!soc)
			fail_msg("%s names nothing", CASES[i].title);
		if (strcmp(soc->role, CASES[i].role))
			print_error("%s\n", CASES[i].title);
		assert_string_equal(soc->role, CASES[i].role);
		assert_string_equal(soc->code, CASES[i].code);
	}
}

static void a_title_that_names_no_work_has_none(void **state)
{
	static const char *const TITLES[] = { "", "Talent Pool", "Xyzzy", "Denver, CO", "Lead" };

	(void)state;
	for (size_t i = 0; i < COUNT(TITLES); i++)
		assert_null(soc_of(TITLES[i]));
	/* a word for a waiter that heads nothing here */
	assert_true(!soc_of("Server Administrator") ||
		    strcmp(soc_of("Server Administrator")->code, "35-3031") != 0);
	assert_null(soc_of("Hydration Consultant"));
}

static void an_answer_is_remembered(void **state)
{
	(void)state;
	assert_ptr_equal(soc_of("Welder"), soc_of("Welder"));
	assert_ptr_equal(soc_of("Night Welder")->role, soc_of("Welder")->role);
}

static void codes_of_2010_become_those_of_2018(void **state)
{
	(void)state;
	assert_string_equal(soc_of_onet("15113200"), "15-1252");
	assert_string_equal(soc_of_onet("15113400"), "15-1254");
	assert_string_equal(soc_of_onet("29114100"), "29-1141");
	assert_string_equal(soc_of_onet("51401100"), "51-9161");
	assert_null(soc_of_onet("99999900"));
	assert_null(soc_of_onet("15"));
	assert_null(soc_of_onet(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_title_has_a_role_and_a_code),
		cmocka_unit_test(a_title_that_names_no_work_has_none),
		cmocka_unit_test(an_answer_is_remembered),
		cmocka_unit_test(codes_of_2010_become_those_of_2018),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
