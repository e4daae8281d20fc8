/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdbool.h>

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
		{ "R&D team, Series C company, vitamin C", "Research and Development" },
		{ "Ask R. Miller, C. Jones or Mr. D. Go", "" },
		{ "We use Snowflake and Excel. Excel at what you do: excel in teams.", "Snowflake, Excel" },
		{ "Java Developer (Spring)", "Java, Spring" },
		{ "REST or SOAP? Take a rest and use soap.", "REST APIs, SOAP" },
		{ "French food in our Greek office; fluent in French, German B2", "French, German" },
		{ "Strong sales skills. Our sales rose; SAS and a sas", "Sales, SAS" },
		{ "SQL.Experience with Vue.js", "SQL, Vue.js" },
		{ "Kommunikationsfähigkeit, Übersetzung", "Communication, Translation" },
		{ "Bachelor's, driver's license and l'anglais courant", "Driving License, English" },
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

static void the_taxonomy_holds_more_than_a_thousand_skills(void **state)
{
	(void)state;
	assert_true(skills_taxonomy_size() >= 1000);
}

struct score {
	double right, wrong, missed;
};

static bool is_labelled(const cJSON *labels, const char *name)
{
	const cJSON *label;

	cJSON_ArrayForEach(label, labels)
		if (!strcmp(label->valuestring, name))
			return true;
	return false;
}

static void score_line(const char *line, struct score *score)
{
	cJSON *object = cJSON_Parse(line);
	const cJSON *labels = cJSON_GetObjectItem(object, "skills");
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, "text"));
	double right = 0;
	struct skills s;

	assert_non_null(text);
	skills_init(&s);
	skills_find(&s, text, strlen(text));
	for (size_t i = 0; i < s.n; i++)
		right += is_labelled(labels, s.names[i]);
	score->right += right;
	score->wrong += (double)s.n - right;
	score->missed += cJSON_GetArraySize(labels) - right;
	cJSON_Delete(object);
}

/* The even lines were tuned on, the odd ones not. */
static void both_halves_of_the_labelled_set_keep_their_scores(void **state)
{
	static const char *const NAMES[] = { "tuned", "held out" };
	struct score scores[2] = { 0 };
	FILE *f = fopen("tests/bench/labelled/skills.jsonl", "r");
	char *line = NULL;
	size_t size = 0, n = 0;

	(void)state;
	assert_non_null(f);
	while (getline(&line, &size, f) > 0)
		score_line(line, &scores[++n % 2]);
	free(line);
	fclose(f);
	assert_true(n >= 250);
	for (int i = 0; i < 2; i++) {
		double precision = scores[i].right / (scores[i].right + scores[i].wrong);
		double recall = scores[i].right / (scores[i].right + scores[i].missed);

		print_message("%s: precision %.4f, recall %.4f\n", NAMES[i], precision, recall);
		assert_true(precision >= 0.95 && recall >= 0.95);
	}
}

static void texts_of_any_length_are_read_to_their_end(void **state)
{
	char *text = mem_alloc(1 << 20);
	struct skills s;
	size_t n = 0;

	(void)state;
	while (n < (1 << 20) - 100)
		n += (size_t)snprintf(text + n, 100, "nothing of note is said ");
	n += (size_t)snprintf(text + n, 100, "about machine learning");
	skills_init(&s);
	skills_find(&s, text, n);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.names[0], "Machine Learning");
	free(text);
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
		cmocka_unit_test(the_taxonomy_holds_more_than_a_thousand_skills),
		cmocka_unit_test(both_halves_of_the_labelled_set_keep_their_scores),
		cmocka_unit_test(texts_of_any_length_are_read_to_their_end),
		cmocka_unit_test(more_skills_than_fit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
