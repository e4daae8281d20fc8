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

static void the_labelled_titles_score_at_least_ninety_five_per_cent(void **state)
{
	FILE *f = fopen(CORPUS, "r");
	int total = 0, right = 0;
	char *line = NULL;
	size_t cap = 0;

	(void)state;
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
	assert_true(right * 100 >= total * 95);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_strongest_word_wins_with_its_exceptions),
		cmocka_unit_test(the_labelled_titles_score_at_least_ninety_five_per_cent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
