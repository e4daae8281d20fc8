/* SPDX-License-Identifier: MIT */
/* remotive: the one request, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/remotive.json"
#define URL "https://remotive.com/api/remote-jobs"

static const struct conf_source conf = { .base_url = "https://remotive.com/api" };

static int start(void **state)
{
	(void)state;
	bed_source = source_find("remotive");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_FEED);
	return 0;
}

static void words_are_searched_for_and_nothing_else(void **state)
{
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };

	(void)state;
	ask.location = "Denver, CO";
	bed_builds(&conf, &ask, &at, URL);
	ask.query = "python developer";
	bed_builds(&conf, &ask, &at, URL "?search=python%20developer");
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 200, "", "{\"0-legal-notice\":\"x\",\"job-count\":0}", SOURCE_RETRY, 0 },
		{ 403, "", "<html>Blocked</html>", SOURCE_USED_UP, 6 * 3600 },
		{ 403, "Retry-After: 90\r\n", "{\"message\":\"slow down\"}", SOURCE_USED_UP, 90 },
		{ 403, "Retry-After: 99999999999\r\n", "", SOURCE_USED_UP, 32 * 86400 },
		{ 403, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "", SOURCE_USED_UP, 6 * 3600 },
		{ 403, "Retry-After: Fri, 31 Dec 2100 07:28:00 GMT\r\n", "", SOURCE_USED_UP, 32 * 86400 },
		{ 404, "", "", SOURCE_MOVED, 0 },
		{ 301, "Location: https://remotive.example/\r\n", "", SOURCE_MOVED, 0 },
		{ 308, "", "", SOURCE_MOVED, 0 },
		{ 410, "", "", SOURCE_MOVED, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"0-legal-notice\":\"x\",\"job-count\":0,\"jobs\":[]}");
}

static void all_is_on_one_page(void **state)
{
	cJSON *answer = bed_file(FIXTURE);
	struct source_place at = { .page = 1 };
	struct source_page page;

	(void)state;
	bed_source->read_page(&conf, &at, answer, &page);
	assert_int_equal(cJSON_GetArraySize(page.rows), 4);
	assert_null(page.token);
	assert_true(page.last);
	cJSON_Delete(answer);
}

static void the_first_row_says_all(const cJSON *row)
{
	char room[SOURCE_ID];
	struct listing l;

	assert_true(bed_reads(NULL, row, &l));
	assert_string_equal(bed_source->row_id(row, room), "3090001");
	assert_string_equal(l.external_id, "3090001");
	assert_string_equal(l.title->valuestring, "Backend Developer (Python)");
	assert_string_equal(l.company->valuestring, "Hollowmere Cooperative");
	assert_string_equal(l.company_logo, "https://remotive.com/job/3090001/logo_url");
	assert_int_equal(l.nplaces, 1);
	assert_string_equal(l.place[0].text, "USA, CST (UTC-6)");
	assert_int_equal(l.remote, LISTING_REMOTE);
	assert_int_equal(l.employment.n, 1);
	assert_string_equal(l.employment.text[0], "full_time");
	assert_string_equal(l.posted.text, "2026-11-17T14:23:05");
	assert_int_equal(l.pay.n, 1);
	assert_string_equal(l.pay.text[0], "$90k - $110k");
	assert_null(l.pay_min);
	assert_int_equal(l.skills.n, 3);
	assert_string_equal(l.category, "Software Development");
	assert_string_equal(l.apply_url, "https://remotive.com/remote-jobs/software-dev/3090001");
	assert_int_equal(l.nparts, 1);
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
	assert_string_equal(l.employment.text[0], "contract");
	assert_string_equal(l.company_logo, "https://remotive.com/job/3090002/logo");
	assert_int_equal(l.skills.n, 0);
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_int_equal(l.employment.n, 0);
	assert_int_equal(l.pay.n, 0);
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_int_equal(l.nplaces, 0);
	assert_int_equal(l.employment.n, 0);
	assert_string_equal(l.pay.text[0], "$90 - $150 /hour");
	assert_null(row->next);
	cJSON_Delete(answer);
}

static void holes_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

static void recorded_answers_are_read(void **state)
{
	(void)state;
	assert_int_equal(bed_reads_samples("../shared/samples/remotive/*.json", NULL), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_searched_for_and_nothing_else),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(all_is_on_one_page),
		cmocka_unit_test(the_rows_of_our_own_answer_are_read),
		cmocka_unit_test(holes_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
