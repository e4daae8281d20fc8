/* SPDX-License-Identifier: MIT */
/* order: what callers may ask for, and how they are told what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/collection/order.h"

static void a_plain_call_gets_its_defaults(void **state)
{
	cJSON *args = cJSON_Parse("{\"query\":\"Python Developer\",\"page\":1,\"retry_count\":0}");
	struct order o;

	(void)state;
	assert_int_equal(order_read(&o, args, NULL), 0);
	assert_int_equal(o.nqueries, 1);
	assert_string_equal(o.queries[0], "Python Developer");
	assert_int_equal(o.nlocations, 1);
	assert_string_equal(o.locations[0], "");
	assert_int_equal(o.pages, 0);
	assert_int_equal(o.priority, -1);
	assert_int_equal(o.max_retries, -1);
	assert_string_equal(o.strategy, "on_demand");
	assert_int_equal(o.nsources, 0);
	cJSON_Delete(args);
}

static void the_plain_json_message_is_understood(void **state)
{
	cJSON *args = cJSON_Parse(
		"{\"query\":\"nurse\",\"location\":\"Austin, TX\",\"priority\":\"high\","
		"\"retry_count\":1,\"max_retries\":3}");
	struct order o;

	(void)state;
	assert_int_equal(order_read(&o, args, NULL), 0);
	assert_string_equal(o.locations[0], "Austin, TX");
	assert_int_equal(o.priority, 8);
	assert_int_equal(o.retry_count, 1);
	assert_int_equal(o.max_retries, 3);
	cJSON_Delete(args);
}

static void postings_are_asked_for_by_id_without_a_query(void **state)
{
	static const struct {
		const char *args;
		int code;
	} cases[] = {
		{ "{\"query\":\"\",\"job_ids\":\"a==,b_-,c\"}", 0 },
		{ "{\"query\":\"\",\"job_ids\":\"\"}", -ERR_INVALID },
		{ "{\"query\":\"\"}", -ERR_INVALID },
		{ "{\"query\":\"\",\"job_ids\":[\"a\"]}", -ERR_TYPE },
		{ "{\"query\":\"\",\"job_ids\":\"a\\u0001\"}", -ERR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		cJSON *args = cJSON_Parse(cases[i].args);
		struct order o;
		int r = order_read(&o, args, NULL);

		if (r != cases[i].code)
			fail_msg("%s: expected %d, got %d", cases[i].args, cases[i].code, r);
		if (r == 0)
			assert_int_equal(o.njob_ids, 3);
		cJSON_Delete(args);
	}
}

static void lists_make_a_batch(void **state)
{
	cJSON *args = cJSON_Parse(
		"{\"query\":[\"a\",\"b\"],\"location\":[\"x\",\"y\",\"z\"],\"priority\":3}");
	struct order o;

	(void)state;
	assert_int_equal(order_read(&o, args, NULL), 0);
	assert_int_equal(o.nqueries, 2);
	assert_int_equal(o.nlocations, 3);
	assert_string_equal(o.strategy, "batch");
	assert_int_equal(o.priority, 3);
	cJSON_Delete(args);
}

static void enough_results_are_asked_for_in_pages_of_ten(void **state)
{
	static const struct { const char *args; int pages; } cases[] = {
		{ "{\"query\":\"a\",\"results\":100}", 10 },
		{ "{\"query\":\"a\",\"results\":101}", 11 },
		{ "{\"query\":\"a\",\"results\":1}", 1 },
		{ "{\"query\":\"a\",\"results\":100,\"num_pages\":2}", 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		cJSON *args = cJSON_Parse(cases[i].args);
		struct order o;

		assert_int_equal(order_read(&o, args, NULL), 0);
		assert_int_equal(o.pages, cases[i].pages);
		cJSON_Delete(args);
	}
}

static void wrong_arguments_are_named(void **state)
{
	static const struct { const char *args; enum err_code code; const char *text; } cases[] = {
		{ "{}", ERR_TYPE, "query must be a text, or a list of 1 to 50 texts" },
		{ "{\"query\":7}", ERR_TYPE, "query must be a text" },
		{ "{\"query\":[]}", ERR_TYPE, "query must be a text, or a list" },
		{ "{\"query\":[\"a\",2]}", ERR_TYPE, "query[1] must be a text" },
		{ "{\"query\":\"  \"}", ERR_INVALID, "query must not be empty" },
		{ "{\"query\":\"a\\nb\"}", ERR_INVALID, "query contains a control character" },
		{ "{\"query\":\"a\",\"location\":{}}", ERR_TYPE, "location must be a text" },
		{ "{\"query\":\"a\",\"page\":0}", ERR_INVALID, "page must be 1 to 1000" },
		{ "{\"query\":\"a\",\"page\":1.5}", ERR_TYPE, "page must be a whole number" },
		{ "{\"query\":\"a\",\"num_pages\":101}", ERR_INVALID, "num_pages must be 1 to 100" },
		{ "{\"query\":\"a\",\"num_pages\":\"2\"}", ERR_TYPE, "num_pages must be a whole number" },
		{ "{\"query\":\"a\",\"results\":1001}", ERR_INVALID, "results must be 1 to 1000" },
		{ "{\"query\":\"a\",\"priority\":\"urgent\"}", ERR_INVALID, "priority must be \"low\"" },
		{ "{\"query\":\"a\",\"priority\":10}", ERR_INVALID, "priority must be 0 to 9" },
		{ "{\"query\":\"a\",\"strategy\":\"x\"}", ERR_INVALID, "strategy \"x\" is none of on_demand" },
		{ "{\"query\":\"a\",\"date_posted\":\"ever\"}", ERR_INVALID, "date_posted \"ever\"" },
		{ "{\"query\":\"a\",\"remote\":\"yes\"}", ERR_TYPE, "remote must be true or false" },
		{ "{\"query\":\"a\",\"run_id\":5}", ERR_TYPE, "run_id must be a text" },
		{ "{\"query\":\"a\",\"max_retries\":-1}", ERR_INVALID, "max_retries must be 0 to 100" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		cJSON *args = cJSON_Parse(cases[i].args);
		struct order o;
		struct err e = { 0 };

		assert_non_null(args);
		assert_int_equal(order_read(&o, args, &e), -(int)cases[i].code);
		if (!strstr(e.msg, cases[i].text))
			fail_msg("%s: %s", cases[i].args, e.msg);
		cJSON_Delete(args);
	}
}

static void a_text_that_is_too_long_is_refused(void **state)
{
	cJSON *args = cJSON_CreateObject();
	char *text = mem_alloc(502);
	struct order o;
	struct err e = { 0 };

	(void)state;
	memset(text, 'a', 501);
	text[501] = '\0';
	json_set_str(args, "query", text);
	assert_int_equal(order_read(&o, args, &e), -ERR_INVALID);
	free(text);
	cJSON_Delete(args);
}

static void the_country_is_read_from_the_end_of_a_place(void **state)
{
	static const struct { const char *place, *code; } cases[] = {
		{ "New York, NY", "" }, { "San Francisco, CA", "" }, { "Berlin, Germany", "de" },
		{ "berlin", "de" }, { "Toronto, ON, Canada", "ca" }, { "London,  UK ", "gb" },
		{ "", "" }, { "Remote", "" }, { "Paris", "fr" }, { "Paris, Texas", "" },
		{ "München", "de" }, { ",", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(order_country(cases[i].place), cases[i].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_call_gets_its_defaults),
		cmocka_unit_test(the_plain_json_message_is_understood),
		cmocka_unit_test(postings_are_asked_for_by_id_without_a_query),
		cmocka_unit_test(lists_make_a_batch),
		cmocka_unit_test(enough_results_are_asked_for_in_pages_of_ten),
		cmocka_unit_test(wrong_arguments_are_named),
		cmocka_unit_test(a_text_that_is_too_long_is_refused),
		cmocka_unit_test(the_country_is_read_from_the_end_of_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
