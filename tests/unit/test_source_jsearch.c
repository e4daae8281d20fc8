/* SPDX-License-Identifier: MIT */
/* jsearch: requests of both generations, every documented answer, paging. The bodies are typed from
 * the provider's documentation and dated notes of public clients. */
#include "tests/unit/source_bed.h"

#include "common/base/clock.h"

#define FIXTURE "tests/providers/fixtures/jsearch.details.json"
#define KEY "k3y-of-the-test"

static const struct source *jsearch;

static int start(void **state)
{
	(void)state;
	jsearch = source_find("jsearch");
	assert_non_null(jsearch);
	bed_source = jsearch;
	assert_null(source_find("no such"));
	return 0;
}

static struct http_response answer(int status, const char *headers, const char *body)
{
	struct http_response r = { .status = status, .complete = true };

	buf_init(&r.headers, 10000);
	buf_init(&r.body, 100000);
	buf_puts(&r.headers, headers);
	buf_puts(&r.body, body);
	return r;
}

static struct source_verdict judged(const struct http_response *r)
{
	struct source_verdict v = { 0 };
	cJSON *body = NULL;

	json_parse(buf_text(&r->body), r->body.len, &body, NULL);
	jsearch->judge(r, body, &v);
	cJSON_Delete(body);
	return v;
}

static void every_answer_has_its_class(void **state)
{
	static const struct {
		int status;
		const char *headers, *body;
		enum source_class class;
		int64_t wait_s;
	} cases[] = {
		{ 200, "", "{\"status\":\"OK\",\"data\":[]}", SOURCE_OK, 0 },
		{ 200, "", "{\"status\":\"OK\",\"data\":{\"jobs\":[],\"cursor\":\"x\"}}", SOURCE_OK,
		  0 },
		{ 200, "", "{\"status\":\"OK\",\"data\":{\"jobs\":[{\"job_id\":\"a\\u0000b\"}]}}",
		  SOURCE_OK, 0 },
		{ 401, "",
		  "{\"message\":\"Invalid API key. Go to https://docs.rapidapi.com/docs/keys for more info.\"}",
		  SOURCE_KEY_REFUSED, 0 },
		{ 403, "", "{\"message\":\"You are not subscribed to this API.\"}",
		  SOURCE_KEY_REFUSED, 0 },
		{ 404, "x-rapidapi-proxy-response: true\r\n",
		  "{\"message\":\"Endpoint '/search' does not exist\"}", SOURCE_MOVED, 0 },
		{ 404, "", "{\"message\":\"not found\"}", SOURCE_BAD_REQUEST, 0 },
		{ 400, "",
		  "{\"status\":\"ERROR\",\"request_id\":\"r\",\"error\":{\"message\":\"Invalid cursor\",\"code\":400}}",
		  SOURCE_BAD_REQUEST, 0 },
		{ 302, "Location: https://elsewhere.example/\r\n", "", SOURCE_BAD_REQUEST, 0 },
		{ 429, "x-ratelimit-requests-reset: 864000\r\n",
		  "{\"message\":\"You have exceeded the MONTHLY quota for Requests on your current plan, BASIC. "
		  "Upgrade your plan at https://rapidapi.com/x\"}",
		  SOURCE_USED_UP, 864000 },
		{ 429, "",
		  "{\"message\":\"You have exceeded the MONTHLY quota for Requests on your plan.\"}",
		  SOURCE_USED_UP, 30 * 86400 },
		{ 429, "X-RateLimit-Requests-Reset: 3600\r\n",
		  "{\"message\":\"You have exceeded the DAILY quota for Requests on your plan.\"}",
		  SOURCE_USED_UP, 3600 },
		{ 429, "",
		  "{\"message\":\"You have exceeded the DAILY quota for Requests on your plan.\"}",
		  SOURCE_USED_UP, 86400 },
		{ 429, "x-ratelimit-requests-reset: 864000\r\n",
		  "{\"message\":\"You have exceeded the rate limit per minute for your plan, BASIC\"}",
		  SOURCE_LIMITED, 60 },
		{ 429, "",
		  "{\"message\":\"You have exceeded the rate limit per second for your plan, BASIC\"}",
		  SOURCE_LIMITED, 1 },
		{ 429, "Retry-After: 17\r\n", "<html><h1>429 Too Many Requests</h1></html>",
		  SOURCE_LIMITED, 17 },
		{ 408, "", "", SOURCE_RETRY, 0 },
		{ 425, "", "", SOURCE_RETRY, 0 },
		{ 500, "", "{\"message\":\"Internal server error\"}", SOURCE_RETRY, 0 },
		{ 502, "", "<html><h1>502 Bad Gateway</h1></html>", SOURCE_RETRY, 0 },
		{ 503, "Retry-After: 120\r\n", "{\"message\":\"Service temporarily unavailable\"}",
		  SOURCE_RETRY, 120 },
		{ 504, "", "{\"message\":\"The request to the API has timed out\"}", SOURCE_RETRY,
		  0 },
		{ 200, "", "<html><body>Scheduled maintenance.</body></html>", SOURCE_RETRY, 0 },
		{ 200, "", "", SOURCE_RETRY, 0 },
		{ 200, "", "{}", SOURCE_RETRY, 0 },
		{ 200, "", "null", SOURCE_RETRY, 0 },
		{ 200, "", "[1]", SOURCE_RETRY, 0 },
		{ 200, "", "{\"status\":\"OK\",\"data\":{\"jobs\":[{\"job_id\":", SOURCE_RETRY, 0 },
		{ 200, "", "{\"status\":\"ERROR\",\"error\":{\"message\":\"upstream\"}}",
		  SOURCE_RETRY, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_response r = answer(cases[i].status, cases[i].headers, cases[i].body);
		struct source_verdict v = judged(&r);

		if (v.class != cases[i].class || v.wait_s != cases[i].wait_s)
			fail_msg("%d %s: %s after %d s", cases[i].status, cases[i].body,
				 source_class_name(v.class), (int)v.wait_s);
		assert_int_equal(v.reason[0] == '\0', v.class == SOURCE_OK);
		http_response_release(&r);
	}
}

static void a_cut_off_answer_is_asked_again(void **state)
{
	struct http_response r = answer(200, "", "{\"status\":\"OK\",\"data\":[]}");

	(void)state;
	r.complete = false;
	assert_int_equal(judged(&r).class, SOURCE_RETRY);
	http_response_release(&r);
}

static void quota_headers_are_seconds_until_the_reset(void **state)
{
	static const struct {
		const char *headers;
		int64_t limit, remaining, reset_s;
	} cases[] = {
		{ "x-ratelimit-requests-limit: 200\r\nx-ratelimit-requests-remaining: 17\r\n"
		  "x-ratelimit-requests-reset: 864000\r\n", 200, 17, 864000 },
		{ "", -1, 0, 0 },
		{ "x-ratelimit-requests-limit: 200\r\n", -1, 0, 0 },
		{ "x-ratelimit-requests-limit: 5\r\nx-ratelimit-requests-remaining: 17\r\n"
		  "x-ratelimit-requests-reset: 1\r\n", -1, 0, 0 },
		{ "x-ratelimit-requests-limit: many\r\nx-ratelimit-requests-remaining: 1\r\n"
		  "x-ratelimit-requests-reset: 1\r\n", -1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_response r = answer(200, cases[i].headers, "");
		struct source_quota q;

		jsearch->read_quota(&r, &q);
		assert_int_equal(q.limit, cases[i].limit);
		if (q.limit >= 0) {
			assert_int_equal(q.remaining, cases[i].remaining);
			assert_int_equal(q.reset_s, cases[i].reset_s);
		}
		http_response_release(&r);
	}
}

static bool has_header(const struct source_request *r, const char *line)
{
	for (char *const *h = r->headers; *h; h++)
		if (strcmp(*h, line) == 0)
			return true;
	return false;
}

static void both_generations_get_their_own_requests(void **state)
{
	struct conf_source conf = { .base_url = "https://jsearch.p.rapidapi.com",
				    .path = "/search-v2" };
	struct source_ask ask = { .query = "C++ & Go developer",
				  .location = "Denver, CO",
				  .country = "",
				  .language = "",
				  .date_posted = "week",
				  .employment_types = "",
				  .remote_only = true,
				  .key = KEY };
	static const struct {
		struct source_place at;
		const char *path, *url;
	} cases[] = {
		{ { .page = 1 }, "", "/search-v2?query=C%2B%2B%20%26%20Go%20developer%20in%20Denver%2C%20CO"
		  "&country=us&date_posted=week&work_from_home=true" },
		{ { .page = 2, .token = "abc==" }, "/search-v2",
		  "/search-v2?query=C%2B%2B%20%26%20Go%20developer%20in%20Denver%2C%20CO&cursor=abc%3D%3D"
		  "&country=us&date_posted=week&work_from_home=true" },
		{ { .page = 3, .token = "abc" }, "/search",
		  "/search?query=C%2B%2B%20%26%20Go%20developer%20in%20Denver%2C%20CO&page=3&num_pages=1"
		  "&country=us&date_posted=week&remote_jobs_only=true" },
		{ { .page = 1, .other_path = true }, "/search",
		  "/search-v2?query=C%2B%2B%20%26%20Go%20developer%20in%20Denver%2C%20CO"
		  "&country=us&date_posted=week&work_from_home=true" },
		{ { .page = 1, .other_path = true }, "/search-v2",
		  "/search?query=C%2B%2B%20%26%20Go%20developer%20in%20Denver%2C%20CO&page=1&num_pages=1"
		  "&country=us&date_posted=week&remote_jobs_only=true" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_request r;
		char *url;

		conf.path = cases[i].path;
		assert_int_equal(jsearch->build(&conf, &ask, &cases[i].at, &r, NULL), 0);
		url = mem_printf("https://jsearch.p.rapidapi.com%s", cases[i].url);
		assert_string_equal(buf_text(&r.url), url);
		free(url);
		assert_true(has_header(&r, "X-RapidAPI-Key: " KEY));
		assert_true(has_header(&r, "X-RapidAPI-Host: jsearch.p.rapidapi.com"));
		source_request_release(&r);
	}
}

static void postings_are_asked_for_again_by_their_ids(void **state)
{
	struct conf_source conf = { .base_url = "https://jsearch.p.rapidapi.com",
				    .path = "/search" };
	struct source_ask ask = { .query = "", .location = "", .country = "de", .language = "",
				  .date_posted = "", .employment_types = "", .key = KEY,
				  .ids = "a==,b_-,c" };
	struct source_place at = { .page = 1 };
	struct source_request r;
	struct source_page page;
	cJSON *body = cJSON_Parse("{\"status\":\"OK\",\"parameters\":{\"job_id\":\"a\"},"
				  "\"data\":[{\"job_id\":\"a\"}]}");

	(void)state;
	assert_int_equal(jsearch->ids_a_call, 20);
	assert_int_equal(jsearch->build(&conf, &ask, &at, &r, NULL), 0);
	assert_string_equal(buf_text(&r.url),
			    "https://jsearch.p.rapidapi.com/job-details"
			    "?job_id=a%3D%3D%2Cb_-%2Cc&country=de");
	assert_int_equal(r.credits, 3);
	assert_true(has_header(&r, "X-RapidAPI-Key: " KEY));
	source_request_release(&r);
	jsearch->read_page(&conf, &at, body, &page);
	assert_int_equal(cJSON_GetArraySize(page.rows), 1);
	assert_true(page.last);
	cJSON_Delete(body);
}

static void a_watermark_becomes_the_age_that_covers_it(void **state)
{
	static const struct {
		int hours;
		const char *want;
	} cases[] = {
		{ 1, "date_posted=today" }, { 23, "date_posted=today" }, { 30, "date_posted=3days" },
		{ 100, "date_posted=week" }, { 24 * 20, "date_posted=month" }, { 24 * 90, NULL },
	};
	struct conf_source conf = { .base_url = "https://jsearch.p.rapidapi.com" };
	struct source_ask ask = { .query = "x", .location = "", .country = "", .language = "",
				  .date_posted = "", .employment_types = "" };
	struct source_place at = { .page = 1 };
	struct source_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		ask.since_us = clock_wall_us() - INT64_C(3600000000) * cases[i].hours;
		assert_int_equal(jsearch->build(&conf, &ask, &at, &r, NULL), 0);
		if (cases[i].want ? !strstr(buf_text(&r.url), cases[i].want) :
				    !!strstr(buf_text(&r.url), "date_posted"))
			fail_msg("%d h: expected %s, got %s", cases[i].hours,
				 cases[i].want ? cases[i].want : "no age", buf_text(&r.url));
		source_request_release(&r);
	}
}

static void guesses_of_others_are_not_the_pay(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, bed_rows(body)->child, &l));
	assert_string_equal(l.title->valuestring, "Forge Software Engineer");
	assert_null(l.pay_min);
	assert_null(l.pay_max);
	assert_null(l.pay_currency);
	assert_null(l.pay_period);
	assert_int_equal(l.pay.n, 0);
	assert_int_equal(l.experience_months, 60);
	assert_string_equal(l.education, "bachelors");
	assert_int_equal(l.apply_more.n, 2);
	cJSON_Delete(body);
}

static void the_newest_shape_is_read_too(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_int_equal(l.pay_min->valueint, 30000);
	assert_string_equal(l.pay_period, "YEAR");
	assert_int_equal(l.employment.n, 2);
	assert_string_equal(l.posted.text, "4 giorni fa");
	assert_non_null(strstr(l.place[0].text, "Ivrea TO"));
	assert_string_equal(l.publisher, "Indeed");
	assert_null(l.apply_url);
	assert_null(l.apply_options);
	cJSON_Delete(body);
}

static void holes_and_wrong_types_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

/* Of 2023, 2025, details and v5. */
static void recorded_answers_are_read(void **state)
{
	(void)state;
	assert_true(bed_reads_samples("../shared/samples/jsearch/[1-8]*.json", NULL) >= 15);
}

static void the_direct_host_takes_its_own_header(void **state)
{
	struct conf_source conf = { .base_url = "https://api.openwebninja.com/jsearch" };
	struct source_ask ask = { .query = "x", .location = "", .country = "de", .language = "de",
				  .date_posted = "", .employment_types = "FULLTIME", .key = KEY };
	struct source_place at = { .page = 1 };
	struct source_request r;

	(void)state;
	assert_int_equal(jsearch->build(&conf, &ask, &at, &r, NULL), 0);
	assert_true(has_header(&r, "X-API-Key: " KEY));
	assert_false(has_header(&r, "X-RapidAPI-Key: " KEY));
	assert_string_equal(buf_text(&r.url),
			    "https://api.openwebninja.com/jsearch/search-v2?query=x"
			    "&country=de&language=de&employment_types=FULLTIME");
	source_request_release(&r);
}

static void what_is_stored_of_a_request_holds_no_key(void **state)
{
	struct conf_source conf = { .base_url = "http://127.0.0.1:1/jsearch" };
	struct source_ask ask = { .query = "x", .location = "y", .country = "", .language = "",
				  .date_posted = "", .employment_types = "", .key = KEY };
	struct source_place at = { .page = 1 };
	struct source_request r;
	char *params;

	(void)state;
	assert_int_equal(jsearch->build(&conf, &ask, &at, &r, NULL), 0);
	params = json_print(r.params);
	assert_null(strstr(params, KEY));
	assert_null(strstr(buf_text(&r.url), KEY));
	free(params);
	source_add_secret_param(&r, "app_key", KEY);
	params = json_print(r.params);
	assert_null(strstr(params, KEY));
	free(params);
	source_request_release(&r);
}

static void a_query_that_is_too_long_is_refused(void **state)
{
	struct conf_source conf = { .base_url = "https://jsearch.p.rapidapi.com" };
	struct source_ask ask = { .query = "x", .location = "", .country = "", .language = "",
				  .date_posted = "", .employment_types = "" };
	struct source_place at = { .page = 2 };
	struct source_request r;
	struct err e = { 0 };
	char *token = mem_alloc(20001);

	(void)state;
	memset(token, 'a', 20000);
	token[20000] = '\0';
	at.token = token;
	assert_int_equal(jsearch->build(&conf, &ask, &at, &r, &e), -ERR_TOO_BIG);
	free(token);
}

static void pages_end_where_the_provider_says(void **state)
{
	static const struct {
		const char *path, *body;
		int rows;
		const char *token;
		bool last;
	} cases[] = {
		{ "/search-v2", "{\"data\":{\"jobs\":[{},{}],\"cursor\":\"n\"}}", 2, "n", false },
		{ "/search-v2", "{\"data\":{\"jobs\":[{}],\"cursor\":\"\"}}", 1, NULL, true },
		{ "/search-v2", "{\"data\":{\"jobs\":[{}],\"cursor\":null}}", 1, NULL, true },
		{ "/search-v2", "{\"data\":{\"jobs\":[{}]}}", 1, NULL, true },
		{ "/search-v2", "{\"data\":[{}]}", 1, NULL, true },
		{ "/search", "{\"data\":[{},{},{}]}", 3, NULL, false },
		{ "/search", "{\"data\":{\"jobs\":[{}]}}", 1, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct conf_source conf = { .path = cases[i].path };
		struct source_place at = { .page = 1 };
		struct source_page page;
		cJSON *body = cJSON_Parse(cases[i].body);

		jsearch->read_page(&conf, &at, body, &page);
		assert_int_equal(cJSON_GetArraySize(page.rows), cases[i].rows);
		if (cases[i].token)
			assert_string_equal(page.token, cases[i].token);
		else
			assert_null(page.token);
		assert_int_equal(page.last, cases[i].last);
		cJSON_Delete(body);
	}
}

static void rows_are_known_by_their_job_id(void **state)
{
	cJSON *row = cJSON_Parse("{\"job_id\":\"Ab_-==\"}"),
	      *number = cJSON_Parse("{\"job_id\":7}"), *none = cJSON_Parse("{\"job_id\":[]}");
	char room[SOURCE_ID];

	(void)state;
	assert_string_equal(jsearch->row_id(row, room), "Ab_-==");
	assert_string_equal(jsearch->row_id(number, room), "7");
	assert_null(jsearch->row_id(none, room));
	assert_null(jsearch->row_id(NULL, room));
	cJSON_Delete(row);
	cJSON_Delete(number);
	cJSON_Delete(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(a_cut_off_answer_is_asked_again),
		cmocka_unit_test(quota_headers_are_seconds_until_the_reset),
		cmocka_unit_test(both_generations_get_their_own_requests),
		cmocka_unit_test(postings_are_asked_for_again_by_their_ids),
		cmocka_unit_test(a_watermark_becomes_the_age_that_covers_it),
		cmocka_unit_test(guesses_of_others_are_not_the_pay),
		cmocka_unit_test(the_newest_shape_is_read_too),
		cmocka_unit_test(holes_and_wrong_types_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
		cmocka_unit_test(the_direct_host_takes_its_own_header),
		cmocka_unit_test(what_is_stored_of_a_request_holds_no_key),
		cmocka_unit_test(a_query_that_is_too_long_is_refused),
		cmocka_unit_test(pages_end_where_the_provider_says),
		cmocka_unit_test(rows_are_known_by_their_job_id),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
