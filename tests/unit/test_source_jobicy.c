/* SPDX-License-Identifier: MIT */
/* jobicy: the request, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/jobicy.json"

static int start(void **state)
{
	(void)state;
	bed_source = source_find("jobicy");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_SEARCH);
	return 0;
}

static void only_countries_that_it_names_are_sent(void **state)
{
	struct conf_source conf = { .base_url = "https://jobicy.com/api/v2" };
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };

	(void)state;
	bed_builds(&conf, &ask, &at, "https://jobicy.com/api/v2/remote-jobs?count=100");
	ask.query = "data engineer";
	ask.country = "GB";
	bed_builds(&conf, &ask, &at,
		   "https://jobicy.com/api/v2/remote-jobs?count=100&geo=uk&tag=data%20engineer");
	ask.country = "aq";
	bed_builds(&conf, &ask, &at,
		   "https://jobicy.com/api/v2/remote-jobs?count=100&tag=data%20engineer");
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 404, "", "<html>not here</html>", SOURCE_MOVED, 0 },
		{ 404, "", "{\"success\":false,\"error\":\"unknown geo\"}", SOURCE_BAD_REQUEST, 0 },
		{ 200, "", "{\"success\":false,\"message\":\"unknown geo\"}", SOURCE_BAD_REQUEST, 0 },
		{ 400, "", "{\"success\":false,\"error\":\"count\"}", SOURCE_BAD_REQUEST, 0 },
		{ 403, "", "<html>Just a moment...</html>", SOURCE_USED_UP, 3600 },
		{ 200, "", "{\"jobs\":{},\"success\":true}", SOURCE_RETRY, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"jobCount\":0,\"jobs\":[],\"success\":true}");
	assert_string_equal(bed_judge(200, "", cases[2].body, true).reason,
			    "HTTP 200 with an error: unknown geo");
}

static void the_answer_is_one_page(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct source_page page;
	char room[SOURCE_ID];

	(void)state;
	bed_source->read_page(NULL, NULL, body, &page);
	assert_int_equal(cJSON_GetArraySize(page.rows), 3);
	assert_true(page.last);
	assert_string_equal(bed_source->row_id(page.rows->child, room), "9000001");
	cJSON_Delete(body);
}

static void a_row_says_what_it_says(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, bed_rows(body)->child, &l));
	assert_string_equal(l.title->valuestring, "Data Engineer, Rain &amp; Hail");
	assert_string_equal(l.company->valuestring, "Gauge &amp; Sons");
	assert_string_equal(l.part[0], "<p>We count drops &#8211; all of them.</p>");
	assert_int_equal(l.nplaces, 4);
	assert_null(l.place[0].text);
	assert_string_equal(l.place[1].text, "EMEA");
	assert_string_equal(l.place[3].text, "USA");
	assert_string_equal(l.country_likely, "");
	assert_int_equal(l.remote, LISTING_REMOTE);
	assert_int_equal(l.employment.n, 2);
	assert_string_equal(l.employment.text[1], "Contract");
	assert_int_equal(l.pay_min->valueint, 6100);
	assert_string_equal(l.pay_period, "monthly");
	assert_string_equal(l.pay_currency, "USD");
	assert_string_equal(l.level, "Senior");
	assert_string_equal(l.category, "Data Science &amp; Analytics");
	assert_string_equal(l.posted.text, "2026-07-10T20:00:05+00:00");
	assert_string_equal(l.external_id, "9000001");
	cJSON_Delete(body);
}

static void the_older_names_are_read_too(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_string_equal(l.pay_min->valuestring, "52000");
	assert_string_equal(l.pay_max->valuestring, "60000");
	assert_string_equal(l.pay_period, "yearly");
	assert_string_equal(l.employment.text[0], "part-time");
	assert_string_equal(l.category, "Weather");
	assert_int_equal(l.nplaces, 1);
	assert_string_equal(l.place[0].text, "Anywhere");
	assert_string_equal(l.part[0], "Counting stones.");
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 2), &l));
	assert_null(l.pay_min);
	assert_int_equal(l.nplaces, 0);
	assert_null(l.category);
	cJSON_Delete(body);
}

static void holes_and_wrong_types_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

static void recorded_answers_are_read(void **state)
{
	(void)state;
	assert_true(bed_reads_samples("../shared/samples/jobicy_himalayas/jobicy_*.json", NULL) >=
		    7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_countries_that_it_names_are_sent),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(the_answer_is_one_page),
		cmocka_unit_test(a_row_says_what_it_says),
		cmocka_unit_test(the_older_names_are_read_too),
		cmocka_unit_test(holes_and_wrong_types_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
