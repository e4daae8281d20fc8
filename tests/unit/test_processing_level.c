/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/processing/level.h"

static const char CORPUS[] = "../shared/samples/labelled/level_corpus.jsonl";

static void the_strongest_word_wins_with_its_exceptions(void **state)
{
	static const struct {
		const char *title;
		enum level want;
	} CASES[] = {
		{ "Baker", LEVEL_UNKNOWN },
		{ "Marketing Intern (Summer)", LEVEL_INTERN },
		{ "Internal Auditor", LEVEL_UNKNOWN },
		{ "Werkstudent (m/w/d) Controlling", LEVEL_INTERN },
		{ "Jr. Tester", LEVEL_ENTRY },
		{ "Sales Associate", LEVEL_ENTRY },
		{ "Clerk I", LEVEL_ENTRY },
		{ "Clerk II - Evenings", LEVEL_MID },
		{ "Welder III", LEVEL_SENIOR },
		{ "Product Manager", LEVEL_MID },
		{ "Senior Product Manager", LEVEL_SENIOR },
		{ "Plant Manager", LEVEL_MANAGER },
		{ "Gerente de Tienda", LEVEL_MANAGER },
		{ "Sr. Welder", LEVEL_SENIOR },
		{ "Staff Machine Learning Engineer", LEVEL_STAFF },
		{ "Staff Accountant", LEVEL_UNKNOWN },
		{ "Principal Engineer", LEVEL_PRINCIPAL },
		{ "Lead Carpenter", LEVEL_LEAD },
		{ "Lead Generation Specialist", LEVEL_UNKNOWN },
		{ "Director of Nursing", LEVEL_DIRECTOR },
		{ "Head of Design", LEVEL_DIRECTOR },
		{ "Vice President, Claims", LEVEL_EXECUTIVE },
		{ "Assistant Vice President, Claims", LEVEL_MID },
		{ "Chief Financial Officer", LEVEL_EXECUTIVE },
		{ "Senior/Principal Analyst", LEVEL_SENIOR },
		{ "Clerk/Senior Clerk", LEVEL_UNKNOWN },
		{ "Senior Staff Engineer", LEVEL_STAFF },
		{ "Executive Assistant to the CEO", LEVEL_UNKNOWN },
		{ "Case Manager", LEVEL_UNKNOWN },
		{ "Senior Living Cook", LEVEL_UNKNOWN },
		{ "R&I Chemist", LEVEL_UNKNOWN },
		{ "Protocol 2.1 Tester", LEVEL_UNKNOWN },
		{ "Junior Project Manager", LEVEL_ENTRY },
		{ "Management Trainee", LEVEL_ENTRY },
		{ "Chef de projet", LEVEL_MID },
		{ "Chef d'équipe", LEVEL_LEAD },
		{ "Analista Júnior", LEVEL_ENTRY },
		{ "Welder B - Nights", LEVEL_MID },
		{ "", LEVEL_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		if (level_parse(CASES[i].title) != CASES[i].want)
			print_error("%s\n", CASES[i].title);
		assert_int_equal(level_parse(CASES[i].title), CASES[i].want);
	}
	assert_int_equal(level_parse(NULL), LEVEL_UNKNOWN);
}

static void score(const char *path, int floor)
{
	FILE *f = fopen(path, "r");
	int total = 0, right = 0;
	char *line = NULL;
	size_t cap = 0;

	if (!f)
		skip();
	while (getline(&line, &cap, f) > 0) {
		cJSON *row = cJSON_Parse(line);

		total++;
		right += !strcmp(level_name(level_parse(json_str(row, "title", ""))),
				 json_str(row, "level", ""));
		cJSON_Delete(row);
	}
	free(line);
	fclose(f);
	print_message("level: %d of %d titles right\n", right, total);
	assert_true(right * 100 >= total * floor);
}

static void our_own_labelled_titles_are_read(void **state)
{
	(void)state;
	score("tests/bench/labelled/level.jsonl", 99);
}

static void the_labelled_titles_are_scored(void **state)
{
	(void)state;
	score(CORPUS, 97);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_strongest_word_wins_with_its_exceptions),
		cmocka_unit_test(our_own_labelled_titles_are_read),
		cmocka_unit_test(the_labelled_titles_are_scored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
