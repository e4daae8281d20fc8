/* SPDX-License-Identifier: MIT */
/* lever: pages of a site, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/lever.json"

static int start(void **state)
{
	(void)state;
	bed_source = source_find("lever");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_BOARD);
	return 0;
}

static void pages_are_cut_by_skip_and_limit(void **state)
{
	struct conf_source conf = { .base_url = "https://api.lever.co/v0/postings" };
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };

	(void)state;
	ask.board = "tidewright";
	bed_builds(&conf, &ask, &at,
		   "https://api.lever.co/v0/postings/tidewright?mode=json&skip=0&limit=100");
	at.page = 3;
	conf.base_url = "https://api.eu.lever.co/v0/postings";
	bed_builds(&conf, &ask, &at,
		   "https://api.eu.lever.co/v0/postings/tidewright?mode=json&skip=200&limit=100");
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 404, "", "{\"ok\":false,\"error\":\"Document not found\"}", SOURCE_BAD_REQUEST, 0 },
		{ 403, "", "<html>blocked</html>", SOURCE_USED_UP, 3600 },
		{ 200, "", "{\"ok\":false}", SOURCE_RETRY, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("[ ]");
	assert_string_equal(bed_judge(404, "", cases[0].body, true).reason,
			    "HTTP 404: Document not found");
}

static void a_page_that_is_not_full_is_the_last(void **state)
{
	cJSON *body = cJSON_CreateArray();
	struct source_page page;

	(void)state;
	for (int i = 0; i < 100; i++)
		cJSON_AddItemToArray(body, cJSON_CreateObject());
	bed_source->read_page(NULL, NULL, body, &page);
	assert_int_equal(cJSON_GetArraySize(page.rows), 100);
	assert_false(page.last);
	cJSON_DeleteItemFromArray(body, 0);
	bed_source->read_page(NULL, NULL, body, &page);
	assert_true(page.last);
	cJSON_Delete(body);
}

static void a_row_says_what_it_says(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	char room[SOURCE_ID];
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, bed_rows(body)->child, &l));
	assert_string_equal(bed_source->row_id(body->child, room), l.external_id);
	assert_string_equal(l.title->valuestring, "Chart Engineer II");
	assert_string_equal(l.company_default, "tidewright");
	assert_int_equal(l.nparts, 6);
	assert_non_null(strstr(l.part[0], "About the role &amp; you"));
	assert_string_equal(l.part[1], "What you do");
	assert_non_null(strstr(l.part[2], "<li>Write Go services</li>"));
	assert_string_equal(l.part[5], "<div>Free boat rides.</div>");
	assert_int_equal(l.nplaces, 2);
	assert_string_equal(l.place[0].text, "Lisbon, Portugal");
	assert_string_equal(l.place[0].country, "PT");
	assert_string_equal(l.place[1].text, "Vigo, Spain");
	assert_null(l.place[1].country);
	assert_int_equal(l.remote, LISTING_HYBRID);
	assert_string_equal(l.employment.text[0], "Full-time");
	assert_true(l.posted.epoch == INT64_C(1779223091267));
	assert_int_equal(l.pay_min->valueint, 52000);
	assert_int_equal(l.pay_max->valueint, 68000);
	assert_string_equal(l.pay_currency, "EUR");
	assert_string_equal(l.pay_period, "per-year-salary");
	assert_int_equal(l.pay.n, 0);
	assert_string_equal(l.lines.text[0], "Plus a yearly bonus.");
	assert_string_equal(l.category, "Engineering");
	assert_non_null(strstr(l.apply_url, "/apply"));
	assert_int_equal(l.apply_more.n, 1);
	cJSON_Delete(body);
}

static void where_html_is_missing_the_plain_text_is_taken(void **state)
{
	cJSON *body = bed_file(FIXTURE), *query = cJSON_Parse("{\"board\":\"tidewright\"}"),
	      *named = cJSON_Parse("{\"board\":\"x\",\"company\":\"Tidewright Lda\"}");
	struct listing l;

	(void)state;
	assert_true(bed_reads(query, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_string_equal(l.company_default, "tidewright");
	assert_int_equal(l.nparts, 2);
	assert_string_equal(l.part[0], "<p>An opening.</p>");
	assert_string_equal(l.part[1], "A plain body.");
	assert_int_equal(l.remote, LISTING_UNSAID);
	assert_int_equal(l.nplaces, 1);
	assert_null(l.pay_min);
	assert_string_equal(l.pay.text[0], "<p>22 EUR an hour</p>");
	assert_string_equal(l.category, "Land");
	assert_true(bed_reads(named, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_string_equal(l.company_default, "Tidewright Lda");
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_string_equal(l.company_default, "tidewright");
	cJSON_Delete(body);
	cJSON_Delete(query);
	cJSON_Delete(named);
}

static void holes_and_wrong_types_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

static void recorded_answers_are_read(void **state)
{
	(void)state;
	assert_true(bed_reads_samples("../shared/samples/lever/[0-9]*.json", NULL) >= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_cut_by_skip_and_limit),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(a_page_that_is_not_full_is_the_last),
		cmocka_unit_test(a_row_says_what_it_says),
		cmocka_unit_test(where_html_is_missing_the_plain_text_is_taken),
		cmocka_unit_test(holes_and_wrong_types_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
