/* SPDX-License-Identifier: MIT */
/* arbeitnow: pages by number, every answer, and what a row says. */
#include "tests/unit/source_bed.h"

#define FIXTURE "tests/providers/fixtures/arbeitnow.json"

static const struct conf_source conf = { .base_url = "https://www.arbeitnow.com/api",
					 .path = "/job-board-api" };

static int start(void **state)
{
	(void)state;
	bed_source = source_find("arbeitnow");
	assert_non_null(bed_source);
	assert_int_equal(bed_source->kind, SOURCE_FEED);
	return 0;
}

static void pages_are_asked_for_by_number(void **state)
{
	struct source_ask ask = { BED_ASK };
	struct source_place at = { .page = 3 };

	(void)state;
	ask.query = "java";
	ask.location = "Berlin";
	bed_builds(&conf, &ask, &at, "https://www.arbeitnow.com/api/job-board-api?page=3");
}

static void every_answer_has_its_class(void **state)
{
	static const struct bed_judged cases[] = {
		{ 200, "", "{\"data\":null,\"links\":{}}", SOURCE_RETRY, 0 },
		{ 403, "", "<html>Just a moment...</html>", SOURCE_USED_UP, 3600 },
		{ 404, "", "{\"message\":\"Not Found\"}", SOURCE_MOVED, 0 },
		{ 429, "", "{\"message\":\"Too Many Attempts.\"}", SOURCE_LIMITED, 60 },
	};

	(void)state;
	bed_judges(cases, COUNT(cases));
	bed_judges_bad_days("{\"data\":[],\"links\":{\"next\":null},\"meta\":{}}");
	assert_string_equal(bed_judge(429, "", cases[3].body, true).reason,
			    "HTTP 429: Too Many Attempts.");
}

static void the_page_without_a_next_is_the_last(void **state)
{
	static const struct {
		const char *links;
		bool last;
	} cases[] = {
		{ "{\"next\":\"https://www.arbeitnow.com/api/job-board-api?page=2\"}", false },
		{ "{\"next\":null}", true }, { "{\"next\":\"\"}", true }, { "{}", true },
		{ "null", true }, { "[]", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = mem_printf("{\"data\":[{}],\"links\":%s}", cases[i].links);
		struct source_place at = { .page = 1 };
		cJSON *body = cJSON_Parse(text);
		struct source_page page;

		bed_source->read_page(&conf, &at, body, &page);
		assert_int_equal(cJSON_GetArraySize(page.rows), 1);
		assert_null(page.token);
		if (page.last != cases[i].last)
			fail_msg("%s: last is %d", text, page.last);
		cJSON_Delete(body);
		free(text);
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
	assert_string_equal(bed_source->row_id(row, room), "java-entwickler-muenchen-1");
	assert_string_equal(l.external_id, "java-entwickler-muenchen-1");
	assert_string_equal(l.title->valuestring, "Java-Entwickler (m/w/d)");
	assert_string_equal(l.company->valuestring, "Fliederbach Digital GmbH");
	assert_string_equal(l.place[0].text, "Hamburg");
	assert_string_equal(l.country_likely, "DE");
	assert_false(l.remote_flag);
	assert_int_equal(l.employment.n, 1);
	assert_string_equal(l.employment.text[0], "Vollzeit");
	assert_string_equal(l.level, "berufserfahren");
	assert_int_equal(l.skills.n, 2);
	assert_int_equal(l.posted.epoch, 1763360000);
	assert_non_null(l.apply_url);
	assert_int_equal(l.nparts, 1);
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_true(l.remote_flag);
	assert_int_equal(l.employment.n, 1);
	assert_string_equal(l.level, "professional / experienced");
	row = row->next;
	assert_true(bed_reads(NULL, row, &l));
	assert_int_equal(l.nplaces, 0);
	assert_null(l.country_likely);
	assert_int_equal(l.posted.epoch, 1763363600);
	assert_null(l.level);
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
	assert_int_equal(bed_reads_samples("../shared/samples/arbeitnow/*.json", NULL), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_asked_for_by_number),
		cmocka_unit_test(every_answer_has_its_class),
		cmocka_unit_test(the_page_without_a_next_is_the_last),
		cmocka_unit_test(the_rows_of_our_own_answer_are_read),
		cmocka_unit_test(holes_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
