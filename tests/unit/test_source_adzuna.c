/* SPDX-License-Identifier: MIT */
/* adzuna: requests by country and page, every answer, and what a row says. */
#include "common/base/clock.h"
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/adzuna.json"
#define KEY "k3y-of-the-test"
#define ID "id-of-the-test"
#define SECRETS "&app_id=" ID "&app_key=" KEY

static const struct conf_source conf = { .base_url = "https://api.adzuna.com/v1/api" };

static int start(void **state)
{
	(void)state;
	bed_source = source_find("adzuna");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_SEARCH);
	return 0;
}

static void country_and_page_stand_in_the_path(void **state)
{
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };

	(void)state;
	ask.key = KEY;
	ask.id = ID;
	ask.query = "C++ & Go";
	bed_builds(&conf, &ask, &at, "https://api.adzuna.com/v1/api/jobs/us/search/1?"
		   "what=C%2B%2B%20%26%20Go&results_per_page=50" SECRETS);
	ask.location = "Leeds";
	ask.country = "GB";
	ask.employment_types = "FULLTIME";
	ask.remote_only = true;
	at.page = 3;
	bed_builds(&conf, &ask, &at, "https://api.adzuna.com/v1/api/jobs/gb/search/3?"
		   "what=C%2B%2B%20%26%20Go%20remote&where=Leeds&distance=30&full_time=1"
		   "&results_per_page=50" SECRETS);
}

static void what_is_stored_names_the_country_and_neither_id_nor_key(void **state)
{
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 2 };
	struct source_request r;
	char *params;

	(void)state;
	ask.key = KEY;
	ask.id = ID;
	ask.query = "x";
	ask.country = "de";
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, NULL), 0);
	params = json_print(r.params);
	assert_string_equal(params, "{\"country\":\"de\",\"page\":2,\"what\":\"x\","
			    "\"results_per_page\":\"50\"}");
	assert_null(r.headers[0]);
	free(params);
	source_request_release(&r);
}

static void a_country_it_does_not_serve_costs_no_call(void **state)
{
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };
	struct source_request r;
	struct err e = { 0 };

	(void)state;
	ask.country = "jp";
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, &e), -ERR_INVALID);
	assert_non_null(strstr(e.msg, "jp"));
}

static void age_is_asked_for_in_days(void **state)
{
	static const int64_t HOUR = INT64_C(3600) * 1000000, NOW = INT64_C(1795219200) * 1000000;
	static const struct {
		const char *date_posted, *age;
		int64_t since_us;
	} cases[] = {
		{ "", "", 0 },
		{ "all", "", 0 },
		{ "today", "&max_days_old=1", 0 },
		{ "week", "&max_days_old=7", 0 },
		{ "", "&max_days_old=1&sort_by=date", NOW - HOUR },
		{ "", "&max_days_old=2&sort_by=date", NOW - 30 * HOUR },
		{ "3days", "&max_days_old=3&sort_by=date", NOW - 300 * HOUR },
		{ "month", "&max_days_old=13&sort_by=date", NOW - 300 * HOUR },
		{ "", "&max_days_old=1&sort_by=date", NOW + 5 * HOUR },
	};
	struct source_place at = { .page = 1 };

	(void)state;
	clock_fix_wall(NOW);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_ask ask = { BED_ASK };
		char *url = mem_printf("https://api.adzuna.com/v1/api/jobs/us/search/1?what=x%s"
				       "&results_per_page=50", cases[i].age);

		ask.query = "x";
		ask.date_posted = cases[i].date_posted;
		ask.since_us = cases[i].since_us;
		bed_builds(&conf, &ask, &at, url);
		free(url);
	}
	clock_fix_wall(0);
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 401, "", "{\"doc\":\"https://x\",\"display\":\"Authorisation failed\","
		  "\"exception\":\"AUTH_FAIL\",\"__CLASS__\":\"x\"}", SOURCE_KEY_REFUSED, 0 },
		{ 200, "", "{\"display\":\"Authorisation failed\",\"exception\":\"AUTH_FAIL\"}",
		  SOURCE_KEY_REFUSED, 0 },
		{ 200, "", "{\"display\":\"oops\",\"exception\":\"OTHER\"}", SOURCE_RETRY, 0 },
		{ 200, "", "{\"results\":{}}", SOURCE_RETRY, 0 },
		{ 400, "", "{\"display\":\"bad\",\"exception\":\"INVALID_PARAM\"}", SOURCE_BAD_REQUEST,
		  0 },
		{ 403, "", "", SOURCE_KEY_REFUSED, 0 },
		{ 404, "", "<html>Not found</html>", SOURCE_MOVED, 0 },
		{ 410, "", "", SOURCE_MOVED, 0 },
		{ 429, "", "{\"display\":\"Daily limit exceeded\",\"exception\":\"LIMIT\"}",
		  SOURCE_USED_UP, 86400 },
		{ 429, "Retry-After: 500\r\n", "{\"display\":\"Daily limit exceeded\"}", SOURCE_USED_UP,
		  500 },
		{ 429, "", "{\"display\":\"Weekly limit exceeded\"}", SOURCE_USED_UP, 7 * 86400 },
		{ 429, "", "{\"display\":\"Monthly limit exceeded\"}", SOURCE_USED_UP, 30 * 86400 },
		{ 429, "", "{\"display\":\"Too many hits per minute\"}", SOURCE_LIMITED, 60 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"count\":0,\"results\":[]}");
	assert_string_equal(bed_judge(401, "", cases[0].body, true).reason,
			    "HTTP 401: Authorisation failed");
}

static void pages_end_with_the_count_or_a_short_page(void **state)
{
	static const struct {
		int rows, page;
		const char *count;
		bool last;
	} cases[] = {
		{ 50, 1, "51", false }, { 50, 1, "50", true }, { 50, 2, "100", true },
		{ 50, 2, "101", false }, { 49, 1, "1000", true }, { 0, 1, "0", true },
		{ 50, 7, "null", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		cJSON *body = cJSON_CreateObject(),
		      *rows = cJSON_AddArrayToObject(body, "results");
		struct source_place at = { .page = cases[i].page };
		struct source_page page;

		json_set_raw(body, "count", cases[i].count);
		for (int n = 0; n < cases[i].rows; n++)
			cJSON_AddItemToArray(rows, cJSON_CreateObject());
		cJSON *again = NULL;
		char *text = json_print(body);
		assert_int_equal(json_parse(text, strlen(text), &again, NULL), 0);
		free(text);
		bed_source->read_page(&conf, &at, again, &page);
		assert_int_equal(cJSON_GetArraySize(page.rows), cases[i].rows);
		assert_null(page.token);
		if (page.last != cases[i].last)
			fail_msg("page %d with %d of %s rows: last is %d", cases[i].page,
				 cases[i].rows, cases[i].count, page.last);
		cJSON_Delete(body);
		cJSON_Delete(again);
	}
}

static void the_first_row_says_all(const cJSON *row)
{
	struct listing l;
	char room[SOURCE_ID];

	assert_true(bed_reads(NULL, row, &l));
	assert_string_equal(bed_source->row_id(row, room), "5900000001");
	assert_string_equal(l.external_id, "5900000001");
	assert_string_equal(l.title->valuestring, "Senior <strong>Data</strong> Engineer");
	assert_string_equal(l.company->valuestring, "Brackenfold Ltd");
	assert_int_equal(l.nplaces, 1);
	assert_string_equal(l.place[0].text, "Cranleigh, Surrey");
	assert_string_equal(l.place[0].city, "Cranleigh");
	assert_string_equal(l.place[0].region, "South East England");
	assert_string_equal(l.place[0].country, "GB");
	assert_true(l.place[0].has_coordinates);
	assert_int_equal(l.pay_min->valueint, 62000);
	assert_int_equal(l.pay_max->valueint, 70000);
	assert_string_equal(l.pay_currency, "GBP");
	assert_string_equal(l.pay_period, "YEAR");
	assert_false(l.pay_estimated);
	assert_int_equal(l.employment.n, 2);
	assert_string_equal(l.employment.text[0], "full_time");
	assert_string_equal(l.employment.text[1], "permanent");
	assert_string_equal(l.posted.text, "2026-11-18T08:33:45Z");
	assert_string_equal(l.category, "IT Jobs");
	assert_non_null(l.apply_url);
	assert_int_equal(l.nparts, 1);
	assert_int_equal(l.remote, LISTING_UNSAID);
}

static void the_rows_of_our_own_answer_are_read(void **state)
{
	cJSON *answer = bed_file(FIXTURE), *query = cJSON_Parse("{\"country\":\"gb\"}");
	const cJSON *row = bed_rows(answer)->child;
	struct listing l;
	char room[SOURCE_ID];

	(void)state;
	the_first_row_says_all(row);
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_true(l.pay_estimated);
	assert_string_equal(l.place[0].city, "London");
	assert_null(l.category);
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_string_equal(l.place[0].region, "Colorado");
	assert_string_equal(l.place[0].city, "Mesa Verde Springs");
	assert_string_equal(l.place[0].country, "US");
	assert_string_equal(l.pay_currency, "USD");
	assert_null(l.pay_period);
	row = row->next;
	assert_true(bed_reads(query, row, &l));
	assert_null(l.company);
	assert_string_equal(l.company_name, "company.display_name");
	assert_string_equal(l.pay_min->valuestring, "41000");
	assert_null(l.pay_max);
	assert_string_equal(l.pay_currency, "GBP");
	assert_string_equal(l.place[0].country, "GB");
	assert_null(l.apply_url);
	assert_string_equal(bed_source->row_id(row, room), "5900000004");
	assert_null(row->next);
	cJSON_Delete(answer);
	cJSON_Delete(query);
}

static void a_county_is_no_city(void **state)
{
	static const struct {
		const char *area, *region, *city, *country;
	} cases[] = {
		{ "[\"UK\"]", NULL, NULL, "UK" },
		{ "[\"US\",\"Texas\"]", "Texas", NULL, "US" },
		{ "[\"US\",\"Texas\",\"Ector County\"]", "Texas", NULL, "US" },
		{ "[\"UK\",\"Scotland\",\"Glasgow\"]", "Scotland", "Glasgow", "UK" },
		{ "[\"UK\",\"Wales\",\"Cardiff County\",\"Cardiff\",\"Splott\"]", "Wales", "Cardiff",
		  "UK" },
		{ "[\"UK\",\"London\",\"Central London\",\"Soho\"]", "London", "London", "UK" },
		{ "[\"UK\",7,null]", NULL, NULL, "UK" },
		{ "{\"a\":\"UK\"}", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = mem_printf("{\"location\":{\"area\":%s}}", cases[i].area);
		cJSON *row = cJSON_Parse(text);
		const char *wanted[3] = { cases[i].region, cases[i].city, cases[i].country };
		struct listing l;

		assert_true(bed_reads(NULL, row, &l));
		const char *got[3] = { l.place[0].region, l.place[0].city, l.place[0].country };
		for (int n = 0; n < 3; n++)
			if (wanted[n] ? !got[n] || strcmp(wanted[n], got[n]) != 0 : got[n] != NULL)
				fail_msg("%s: expected %s, got %s", text, wanted[n], got[n]);
		cJSON_Delete(row);
		free(text);
	}
}

static void holes_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

static void recorded_answers_are_read(void **state)
{
	(void)state;
	assert_int_equal(bed_reads_samples("../shared/samples/adzuna/[14].json", NULL), 53);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(country_and_page_stand_in_the_path),
		cmocka_unit_test(what_is_stored_names_the_country_and_neither_id_nor_key),
		cmocka_unit_test(a_country_it_does_not_serve_costs_no_call),
		cmocka_unit_test(age_is_asked_for_in_days),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(pages_end_with_the_count_or_a_short_page),
		cmocka_unit_test(the_rows_of_our_own_answer_are_read),
		cmocka_unit_test(a_county_is_no_city),
		cmocka_unit_test(holes_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
