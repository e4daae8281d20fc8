/* SPDX-License-Identifier: MIT */
/* remoteok: the request, every answer, the notice among the rows, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/remoteok.json"

static int start(void **state)
{
	(void)state;
	bed_source = source_find("remoteok");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_FEED);
	return 0;
}

static void the_feed_is_asked_for_by_somebody(void **state)
{
	struct conf_source conf = { .base_url = "https://remoteok.com" };
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 1 };
	struct source_request r;

	(void)state;
	bed_builds(&conf, &ask, &at, "https://remoteok.com/api");
	conf.path = "/api.json";
	assert_int_equal(bed_source->build(&conf, &ask, &at, &r, NULL), 0);
	assert_string_equal(buf_text(&r.url), "https://remoteok.com/api.json");
	assert_non_null(r.headers[0]);
	assert_int_equal(strncmp(r.headers[0], "User-Agent: Mozilla/5.0 (", 25), 0);
	source_request_release(&r);
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 404, "", "<html>not here</html>", SOURCE_MOVED, 0 },
		{ 403, "", "<html>Just a moment...</html>", SOURCE_USED_UP, 3600 },
		{ 200, "", "{\"jobs\":[]}", SOURCE_RETRY, 0 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("[{\"legal\":\"x\"}]");
}

static void the_feed_is_one_page(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct source_page page;
	char room[SOURCE_ID];

	(void)state;
	bed_source->read_page(NULL, NULL, body, &page);
	assert_int_equal(cJSON_GetArraySize(page.rows), 4);
	assert_true(page.last);
	assert_string_equal(bed_source->row_id(page.rows->child, room), "notice");
	assert_string_equal(bed_source->row_id(cJSON_GetArrayItem(page.rows, 2), room), "2000002");
	cJSON_Delete(body);
}

static void the_notice_is_no_posting(void **state)
{
	cJSON *body = bed_file(FIXTURE), *bare = cJSON_Parse("{\"legal\":\"x\",\"id\":null}");
	struct listing l;

	(void)state;
	assert_false(bed_reads(NULL, bed_rows(body)->child, &l));
	assert_false(bed_reads(NULL, bare, &l));
	cJSON_Delete(body);
	cJSON_Delete(bare);
}

static void a_row_says_what_it_says(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 1), &l));
	assert_string_equal(l.title->valuestring, "Lens Software Engineer");
	assert_string_equal(l.company->valuestring, "Farglass");
	assert_non_null(strstr(l.part[0], "don\xc3\xa2\xc2\x80\xc2\x99t"));
	assert_string_equal(l.place[0].text, "Worldwide");
	assert_int_equal(l.remote, LISTING_REMOTE);
	assert_int_equal(l.skills.n, 2);
	assert_int_equal(l.employment.n, 1);
	assert_string_equal(l.employment.text[0], "full time");
	assert_true(l.posted.epoch == 1785704722);
	assert_int_equal(l.pay_min->valueint, 70000);
	assert_string_equal(l.pay_currency, "USD");
	assert_string_equal(l.pay_period, "YEAR");
	assert_string_equal(l.company_logo, "https://remoteOK.com/assets/farglass.png");
	assert_string_equal(l.external_id, "2000001");
	cJSON_Delete(body);
}

static void zero_pay_says_nothing_and_spam_passes(void **state)
{
	cJSON *body = bed_file(FIXTURE);
	struct listing l;

	(void)state;
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 2), &l));
	assert_string_equal(l.title->valuestring, "sdf");
	assert_null(l.pay_min);
	assert_null(l.pay_currency);
	assert_null(l.apply_url);
	assert_int_equal(l.apply_more.n, 1);
	assert_string_equal(l.external_id, "2000002");
	assert_true(bed_reads(NULL, cJSON_GetArrayItem(bed_rows(body), 3), &l));
	assert_int_equal(l.pay_max->valueint, 60000);
	assert_string_equal(l.pay_currency, "EUR");
	assert_true(l.posted.epoch == 0 && !l.posted.text);
	cJSON_Delete(body);
}

static void holes_and_wrong_types_are_survived(void **state)
{
	(void)state;
	bed_survives_holes(FIXTURE);
}

static void recorded_answers_are_read(void **state)
{
	int notices = 0;

	(void)state;
	assert_true(bed_reads_samples("../shared/samples/remoteok/[0-9]*.json", &notices) >= 11);
	assert_true(notices >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_feed_is_asked_for_by_somebody),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(the_feed_is_one_page),
		cmocka_unit_test(the_notice_is_no_posting),
		cmocka_unit_test(a_row_says_what_it_says),
		cmocka_unit_test(zero_pay_says_nothing_and_spam_passes),
		cmocka_unit_test(holes_and_wrong_types_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
