/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/request.h"

static struct request read_request(const char *text)
{
	struct request r;
	cJSON *o = NULL;
	struct err e;

	assert_int_equal(json_parse(text, strlen(text), &o, &e), 0);
	if (request_read(o, &r, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	cJSON_Delete(o);
	return r;
}

static void what_is_not_said_has_its_default(void **state)
{
	struct request r =
		read_request("{\"location\":\"NYC\",\"occupation\":\"SRE\",\"industry\":null}");

	(void)state;
	assert_true(r.want_market && r.want_confidence);
	assert_int_equal(r.strategy, STRATEGY_STANDARD);
	assert_int_equal(r.max_age_s, -1);
	assert_int_equal(r.year, 0);
	assert_int_equal(cJSON_GetArraySize(r.warnings), 0);
	request_release(&r);
}

static void all_members_are_read_in_callers_forms(void **state)
{
	struct request r = read_request(
		"{\"location\":\"NYC\",\"occupation\":\"sofware enginer\",\"industry\":"
		"\"Technology\",\"experience_level\":\"Mid\",\"education_level\":\"Bachelor's\",\"year\":\"2025\","
		"\"include_market_data\":\"no\",\"include_confidence_scores\":false,"
		"\"cache_strategy\":\"CONSERVATIVE\","
		"\"max_age\":\"12h\"}");

	(void)state;
	assert_string_equal(r.education, "Bachelor's");
	assert_string_equal(r.occupation.name, "Software Engineer");
	assert_int_equal(r.year, 2025);
	assert_false(r.want_market || r.want_confidence);
	assert_int_equal(r.strategy, STRATEGY_CONSERVATIVE);
	assert_int_equal(r.max_age_s, 43200);
	assert_int_equal(cJSON_GetArraySize(r.warnings), 1);
	request_release(&r);
}

static const struct {
	const char *text, *says;
} WRONG[] = {
	{ "[]", "must be an object" },
	{ "{\"location\":null,\"occupation\":\"SRE\"}", "location is missing" },
	{ "{\"location\":[\"NYC\"],\"occupation\":\"SRE\"}", "location must be a text" },
	{ "{\"location\":\"NYC\",\"occupation\":\"\"}", "occupation is empty" },
	{ "{\"location\":\"NYC\",\"occupation\":\"SRE\",\"industry\":7}", "industry must be a text" },
	{ "{\"location\":\"NYC\",\"occupation\":\"SRE\",\"experience_level\":"
	  "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", "longer than 50 bytes" },
	{ "{\"location\":\"NYC\",\"occupation\":\"SRE\",\"year\":1800}", "year must be" },
	{ "{\"location\":\"NYC\",\"occupation\":\"SRE\",\"year\":2024.5}", "year must be a whole" },
	{ "{\"location\":\"NYC\",\"occupation\":\"SRE\",\"max_age\":\"soon\"}", "max_age: \"" },
	{ "{\"location\":\"NYC\",\"occupation\":\"SRE\",\"max_age\":1e300}", "max_age" },
	{ "{\"location\":\"NYC\",\"occupation\":\"SRE\",\"include_confidence_scores\":\"maybe\"}",
	  "include_confidence_scores" },
	{ "{\"location\":\"NYC\",\"occupation\":\"SRE\",\"cache_strategy\":\"wild\"}", "aggressive" },
};

static void wrong_members_are_named_with_what_would_be_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		cJSON *o = NULL;
		struct request r;
		struct err e;

		assert_int_equal(json_parse(WRONG[i].text, strlen(WRONG[i].text), &o, NULL), 0);
		assert_int_equal(request_read(o, &r, &e), -ERR_INVALID);
		if (!strstr(e.msg, WRONG[i].says))
			fail_msg("%s: %s", WRONG[i].text, e.msg);
		cJSON_Delete(o);
	}
	assert_true(request_read(NULL, &(struct request){ 0 }, NULL) < 0);
}

static void a_warning_is_cut_between_characters(void **state)
{
	/* 59 bytes, then a letter of two: cut at 60 it would be torn */
	struct request r = read_request(
		"{\"location\":\"NYC\",\"occupation\":\"SRE\","
		"\"12345678901234567890123456789012345678901234567890123456789\u00e9\":1}");

	(void)state;
	assert_string_equal(cJSON_GetArrayItem(r.warnings, 0)->valuestring,
			    "request_data.12345678901234567890123456789012345678901234567890123456789"
			    " is not known here and was ignored");
	request_release(&r);
}

static const struct {
	const char *location, *occupation, *key;
} KEYS[] = {
	{ "New York, NY", "Software Engineer", "salary_data:new_york:software_engineer:ny:us:any:any:any:latest" },
	{ "NYC", "software engineers", "salary_data:new_york:software_engineer:ny:us:any:any:any:latest" },
	{ "Portland, ME", "QA", "salary_data:portland:qa:me:us:any:any:any:latest" },
	{ "Portland", "QA", "salary_data:portland:qa:or:us:any:any:any:latest" },
	{ "St. Louis", "R&D Engineer", "salary_data:st_louis:r_d_engineer:mo:us:any:any:any:latest" },
	{ "Texas", "DBA", "salary_data:texas:dba:tx:us:any:any:any:latest" },
	{ "Remote", "DBA", "salary_data:united_states:dba:us:us:any:any:any:latest" },
	{ "New York State", "DBA", "salary_data:new_york_state:dba:ny:us:any:any:any:latest" },
	{ "Vancouver, WA", "DBA", "salary_data:vancouver:dba:wa:us:any:any:any:latest" },
	{ "Vancouver, Canada", "DBA", "salary_data:vancouver:dba:bc:ca:any:any:any:latest" },
	{ "Singapore", "DBA", "salary_data:singapore:dba:any:sg:any:any:any:latest" },
};

static void spellings_of_one_question_give_one_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(KEYS); i++) {
		char key[CACHEKEY_SIZE];
		struct request r;

		assert_int_equal(request_make(KEYS[i].location, KEYS[i].occupation, &r, NULL), 0);
		cachekey_make(CACHEKEY_SALARY, &r, key);
		assert_string_equal(key, KEYS[i].key);
		request_release(&r);
	}
}

static void key_of(const char *occupation, const char *industry, const char *education,
		   char key[CACHEKEY_SIZE])
{
	struct request r;

	assert_int_equal(request_make("NYC", occupation, &r, NULL), 0);
	snprintf(r.industry, sizeof r.industry, "%s", industry);
	snprintf(r.education, sizeof r.education, "%s", education);
	cachekey_make(CACHEKEY_SALARY, &r, key);
	assert_int_equal(strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_:"), strlen(key));
	request_release(&r);
}

/* Each line another question; what a slug alone would lose tells them apart. */
static void different_questions_have_different_keys(void **state)
{
	static const char *const ASKED[][3] = {
		{ "DBA", "", "" }, { "DBA", "教育", "" }, { "DBA", "金融", "" },
		{ "DBA", "🍕", "" }, { "DBA", "IT 教育", "" }, { "DBA", "IT", "" },
		{ "C++ Developer", "", "" }, { "C# Developer", "", "" },
		{ "C Developer", "", "" },
		{ "DBA", "", "Bachelor's degree in Computer Science" },
		{ "DBA", "", "Bachelor's degree in Computer Engineering" },
		{ "DBA", "", "Bachelor's degree in Co" },
	};
	char keys[COUNT(ASKED)][CACHEKEY_SIZE], again[CACHEKEY_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(ASKED); i++) {
		key_of(ASKED[i][0], ASKED[i][1], ASKED[i][2], keys[i]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(keys[i], keys[j]);
	}
	key_of("dba", "", "BACHELORS degree  in computer science", again);
	assert_string_equal(again, keys[9]);
	key_of("DBA", "", "Bachelor's degree in Co", again);
	assert_non_null(strstr(again, ":bachelors_degree_in_co:any:latest"));
}

static void the_longest_key_fits_its_column(void **state)
{
	char key[CACHEKEY_SIZE];
	struct request r;

	(void)state;
	assert_int_equal(
		request_make(
			"Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch Upon The Hill, TX",
			"Computer, Automated Teller, and Office Machine Repairers", &r, NULL),
		0);
	memset(r.industry, 'i', sizeof r.industry - 1);
	memset(r.experience, 'e', sizeof r.experience - 1);
	memset(r.education, 'd', sizeof r.education - 1);
	r.year = 2025;
	cachekey_make("confidence_scores", &r, key);
	assert_true(strlen(key) < 255);
	assert_non_null(strstr(key, ":2025"));
	request_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(all_members_are_read_in_callers_forms),
		cmocka_unit_test(wrong_members_are_named_with_what_would_be_right),
		cmocka_unit_test(a_warning_is_cut_between_characters),
		cmocka_unit_test(spellings_of_one_question_give_one_key),
		cmocka_unit_test(different_questions_have_different_keys),
		cmocka_unit_test(the_longest_key_fits_its_column),
	};

	return cmocka_run_group_tests_name("salary request", tests, NULL, NULL);
}
