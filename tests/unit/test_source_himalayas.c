/* SPDX-License-Identifier: MIT */
/* himalayas: the feed and the search, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/himalayas.json"

static int start(void **state)
{
	(void)state;
	bed_source = source_find("himalayas");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_SEARCH);
	return 0;
}

static void a_query_is_searched_for_and_without_one_all_is_told(void **state)
{
	struct conf_source conf = { .base_url = "https://himalayas.app" };
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };

	(void)state;
	bed_builds(&conf, &ask, &at, "https://himalayas.app/jobs/api?limit=20&offset=0");
	at.page = 4;
	bed_builds(&conf, &ask, &at, "https://himalayas.app/jobs/api?limit=20&offset=60");
	ask.query = "C++ & Go";
	ask.country = "de";
	bed_builds(&conf, &ask, &at,
		   "https://himalayas.app/jobs/api/search?q=C%2B%2B%20%26%20Go&country=DE"
		   "&sort=recent&page=4");
	ask.query = "";
	conf.path = "/elsewhere";
	bed_builds(&conf, &ask, &at,
		   "https://himalayas.app/elsewhere/search?country=DE&sort=recent&page=4");
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 404, "", "", SOURCE_MOVED, 0 },
		{ 403, "", "<html>Just a moment...</html>", SOURCE_USED_UP, 3600 },
		{ 429, "", "{\"error\":\"Too many requests\"}", SOURCE_LIMITED, 60 },
		{ 200, "", "{\"jobs\":null}", SOURCE_RETRY, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"offset\":0,\"limit\":20,\"totalCount\":0,\"jobs\":[]}");
}

static void pages_end_with_the_total(void **state)
{
	static const struct {
		int page;
		const char *body;
		bool last;
	} cases[] = {
		{ 1, "{\"offset\":0,\"limit\":20,\"totalCount\":41,\"jobs\":[{}]}", false },
		{ 2, "{\"offset\":20,\"limit\":20,\"totalCount\":41,\"jobs\":[{}]}", false },
		{ 3, "{\"offset\":40,\"limit\":20,\"totalCount\":41,\"jobs\":[{}]}", true },
		{ 2, "{\"offset\":20,\"limit\":20,\"totalCount\":40,\"jobs\":[{}]}", true },
		{ 2, "{\"offset\":5,\"limit\":5,\"totalCount\":11,\"jobs\":[{}]}", false },
		{ 2, "{\"jobs\":[{}]}", false },
		{ 2, "{\"jobs\":[]}", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_place at = { .page = cases[i].page };
		struct source_page page;
		cJSON *body = cJSON_Parse(cases[i].body);

		bed_source->read_page(NULL, &at, body, &page);
		if (page.last != cases[i].last)
			fail_msg("page %d of %s: expected %d, got %d", at.page, cases[i].body,
				 cases[i].last, page.last);
		cJSON_Delete(body);
	}
}

static void a_row_says_what_it_says(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	char room[SOURCE_ID];
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, bed_rows(body)->child, &l));
	assert_string_equal(l.title->valuestring, "Senior Rope Engineer (Rust)");
	assert_string_equal(l.company->valuestring, "Upper Ledge");
	assert_string_equal(l.part[0], "<h3>Overview</h3><p>Ropes &amp; knots.</p>");
	assert_int_equal(l.remote, LISTING_REMOTE);
	assert_int_equal(l.nplaces, 3);
	assert_null(l.place[0].country);
	assert_string_equal(l.place[1].country, "Austria");
	assert_string_equal(l.place[2].country, "Switzerland");
	assert_string_equal(l.country_likely, "");
	assert_string_equal(l.employment.text[0], "Full Time");
	assert_int_equal(l.pay_min->valueint, 62000);
	assert_string_equal(l.pay_currency, "EUR");
	assert_string_equal(l.pay_period, "annual");
	assert_string_equal(l.level, "Senior");
	assert_string_equal(l.category, "Developer");
	assert_int_equal(l.skills.n, 2);
	assert_true(l.posted.epoch == 1783731532);
	assert_true(l.expires.epoch == 1788915531);
	assert_string_equal(l.external_id, bed_source->row_id(bed_rows(body)->child, room));
	cJSON_Delete(body);
}

static void unknown_pay_and_several_levels_say_nothing(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_null(l.pay_min);
	assert_null(l.pay_max);
	assert_null(l.level);
	assert_null(l.category);
	assert_null(l.company_logo);
	assert_int_equal(l.nplaces, 0);
	assert_string_equal(l.part[0], "Pull hard.");
	assert_true(l.expires.epoch == 0);
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
	assert_true(bed_reads_samples("../shared/samples/jobicy_himalayas/himalayas_*.json",
				      NULL) >= 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_is_searched_for_and_without_one_all_is_told),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(pages_end_with_the_total),
		cmocka_unit_test(a_row_says_what_it_says),
		cmocka_unit_test(unknown_pay_and_several_levels_say_nothing),
		cmocka_unit_test(holes_and_wrong_types_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
