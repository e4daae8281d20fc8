/* SPDX-License-Identifier: MIT */
/* greenhouse: the request for a board, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/greenhouse.json"

static int start(void **state)
{
	(void)state;
	bed_source = source_find("greenhouse");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_BOARD);
	return 0;
}

static void a_board_is_asked_for_by_its_escaped_name(void **state)
{
	struct conf_source conf = { .base_url = "https://boards-api.greenhouse.io/v1/boards" };
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };
	struct source_request r;

	(void)state;
	ask.board = "quillfern";
	bed_builds(&conf, &ask, &at,
		   "https://boards-api.greenhouse.io/v1/boards/quillfern/jobs"
		   "?content=true&pay_transparency=true");
	ask.board = "a/b ?";
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, NULL), 0);
	assert_non_null(strstr(buf_text(&r.url), "/v1/boards/a%2Fb%20%3F/jobs?"));
	assert_string_equal(json_str(r.params, "board", ""), "a/b ?");
	assert_null(json_get(r.params, "company"));
	source_request_release(&r);
	ask.board = "quillfern=Quillfern & Sons";
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, NULL), 0);
	assert_non_null(strstr(buf_text(&r.url), "/v1/boards/quillfern/jobs?"));
	assert_string_equal(json_str(r.params, "board", ""), "quillfern");
	assert_string_equal(json_str(r.params, "company", ""), "Quillfern & Sons");
	source_request_release(&r);
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 404, "", "{\"status\":404,\"error\":\"Job not found\"}", SOURCE_BAD_REQUEST, 0 },
		{ 410, "", "", SOURCE_BAD_REQUEST, 0 },
		{ 403, "", "<html>blocked</html>", SOURCE_USED_UP, 3600 },
		{ 403, "Retry-After: 5\r\n", "", SOURCE_USED_UP, 5 },
		{ 200, "", "{\"jobs\":{}}", SOURCE_RETRY, 0 },
		{ 200, "", "[]", SOURCE_RETRY, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"jobs\":[],\"meta\":{\"total\":0}}");
	assert_string_equal(bed_judge(404, "", cases[0].body, true).reason,
			    "HTTP 404: Job not found");
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
	assert_null(page.token);
	assert_string_equal(bed_source->row_id(page.rows->child, room), "7100001002");
	cJSON_Delete(body);
}

static void a_row_says_what_it_says(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 0), &l));
	assert_string_equal(l.title->valuestring, "Senior Beam Engineer (C++)");
	assert_string_equal(l.company->valuestring, "Quillfern");
	assert_int_equal(l.nparts, 1);
	assert_non_null(strstr(l.part[0], "&lt;p&gt;Quillfern tends 40 lights &amp;amp; buoys."));
	assert_int_equal(l.nplaces, 1);
	assert_string_equal(l.place[0].text, "Remote, Portugal");
	assert_string_equal(l.posted.text, "2026-09-02T05:58:03-04:00");
	assert_null(l.expires.text);
	assert_string_equal(l.category, "Optics");
	assert_string_equal(l.language, "en");
	assert_string_equal(l.external_id, "7100001002");
	assert_string_equal(l.apply_url,
			    "https://job-boards.greenhouse.io/quillfern/jobs/7100001002");
	assert_null(l.pay_min);
	assert_int_equal(l.remote, LISTING_UNSAID);
	cJSON_Delete(body);
}

static void the_employers_own_fields_are_known_by_their_names(void **state)
{
	cJSON *body = bed_file(FIXTURE), *query = cJSON_Parse("{\"board\":\"quillfern\"}");
	struct listing l;

	(void)state;
	assert_true(bed_reads(query, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_null(l.company);
	assert_string_equal(l.company_default, "quillfern");
	assert_int_equal(l.remote, LISTING_HYBRID);
	assert_true(l.remote_flag);
	assert_int_equal(l.employment.n, 1);
	assert_string_equal(l.employment.text[0], "Full-time");
	assert_string_equal(l.pay_min->valuestring, "48000.0");
	assert_string_equal(l.pay_max->valuestring, "61500.0");
	assert_string_equal(l.pay_currency, "EUR");
	assert_string_equal(l.pay_period, "Annual");
	assert_false(l.pay_in_cents);
	assert_int_equal(l.nplaces, 2);
	assert_string_equal(l.place[1].text, "Porto, Portugal");
	assert_string_equal(l.posted.text, "2026-10-02T02:02:50-04:00");
	assert_string_equal(l.expires.text, "2026-12-31T23:59:59Z");
	cJSON_Delete(body);
	cJSON_Delete(query);
}

static void several_ranges_give_their_span_in_cents(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 2), &l));
	assert_string_equal(l.company_default, "quill fern");
	assert_true(l.pay_in_cents);
	assert_int_equal(l.pay_min->valueint, 4900000);
	assert_int_equal(l.pay_max->valueint, 7000050);
	assert_string_equal(l.pay_currency, "CAD");
	assert_string_equal(l.pay_period, "Annual salary, Halifax");
	assert_int_equal(l.nplaces, 1);
	assert_string_equal(l.place[0].text, "Halifax, Canada");
	cJSON_Delete(body);
}

static void a_link_elsewhere_names_no_company(void **state)
{
	static const char *const links[] = {
		"https://careers.quillfern.example/jobs/1", "https://notgreenhouse.io/x/jobs/1",
		"https://greenhouse.io.example/x/1", "https://boards.greenhouse.io/embed/job_app?for=x",
		"https://boards.greenhouse.io", "https://boards.greenhouse.io/", "boards.greenhouse.io/x",
		"https://boards.greenhouse.io/%", "",
	};
	struct listing l;

	(void)state;
	for (size_t i = 0; i < COUNT(links); i++) {
		listing_init(&l);
		listing_board_company(&l, NULL, links[i], "greenhouse.io");
		if (l.company_default && strcmp(l.company_default, "%") != 0)
			fail_msg("%s: expected none, got %s", links[i], l.company_default);
	}
	listing_init(&l);
	listing_board_company(&l, NULL, "https://boards.greenhouse.io/a%00b/", "greenhouse.io");
	assert_null(l.company_default);
	listing_board_company(&l, NULL, "https://boards.greenhouse.io/x#y", "greenhouse.io");
	assert_string_equal(l.company_default, "x");
}

static void holes_and_wrong_types_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

static void recorded_answers_are_read(void **state)
{
	(void)state;
	assert_true(bed_reads_samples("../shared/samples/greenhouse/[0-9]*.json", NULL) >= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_board_is_asked_for_by_its_escaped_name),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(a_board_is_one_page),
		cmocka_unit_test(a_row_says_what_it_says),
		cmocka_unit_test(the_employers_own_fields_are_known_by_their_names),
		cmocka_unit_test(several_ranges_give_their_span_in_cents),
		cmocka_unit_test(a_link_elsewhere_names_no_company),
		cmocka_unit_test(holes_and_wrong_types_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
