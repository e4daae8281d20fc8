/* SPDX-License-Identifier: MIT */
/* themuse: requests by category and place, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/themuse.json"
#define KEY "k3y-of-the-test"
#define BASE "https://www.themuse.com/api/public/jobs?page=1&descending=true"

static const struct conf_source conf = { .base_url = "https://www.themuse.com/api/public",
					 .path = "/jobs" };

static int start(void **state)
{
	(void)state;
	bed_source = source_find("themuse");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_FEED);
	return 0;
}

static void only_the_name_of_a_category_narrows_the_feed(void **state)
{
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };

	(void)state;
	bed_builds(&conf, &ask, &at, BASE);
	ask.query = "python developer";
	bed_builds(&conf, &ask, &at, BASE);
	ask.query = "data and analytics";
	ask.location = "Denver, CO";
	bed_builds(&conf, &ask, &at,
		   BASE "&category=Data%20and%20Analytics&location=Denver%2C%20CO");
	ask.remote_only = true;
	ask.key = KEY;
	bed_builds(&conf, &ask, &at, BASE "&category=Data%20and%20Analytics"
		   "&location=Flexible%20%2F%20Remote&api_key=" KEY);
}

static void a_path_may_bring_filters_of_its_own(void **state)
{
	struct conf_source narrow = { .base_url = conf.base_url,
				      .path = "/jobs?level=Mid%20Level" };
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 2 };

	(void)state;
	bed_builds(&narrow, &ask, &at, "https://www.themuse.com/api/public/jobs?level=Mid%20Level"
		   "&page=2&descending=true");
}

static void every_answer_has_its_class(void **state)
{
	static const char GONE[] = "X-RateLimit-Limit: 500\r\nX-RateLimit-Remaining: 0\r\n"
				   "X-RateLimit-Reset: 1800\r\n";
	static const struct bed_judged cases[] = {
		{ 200, "", "{\"results\":[],\"timed_out\":true}", SOURCE_RETRY, 0 },
		{ 200, "", "{\"results\":[{}],\"timed_out\":true}", SOURCE_OK, 0 },
		{ 200, "", "{\"code\":500,\"error\":\"oops\"}", SOURCE_RETRY, 0 },
		{ 400, "", "{\"code\":400,\"error\":\"Invalid page\"}", SOURCE_BAD_REQUEST, 0 },
		{ 403, "", "{\"code\":403,\"error\":\"Invalid api_key\"}", SOURCE_KEY_REFUSED, 0 },
		{ 403, "X-RateLimit-Remaining: 400\r\nX-RateLimit-Reset: 9\r\n",
		  "{\"code\":403,\"error\":\"Invalid api_key\"}", SOURCE_KEY_REFUSED, 0 },
		{ 403, GONE, "{\"code\":403,\"error\":\"Forbidden\"}", SOURCE_USED_UP, 1800 },
		{ 403, "", "{\"code\":403,\"error\":\"Rate Limit Exceeded\"}", SOURCE_LIMITED, 60 },
		{ 429, GONE, "", SOURCE_USED_UP, 1800 },
		{ 429, "X-RateLimit-Reset: 12\r\n", "", SOURCE_LIMITED, 12 },
		{ 404, "", "{\"code\":404,\"error\":\"Not found\"}", SOURCE_MOVED, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"page\":1,\"results\":[]}");
	assert_string_equal(bed_judge(400, "", cases[3].body, true).reason,
			    "HTTP 400: Invalid page");
}

static struct source_quota quota_of(const char *headers)
{
	struct http_response r = { .status = 200 };
	struct source_quota q;

	buf_init(&r.headers, 1000);
	buf_init(&r.body, 10);
	buf_puts(&r.headers, headers);
	bed_source->read_quota(&r, &q);
	http_response_release(&r);
	return q;
}

static void quota_headers_are_seconds_until_the_reset(void **state)
{
	struct source_quota q = quota_of("X-RateLimit-Limit: 500\r\nX-RateLimit-Remaining: 17\r\n"
					 "X-RateLimit-Reset: 3042\r\n");

	(void)state;
	assert_int_equal(q.limit, 500);
	assert_int_equal(q.remaining, 17);
	assert_int_equal(q.reset_s, 3042);
	assert_int_equal(quota_of("").limit, -1);
	assert_int_equal(quota_of("X-RateLimit-Limit: 500\r\n").limit, -1);
	assert_int_equal(quota_of("X-RateLimit-Limit: 5\r\nX-RateLimit-Remaining: 17\r\n"
				  "X-RateLimit-Reset: 1\r\n").limit, -1);
}

static void nothing_comes_after_page_ninety_nine(void **state)
{
	static const struct {
		int page;
		const char *body;
		bool last;
	} cases[] = {
		{ 1, "{\"page_count\":24958,\"results\":[{}]}", false },
		{ 98, "{\"page_count\":24958,\"results\":[{}]}", false },
		{ 99, "{\"page_count\":24958,\"results\":[{}]}", true },
		{ 2, "{\"page_count\":2,\"results\":[{}]}", true },
		{ 2, "{\"page_count\":9,\"results\":[]}", true },
		{ 2, "{\"results\":[{}]}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_place at = { .page = cases[i].page };
		cJSON *body = cJSON_Parse(cases[i].body);
		struct source_page page;

		bed_source->read_page(&conf, &at, body, &page);
		assert_non_null(page.rows);
		if (page.last != cases[i].last)
			fail_msg("page %d of %s: last is %d", cases[i].page, cases[i].body,
				 page.last);
		cJSON_Delete(body);
	}
}

static void the_rows_of_our_own_answer_are_read(void **state)
{
	cJSON *answer = bed_file(FIXTURE);
	const cJSON *row = bed_rows(answer)->child;
	char room[SOURCE_ID];
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, row, &l));
	assert_string_equal(bed_source->row_id(row, room), "31000001");
	assert_string_equal(l.external_id, "31000001");
	assert_string_equal(l.title->valuestring, "Senior Backend Engineer");
	assert_string_equal(l.company->valuestring, "Gorsefield");
	assert_int_equal(l.nplaces, 2);
	assert_string_equal(l.place[0].text, "Denver, CO");
	assert_string_equal(l.place[1].text, "Toronto, Canada");
	assert_true(l.remote_flag);
	assert_int_equal(l.remote, LISTING_UNSAID);
	assert_string_equal(l.level, "Senior Level");
	assert_string_equal(l.category, "Software Engineering");
	assert_string_equal(l.posted.text, "2026-11-15T10:12:35Z");
	assert_string_equal(l.apply_url, "https://www.themuse.com/jobs/gorsefield/31000001");
	assert_int_equal(l.nparts, 1);
	assert_int_equal(l.skills.n, 0);
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_int_equal(l.nplaces, 0);
	assert_int_equal(l.remote, LISTING_REMOTE);
	assert_null(l.level);
	assert_null(l.category);
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_null(l.company);
	assert_string_equal(l.company_name, "company.name");
	assert_int_equal(l.remote, LISTING_UNSAID);
	assert_int_equal(l.nparts, 0);
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
	assert_int_equal(bed_reads_samples("../shared/samples/themuse/1.json", NULL), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_name_of_a_category_narrows_the_feed),
		cmocka_unit_test(a_path_may_bring_filters_of_its_own),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(quota_headers_are_seconds_until_the_reset),
		cmocka_unit_test(nothing_comes_after_page_ninety_nine),
		cmocka_unit_test(the_rows_of_our_own_answer_are_read),
		cmocka_unit_test(holes_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
