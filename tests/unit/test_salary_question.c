/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/salary/ask.h"
#include "workers/salary/question.h"
#include "workers/salary/shelf.h"

#define METRO "OEUM003562000000015125213"
#define STATE "OEUS360000000000015125213"
#define RATE "LAUMT363562000000003"
#define STATE_RATE "LASST360000000000003"
#define TABLE "/2024/acs/acs5?get=NAME,B24011_007E&for=state:06"

static const struct ask BLS = {
	.source = "bls", .path = "/timeseries/data/",
	.body = "{\"seriesid\":[\"" METRO "\",\"" RATE "\",\"" STATE "\",\"" STATE_RATE "\"]}",
	.body_len = sizeof "{\"seriesid\":[\"" METRO "\",\"" RATE "\",\"" STATE "\",\"" STATE_RATE
		"\"]}" - 1,
};

static void put(struct shelf *s, const char *source, const char *name, const char *text)
{
	shelf_put(shelf_want(s, source, name), text, strlen(text));
}

static void put_series(struct shelf *s, const char *id, const char *value)
{
	char *text = mem_printf("{\"seriesID\":\"%s\",\"data\":[%s%s%s]}", id,
				value ? "{\"year\":\"2025\",\"period\":\"A01\",\"value\":\"" : "",
				value ? value : "", value ? "\",\"footnotes\":[{}]}" : "");

	put(s, "bls", id, text);
	free(text);
}

static int ask(struct shelf *s, const struct ask *what, struct http_response *a)
{
	struct err e = { 0 };

	(void)shelf_missed(s);
	return question_answer(s, what, a, &e);
}

static bool wants(struct shelf *s, const char *name)
{
	for (size_t i = 0; i < shelf_count(s); i++)
		if (strcmp(shelf_at(s, i)->name, name) == 0)
			return shelf_at(s, i)->wanted;
	return false;
}

static void the_narrowest_place_is_wanted_first(void **state)
{
	struct shelf *s = shelf_new();
	struct http_response a;

	(void)state;
	assert_int_equal(ask(s, &BLS, &a), -ERR_AGAIN);
	assert_int_equal(shelf_missed(s), 2);
	assert_true(wants(s, METRO) && wants(s, RATE));
	assert_false(wants(s, STATE) || wants(s, STATE_RATE));
	shelf_free(s);
}

static void a_median_and_a_rate_are_enough(void **state)
{
	struct shelf *s = shelf_new();
	struct http_response a;

	(void)state;
	put_series(s, METRO, "148100");
	put_series(s, RATE, "4.1");
	assert_int_equal(ask(s, &BLS, &a), 0);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.content_type, "application/json");
	assert_non_null(strstr(buf_text(&a.body), METRO));
	assert_null(strstr(buf_text(&a.body), STATE));
	http_response_release(&a);
	shelf_free(s);
}

static void what_the_metro_lacks_is_wanted_of_its_state_alone(void **state)
{
	struct shelf *s = shelf_new();
	struct http_response a;

	(void)state;
	put_series(s, METRO, NULL);
	put_series(s, RATE, "4.1");
	assert_int_equal(ask(s, &BLS, &a), -ERR_AGAIN);
	assert_true(wants(s, STATE));
	assert_false(wants(s, STATE_RATE));
	put_series(s, STATE, "140000");
	assert_int_equal(ask(s, &BLS, &a), 0);
	assert_non_null(strstr(buf_text(&a.body), STATE));
	http_response_release(&a);
	shelf_free(s);
}

static void a_table_is_put_together_of_its_cells(void **state)
{
	static const struct ask what = { .source = "census", .path = TABLE };
	struct shelf *s = shelf_new();
	struct http_response a;

	(void)state;
	assert_int_equal(ask(s, &what, &a), -ERR_AGAIN);
	assert_int_equal(shelf_missed(s), 2);
	put(s, "census", "/2024/acs/acs5|state|06|NAME", "\"California\"");
	put(s, "census", "/2024/acs/acs5|state|06|B24011_007E", "\"120000\"");
	assert_int_equal(ask(s, &what, &a), 0);
	assert_string_equal(buf_text(&a.body),
			    "[[\"NAME\",\"B24011_007E\",\"state\"],[\"California\",\"120000\",\"06\"]]");
	http_response_release(&a);
	shelf_free(s);
}

static void a_place_that_the_table_lacks_has_no_content(void **state)
{
	static const struct ask what = { .source = "census", .path = TABLE };
	struct shelf *s = shelf_new();
	struct http_response a;

	(void)state;
	put(s, "census", "/2024/acs/acs5|state|06|NAME", "");
	put(s, "census", "/2024/acs/acs5|state|06|B24011_007E", "");
	assert_int_equal(ask(s, &what, &a), 0);
	assert_int_equal(a.status, 204);
	http_response_release(&a);
	shelf_free(s);
}

static void the_name_of_a_cell_comes_apart_again(void **state)
{
	struct cell c;
	char plain[64];

	(void)state;
	assert_true(question_cell("/2024/acs/acs5|metropolitan%20area|35620|B24011_007E", &c));
	assert_string_equal(c.dataset, "/2024/acs/acs5");
	assert_string_equal(c.code, "35620");
	assert_string_equal(c.column, "B24011_007E");
	question_kind_plain(c.kind, plain, sizeof plain);
	assert_string_equal(plain, "metropolitan area");
	assert_false(question_cell("/2024/acs/acs5/groups/B24011.json", &c));
	assert_false(question_cell("a|b|c", &c));
	assert_false(question_cell("a|b|c|d|e", &c));
	assert_false(question_cell("", &c));
}

static void any_other_call_is_one_part(void **state)
{
	static const struct ask what = { .source = "fred", .path = "/series?series_id=UNRATE",
					 .key_parameter = "api_key" };
	struct shelf *s = shelf_new();
	struct http_response a;

	(void)state;
	assert_int_equal(ask(s, &what, &a), -ERR_AGAIN);
	assert_string_equal(shelf_at(s, 0)->key_parameter, "api_key");
	put(s, "fred", what.path,
	    "{\"status\":400,\"type\":\"text/xml\",\"body\":\"no \\\"such\\\"\"}");
	assert_int_equal(ask(s, &what, &a), 0);
	assert_int_equal(a.status, 400);
	assert_string_equal(a.content_type, "text/xml");
	assert_string_equal(buf_text(&a.body), "no \"such\"");
	http_response_release(&a);
	shelf_free(s);
}

static void a_source_in_trouble_says_so_but_for_what_is_here(void **state)
{
	struct shelf *s = shelf_new();
	struct http_response a;

	(void)state;
	shelf_set_trouble(s, "bls", -ERR_QUOTA, "used up");
	assert_int_equal(ask(s, &BLS, &a), -ERR_QUOTA);
	assert_int_equal(shelf_missed(s), 0);
	put_series(s, METRO, "148100");
	put_series(s, RATE, "4.1");
	assert_int_equal(ask(s, &BLS, &a), 0);
	http_response_release(&a);
	shelf_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_narrowest_place_is_wanted_first),
		cmocka_unit_test(a_median_and_a_rate_are_enough),
		cmocka_unit_test(what_the_metro_lacks_is_wanted_of_its_state_alone),
		cmocka_unit_test(a_table_is_put_together_of_its_cells),
		cmocka_unit_test(a_place_that_the_table_lacks_has_no_content),
		cmocka_unit_test(the_name_of_a_cell_comes_apart_again),
		cmocka_unit_test(any_other_call_is_one_part),
		cmocka_unit_test(a_source_in_trouble_says_so_but_for_what_is_here),
	};

	return cmocka_run_group_tests_name("salary question", tests, NULL, NULL);
}
