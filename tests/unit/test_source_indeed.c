/* SPDX-License-Identifier: MIT */
/* indeed: the partner adapter's request, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/indeed.json"
#define KEY "t0ken-of-the-test"

static int start(void **state)
{
	(void)state;
	bed_source = source_find("indeed");
	assert_non_null(bed_source);
	return 0;
}

static void a_search_is_a_post_with_a_token(void **state)
{
	struct conf_source conf = { .base_url = "https://apis.indeed.com" };
	struct source_ask ask = { BED_ASK, .key = KEY, .id = "us" };
	struct source_place at = { .page = 2, .token = "bmV4dA==" };
	const cJSON *variables;
	struct source_request r;
	cJSON *body;
	char *params;

	(void)state;
	ask.query = "bell \"founder\"";
	ask.location = "Dayton, OH";
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, NULL), 0);
	assert_string_equal(buf_text(&r.url), "https://apis.indeed.com/graphql");
	assert_true(bed_has_header(&r, "Authorization: Bearer " KEY));
	assert_true(bed_has_header(&r, "indeed-client-id: us"));
	assert_true(bed_has_header(&r, "Content-Type: application/json"));
	assert_int_equal(json_parse(buf_text(&r.body), r.body.len, &body, NULL), 0);
	variables = json_get(body, "variables");
	assert_non_null(strstr(json_str(body, "query", ""), "jobSearch("));
	assert_string_equal(json_str(variables, "what", ""), ask.query);
	assert_string_equal(json_str(json_get(variables, "location"), "where", ""), ask.location);
	assert_string_equal(json_str(variables, "cursor", ""), at.token);
	params = json_print(r.params);
	assert_string_equal(params, "{\"what\":\"bell \\\"founder\\\"\",\"where\":\"Dayton, OH\","
				    "\"cursor\":\"bmV4dA==\"}");
	assert_null(strstr(buf_text(&r.body), KEY));
	free(params);
	cJSON_Delete(body);
	source_request_release(&r);
}

static void without_a_token_none_is_sent(void **state)
{
	struct conf_source conf = { .base_url = "https://apis.indeed.com" };
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };
	struct source_request r;

	(void)state;
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, NULL), 0);
	assert_null(r.headers[1]);
	assert_non_null(strstr(buf_text(&r.body), "\"cursor\":null"));
	source_request_release(&r);
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 401, "", "{\"errors\":[{\"message\":\"expired\"}]}", SOURCE_KEY_REFUSED, 0 },
		{ 403, "", "", SOURCE_KEY_REFUSED, 0 },
		{ 200, "", "{\"errors\":[{\"message\":\"Not authorized\"}],\"data\":null}",
		  SOURCE_KEY_REFUSED, 0 },
		{ 200, "", "{\"errors\":[{\"message\":\"Unknown argument\"}]}", SOURCE_BAD_REQUEST, 0 },
		{ 200, "", "{\"errors\":[],\"data\":{\"jobSearch\":null}}", SOURCE_RETRY, 0 },
		{ 200, "", "{\"errors\":[{\"message\":\"in part\"}],"
		  "\"data\":{\"jobSearch\":{\"results\":[]}}}", SOURCE_OK, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"data\":{\"jobSearch\":{\"pageInfo\":{},\"results\":[]}}}");
}

static void pages_follow_the_cursor(void **state)
{
	cJSON *body = bed_file(FIXTURE),
	      *last = cJSON_Parse("{\"data\":{\"jobSearch\":{\"pageInfo\":"
				  "{\"nextCursor\":null},\"results\":[]}}}");
	struct source_page page;
	char room[SOURCE_ID];

	(void)state;
	bed_source->read_page(NULL, NULL, body, &page);
	assert_int_equal(cJSON_GetArraySize(page.rows), 2);
	assert_string_equal(page.token, "bmV4dA==");
	assert_false(page.last);
	assert_string_equal(bed_source->row_id(page.rows->child, room), "a1b2c3d4e5f60001");
	bed_source->read_page(NULL, NULL, last, &page);
	assert_true(page.last);
	cJSON_Delete(body);
	cJSON_Delete(last);
}

static void a_row_says_what_it_says(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, bed_rows(body)->child, &l));
	assert_string_equal(l.title->valuestring, "Bell Founder");
	assert_string_equal(l.company->valuestring, "Clapper & Crown");
	assert_string_equal(l.company_website, "https://clapper.example");
	assert_string_equal(l.part[0], "<p>Cast bells in <b>Python</b>.</p>");
	assert_string_equal(l.place[0].city, "Dayton");
	assert_string_equal(l.place[0].region, "OH");
	assert_string_equal(l.place[0].country, "US");
	assert_string_equal(l.place[0].postal_code, "45402");
	assert_string_equal(l.employment.text[0], "Full-time");
	assert_string_equal(l.skills.text[0], "Python");
	assert_true(l.posted.epoch == INT64_C(1783731532000));
	assert_true(l.pay_min->valuedouble == 31.5);
	assert_string_equal(l.pay_period, "HOUR");
	assert_string_equal(l.pay_currency, "USD");
	assert_false(l.pay_estimated);
	assert_string_equal(l.pay.text[0], "$31.50 - $40.00 an hour");
	assert_string_equal(l.publisher, "Indeed");
	cJSON_Delete(body);
}

static void a_guess_is_marked_as_one(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_true(l.pay_estimated);
	assert_int_equal(l.pay_min->valueint, 30000);
	assert_string_equal(l.pay_currency, "EUR");
	assert_string_equal(l.place[0].country, "Belgium");
	assert_null(l.company);
	cJSON_Delete(body);
}

static void holes_and_wrong_types_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_is_a_post_with_a_token),
		cmocka_unit_test(without_a_token_none_is_sent),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(pages_follow_the_cursor),
		cmocka_unit_test(a_row_says_what_it_says),
		cmocka_unit_test(a_guess_is_marked_as_one),
		cmocka_unit_test(holes_and_wrong_types_are_survived),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
