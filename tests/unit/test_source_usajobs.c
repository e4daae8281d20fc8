/* SPDX-License-Identifier: MIT */
/* usajobs: who asks, with which filters, every answer, and what a nested row says. */
#include "common/base/clock.h"
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/usajobs.json"
#define KEY "k3y-of-the-test"
#define BASE "https://data.usajobs.gov/api/Search?"
#define TAIL "Fields=Full&Page=%d&ResultsPerPage=250"

static const struct conf_source conf = { .base_url = "https://data.usajobs.gov/api",
					 .path = "/Search", .id_variable = "USAJOBS_EMAIL" };

static int start(void **state)
{
	(void)state;
	bed_source = source_find("usajobs");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_SEARCH);
	return 0;
}

static void builds(const struct source_ask *ask, int page, const char *filters)
{
	struct source_place at = { .page = page };
	char *url = mem_printf(BASE "%s" TAIL, filters, page);

	bed_builds(&conf, ask, &at, url);
	free(url);
}

static void filters_stand_in_the_query(void **state)
{
	struct source_ask ask = { BED_ASK };

	(void)state;
	ask.id = "owner@fleet.example";
	ask.key = KEY;
	builds(&ask, 1, "");
	ask.query = "IT specialist";
	ask.location = "Denver, Colorado";
	builds(&ask, 2, "Keyword=IT%20specialist&LocationName=Denver%2C%20Colorado&");
	ask.query = ask.location = "";
	ask.remote_only = true;
	ask.employment_types = "PARTTIME";
	builds(&ask, 1, "RemoteIndicator=True&PositionScheduleTypeCode=2&");
}

static void age_is_asked_for_in_days_up_to_sixty(void **state)
{
	static const int64_t DAY = INT64_C(86400) * 1000000, NOW = INT64_C(1795219200) * 1000000;
	static const struct {
		const char *date_posted, *filter;
		int64_t since_us;
	} cases[] = {
		{ "today", "DatePosted=1&", 0 },
		{ "all", "", 0 },
		{ "", "DatePosted=4&", NOW - 3 * DAY },
		{ "week", "DatePosted=7&", NOW - 30 * DAY },
		{ "month", "DatePosted=31&", 0 },
		{ "", "", NOW - 100 * DAY },
		{ "", "DatePosted=1&", NOW + DAY },
	};

	(void)state;
	clock_fix_wall(NOW);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_ask ask = { BED_ASK };

		ask.id = "owner@fleet.example";
		ask.date_posted = cases[i].date_posted;
		ask.since_us = cases[i].since_us;
		builds(&ask, 1, cases[i].filter);
	}
	clock_fix_wall(0);
}

static void who_asks_says_so_and_key_stays_out_of_the_url(void **state)
{
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };
	struct source_request r;
	struct err e = { 0 };

	(void)state;
	ask.key = KEY;
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, &e), -ERR_INVALID);
	assert_non_null(strstr(e.msg, "USAJOBS_EMAIL"));
	ask.id = "owner@fleet.example";
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, NULL), 0);
	assert_true(bed_has_header(&r, "User-Agent: owner@fleet.example"));
	assert_true(bed_has_header(&r, "Authorization-Key: " KEY));
	assert_null(strstr(buf_text(&r.url), KEY));
	source_request_release(&r);
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 401, "", "", SOURCE_KEY_REFUSED, 0 },
		{ 401, "", "{\"Message\":\"Authorization has been denied for this request.\"}",
		  SOURCE_KEY_REFUSED, 0 },
		{ 403, "", "<html>Access denied</html>", SOURCE_KEY_REFUSED, 0 },
		{ 404, "", "{\"Message\":\"No HTTP resource was found\"}", SOURCE_MOVED, 0 },
		{ 200, "", "{\"SearchResult\":{}}", SOURCE_RETRY, 0 },
		{ 200, "", "{\"SearchResult\":{\"SearchResultItems\":{}}}", SOURCE_RETRY, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"SearchResult\":{\"SearchResultItems\":[]}}");
	assert_string_equal(bed_judge(401, "", cases[1].body, true).reason,
			    "HTTP 401: Authorization has been denied for this request.");
}

static void pages_are_counted_by_a_text(void **state)
{
	static const struct {
		int page;
		const char *pages;
		bool last;
	} cases[] = {
		{ 1, "\"3\"", false }, { 3, "\"3\"", true }, { 1, "\"1\"", true }, { 2, "3", false },
		{ 1, "\"0\"", true }, { 1, "null", true }, { 1, "\"many\"", true },
		{ 39, "\"99\"", false }, { 40, "\"99\"", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = mem_printf("{\"SearchResult\":{\"SearchResultItems\":[{}],"
					"\"UserArea\":{\"NumberOfPages\":%s}}}", cases[i].pages);
		struct source_place at = { .page = cases[i].page };
		cJSON *body = cJSON_Parse(text);
		struct source_page page;

		bed_source->read_page(&conf, &at, body, &page);
		assert_int_equal(cJSON_GetArraySize(page.rows), 1);
		if (page.last != cases[i].last)
			fail_msg("page %d of %s: last is %d", cases[i].page, cases[i].pages,
				 page.last);
		cJSON_Delete(body);
		free(text);
	}
}

static void the_first_row_says_all(const cJSON *row)
{
	struct listing l;
	char room[SOURCE_ID];

	assert_true(bed_reads(NULL, row, &l));
	assert_string_equal(bed_source->row_id(row, room), "880000101");
	assert_string_equal(l.external_id, "880000101");
	assert_string_equal(l.title->valuestring, "IT Specialist (SYSANALYSIS)");
	assert_string_equal(l.company->valuestring, "Bureau of Lighthouse Keeping");
	assert_int_equal(l.nplaces, 2);
	assert_string_equal(l.place[0].text, "Denver, Colorado");
	assert_string_equal(l.place[0].region, "Colorado");
	assert_string_equal(l.place[0].country, "United States");
	assert_true(l.place[0].has_coordinates);
	assert_string_equal(l.place[1].country, "Germany");
	assert_string_equal(l.pay_min->valuestring, "92166.0000");
	assert_string_equal(l.pay_max->valuestring, "161600.0000");
	assert_string_equal(l.pay_period, "PA");
	assert_string_equal(l.pay_currency, "USD");
	assert_int_equal(l.nparts, 6);
	assert_string_equal(l.part[0], "You keep the registers of 400 lighthouses.");
	assert_string_equal(l.part[2], "Write requirements.");
	assert_int_equal(l.employment.n, 2);
	assert_int_equal(l.remote, LISTING_HYBRID);
	assert_string_equal(l.posted.text, "2026-11-10T00:00:00.0000");
	assert_string_equal(l.expires.text, "2026-12-01T23:59:59.9970");
	assert_string_equal(l.apply_url,
			    "https://www.usajobs.gov:443/job/880000101?PostingChannelID=");
	assert_string_equal(l.category, "Information Technology Management");
}

static void the_rows_of_our_own_answer_are_read(void **state)
{
	cJSON *answer = bed_file(FIXTURE);
	const cJSON *row = bed_rows(answer)->child;
	struct listing l;

	(void)state;
	the_first_row_says_all(row);
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_string_equal(l.company->valuestring, "Department of Coasts");
	assert_int_equal(l.nplaces, 1);
	assert_null(l.place[0].text);
	assert_string_equal(l.place[0].country, "United States");
	assert_false(l.place[0].has_coordinates);
	assert_int_equal(l.remote, LISTING_REMOTE);
	assert_string_equal(l.pay_period, "BW");
	assert_string_equal(l.apply_url, "https://www.usajobs.gov:443/job/880000102");
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_null(l.pay_min);
	assert_null(l.pay_period);
	assert_int_equal(l.remote, LISTING_ONSITE);
	assert_null(row->next);
	cJSON_Delete(answer);
}

static void sixty_places_are_too_many(void **state)
{
	cJSON *row = cJSON_Parse("{\"MatchedObjectDescriptor\":{}}"),
	      *places = cJSON_AddArrayToObject(row->child, "PositionLocation");
	struct listing l;

	(void)state;
	for (int i = 0; i < 60; i++)
		cJSON_AddItemToArray(places, cJSON_Parse("{\"LocationName\":\"Here, Ohio\"}"));
	assert_true(bed_reads(NULL, row, &l));
	assert_int_equal(l.nplaces, LISTING_PLACES);
	assert_string_equal(l.title_name, "PositionTitle");
	cJSON_Delete(row);
}

static void holes_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

static void recorded_answers_are_read(void **state)
{
	(void)state;
	assert_int_equal(bed_reads_samples("../shared/samples/usajobs/*.json", NULL), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_stand_in_the_query),
		cmocka_unit_test(age_is_asked_for_in_days_up_to_sixty),
		cmocka_unit_test(who_asks_says_so_and_key_stays_out_of_the_url),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(pages_are_counted_by_a_text),
		cmocka_unit_test(the_rows_of_our_own_answer_are_read),
		cmocka_unit_test(sixty_places_are_too_many),
		cmocka_unit_test(holes_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
