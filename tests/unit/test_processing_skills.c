/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/skills.h"

struct text {
	const char *text, *want;
};

static void check(const struct text *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct skills s;
		char got[512] = "";

		skills_init(&s);
		skills_find(&s, cases[i].text, strlen(cases[i].text));
		for (size_t k = 0; k < s.n; k++)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", k ? ", " : "",
				 s.names[k]);
		if (strcmp(got, cases[i].want))
			print_error("%s\n", cases[i].text);
		assert_string_equal(got, cases[i].want);
	}
}

static void names_and_aliases_give_the_canonical_skill(void **state)
{
	static const struct text CASES[] = {
		{ "Python, PostgreSQL and k8s on AWS.", "Python, PostgreSQL, Kubernetes, AWS" },
		{ "We use Node.js/React.js with C++ or C#", "Node.js, React, C++, C#" },
		{ "ASP.NET Core and .NET", "ASP.NET, .NET" },
		{ "CI/CD with GitHub Actions; REST APIs", "CI/CD, GitHub Actions, REST APIs" },
		{ "•PyTorch•scikit-learn", "PyTorch, scikit-learn" },
		{ "SQL SQL sql", "SQL" },
		{ "Spring Boot microservices", "Spring Boot, Microservices" },
		{ "Pythonic rubytastic javanese", "" },
		{ "Kubernet\xE2s Python", "Python" },
		{ "Python\xE2\x80", "" },
		{ "", "" },
	};

	(void)state;
	check(CASES, COUNT(CASES));
}

static void letters_and_everyday_words_count_only_in_context(void **state)
{
	static const struct text CASES[] = {
		{ "Experience in Python, R and SQL", "Python, R, SQL" },
		{ "Embedded systems in C, C++ and Rust", "Embedded Systems, C, C++, Rust" },
		{ "Strong knowledge of Go", "Go" },
		{ "Go developer wanted", "Go" },
		{ "R programming", "R" },
		{ "R&D team, Series C company, vitamin C", "" },
		{ "C-level reporting, C-suite, Plan C", "" },
		{ "Ready to go? Go to market strategy. We go beyond", "" },
		{ "Go-to-market and go live", "" },
		{ "Swift action in spring; rust removal; a chef", "" },
		{ "iOS with Swift and Kotlin", "iOS, Swift, Kotlin" },
		{ "Chef, Puppet or Ansible", "Chef, Puppet, Ansible" },
	};

	(void)state;
	check(CASES, COUNT(CASES));
}

static void the_taxonomy_holds_some_hundred_skills(void **state)
{
	(void)state;
	assert_true(skills_taxonomy_size() >= 400);
}

static void more_skills_than_fit_are_left_out(void **state)
{
	char *everything = mem_alloc(1 << 20);
	FILE *f = fopen("workers/processing/skills.tsv", "r");
	struct skills s;
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(everything, 1, 1 << 20, f);
	fclose(f);
	skills_init(&s);
	skills_find(&s, everything, n);
	assert_int_equal(s.n, SKILLS_MAX);
	free(everything);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_aliases_give_the_canonical_skill),
		cmocka_unit_test(letters_and_everyday_words_count_only_in_context),
		cmocka_unit_test(the_taxonomy_holds_some_hundred_skills),
		cmocka_unit_test(more_skills_than_fit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
