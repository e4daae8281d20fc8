/* SPDX-License-Identifier: MIT */
/* ashby: the request for a board, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/ashby.json"

static int start(void **state)
{
	(void)state;
	bed_source = source_find("ashby");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_BOARD);
	return 0;
}

static void a_board_is_asked_for_with_its_compensation(void **state)
{
	struct conf_source conf = { .base_url = "https://api.ashbyhq.com/posting-api/job-board" };
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };

	(void)state;
	ask.board = "Glaze Works";
	bed_builds(&conf, &ask, &at,
		   "https://api.ashbyhq.com/posting-api/job-board/Glaze%20Works"
		   "?includeCompensation=true");
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 404, "", "Not Found", SOURCE_BAD_REQUEST, 0 },
		{ 404, "", "{\"message\":\"no such board\"}", SOURCE_BAD_REQUEST, 0 },
		{ 401, "", "Unauthorized", SOURCE_USED_UP, 3600 },
		{ 200, "", "{\"apiVersion\":\"1\"}", SOURCE_RETRY, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"apiVersion\":\"1\",\"jobs\":[]}");
}

static void a_board_is_one_page(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct source_page page;
	char room[SOURCE_ID];

	(void)state;
	bed_source->read_page(NULL, NULL, body, &page);
	assert_int_equal(cJSON_GetArraySize(page.rows), 3);
	assert_true(page.last);
	assert_string_equal(bed_source->row_id(page.rows->child, room),
			    "5b0c8d1e-90a4-4f0e-8a55-2f6a31d0b001");
	cJSON_Delete(body);
}

static void a_row_says_what_it_says(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, bed_rows(body)->child, &l));
	assert_string_equal(l.title->valuestring, " Kiln Engineer ");
	assert_string_equal(l.company_default, "Glaze Works");
	assert_int_equal(l.nparts, 1);
	assert_non_null(strstr(l.part[0], "<h1>About Glaze Works</h1>"));
	assert_int_equal(l.nplaces, 3);
	assert_string_equal(l.place[0].text, "Leeds (HQ)");
	assert_string_equal(l.place[0].city, "Leeds");
	assert_string_equal(l.place[0].region, "England");
	assert_string_equal(l.place[0].country, "United Kingdom");
	assert_string_equal(l.place[1].text, "Remote (UK)");
	assert_string_equal(l.place[2].city, "York");
	assert_string_equal(l.place[2].postal_code, "YO1");
	assert_int_equal(l.remote, LISTING_HYBRID);
	assert_false(l.remote_flag);
	assert_string_equal(l.employment.text[0], "FullTime");
	assert_string_equal(l.posted.text, "2026-09-07T17:12:35.753+00:00");
	assert_string_equal(l.category, "Engineering");
	cJSON_Delete(body);
}

static void of_the_compensation_salary_alone_is_pay(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, bed_rows(body)->child, &l));
	assert_int_equal(l.pay_min->valueint, 61500);
	assert_int_equal(l.pay_max->valueint, 80000);
	assert_string_equal(l.pay_currency, "GBP");
	assert_string_equal(l.pay_period, "1 YEAR");
	assert_int_equal(l.pay.n, 2);
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_null(l.pay_min);
	assert_null(l.pay_max);
	assert_int_equal(l.pay.n, 0);
	cJSON_Delete(body);
}

static void a_mere_flag_says_less_than_the_workplace(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_int_equal(l.remote, LISTING_UNSAID);
	assert_true(l.remote_flag);
	assert_string_equal(l.part[0], "Mix clay.");
	assert_string_equal(l.category, "Heat");
	assert_int_equal(l.nplaces, 1);
	cJSON_Delete(body);
}

static void what_is_not_listed_is_no_posting(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_false(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 2), &l));
	cJSON_Delete(body);
}

static void intervals_are_words(void **state)
{
	static const struct {
		const char *interval, *period;
	} cases[] = {
		{ "1 HOUR", "1 HOUR" }, { "1 MONTH", "1 MONTH" }, { "2 WEEKS", "two weeks" },
		{ "NONE", NULL }, { "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = mem_printf("{\"compensation\":{\"summaryComponents\":[{"
					"\"compensationType\":\"Salary\",\"interval\":\"%s\","
					"\"minValue\":20}]}}",
					cases[i].interval);
		cJSON *row = cJSON_Parse(text);
		struct listing l;

		assert_true(bed_reads(NULL, row, &l));
		assert_non_null(l.pay_min);
		if (cases[i].period)
			assert_string_equal(l.pay_period, cases[i].period);
		else
			assert_null(l.pay_period);
		cJSON_Delete(row);
		free(text);
	}
}

static void holes_and_wrong_types_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

static void recorded_answers_are_read(void **state)
{
	(void)state;
	assert_true(bed_reads_samples("../shared/samples/ashby/[0-9]*.json", NULL) >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_board_is_asked_for_with_its_compensation),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(a_board_is_one_page),
		cmocka_unit_test(a_row_says_what_it_says),
		cmocka_unit_test(of_the_compensation_salary_alone_is_pay),
		cmocka_unit_test(a_mere_flag_says_less_than_the_workplace),
		cmocka_unit_test(what_is_not_listed_is_no_posting),
		cmocka_unit_test(intervals_are_words),
		cmocka_unit_test(holes_and_wrong_types_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
