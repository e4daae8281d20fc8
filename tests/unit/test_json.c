/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

static cJSON *parse(const char *text)
{
	cJSON *v = NULL;
	struct err e = { 0 };

	if (json_parse(text, strlen(text), &v, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	return v;
}

static void one_value_and_white_space_is_a_document(void **state)
{
	static const char *const good[] = { "1",      " \t\r\n{} \n",	   "[]", "\"\"", "null",
					    "-1.5e3", "\"\\ud83d\\ude00\"" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		cJSON_Delete(parse(good[i]));
}

static void anything_else_is_refused_with_its_place(void **state)
{
	static const char *const bad[] = { "",	       " ",	  "{",		 "[1,]",
					   "[1 2]",    "{\"a\"}", "{a:1}",	 "'a'",
					   "1 2",      "[1]]",	  "nul",	 "NaN",
					   "Infinity", "\"a",	  "\"\\u12\"",	 "\"\\ud83d\"",
					   "[1-2]",    "{}x",	  "\xef\xbb\xbf" };
	struct err e = { 0 };
	cJSON *v = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (json_parse(bad[i], strlen(bad[i]), &v, &e) != -ERR_PROTOCOL)
			fail_msg("taken for JSON: %s", bad[i]);
		assert_null(v);
	}
	json_parse("[1, 2, x]", 9, &v, &e);
	assert_string_equal(e.msg, "not valid JSON at byte 7");
}

static void the_length_bounds_what_is_read(void **state)
{
	cJSON *v = NULL;

	(void)state;
	assert_int_equal(json_parse("[1]garbage", 3, &v, NULL), 0);
	cJSON_Delete(v);
	v = NULL;
	assert_int_equal(json_parse("[1]", 2, &v, NULL), -ERR_PROTOCOL);
	assert_int_equal(json_parse("1\0", 2, &v, NULL), -ERR_PROTOCOL);
	assert_null(v);
}

static void depth_is_bounded(void **state)
{
	char *deep = mem_alloc(4000000);
	cJSON *v = NULL;

	(void)state;
	memset(deep, '[', 2000000);
	memset(deep + 2000000, ']', 2000000);
	assert_int_equal(json_parse(deep, 4000000, &v, NULL), -ERR_PROTOCOL);
	assert_int_equal(json_parse(deep + 2000000 - 900, 1800, &v, NULL), 0);
	cJSON_Delete(v);
	free(deep);
}

static void arrays_split_into_their_raw_texts(void **state)
{
	static const char text[] =
		" [ 1.10 , {\"a\": [1, 2]}, \"x,]\" ,[ ] , 12345678901234567890 ] ";
	static const char *const expect[] = { "1.10", "{\"a\": [1, 2]}", "\"x,]\"", "[ ]",
					      "12345678901234567890" };
	char *items[8] = { 0 };

	(void)state;
	assert_int_equal(json_split_array(text, strlen(text), items, 8, NULL), 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(items[i], expect[i]);
		free(items[i]);
	}
	assert_int_equal(json_split_array(" [ ] ", 5, items, 8, NULL), 0);
	assert_int_equal(json_split_array("[1,2]", 5, items, 2, NULL), 2);
	free(items[0]);
	free(items[1]);
}

static void what_is_no_array_of_that_many_does_not_split(void **state)
{
	static const char *const bad[] = { "",	    "[",    "]",      "{}",   "1",
					   "[1",    "[1,",  "[1,]",   "[,1]", "[1] 2",
					   "[1 2]", "[[1]", "[1,2,3]" };
	char *items[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(json_split_array(bad[i], strlen(bad[i]), items, 2, NULL),
				 -ERR_PROTOCOL);
}

static void a_member_is_read_as_its_raw_text(void **state)
{
	static const struct { const char *text, *expect; int r; } cases[] = {
		{ "{\"n\": 12345678901234567890, \"x\": 1}", "12345678901234567890", 1 },
		{ "{\"n\": {\"a\": [ ]}}", "{\"a\": [ ]}", 1 },
		{ "{\"x\": {\"n\": 1}}", NULL, 0 },
		{ "[1]", "not a JSON object", -ERR_PROTOCOL },
		{ "{\"n\": 1", "not valid JSON", -ERR_PROTOCOL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = { 0 };
		char *raw = NULL;
		int r = json_raw_member(cases[i].text, strlen(cases[i].text), "n", &raw, &e);

		assert_int_equal(r, cases[i].r);
		if (cases[i].r == 1)
			assert_string_equal(raw, cases[i].expect);
		else
			assert_null(raw);
		if (cases[i].r < 0)
			assert_non_null(strstr(e.msg, cases[i].expect));
		free(raw);
	}
}

static void typed_reads_fall_back_on_anything_else(void **state)
{
	cJSON *o = parse(
		"{\"s\": \"x\", \"n\": 1.5, \"i\": -7, \"t\": true, \"z\": null, \"d\": \"12\", \"w\": \"1x\","
		" \"big\": 1e300}");

	(void)state;
	assert_string_equal(json_str(o, "s", "f"), "x");
	assert_string_equal(json_str(o, "n", "f"), "f");
	assert_string_equal(json_str(o, "z", "f"), "f");
	assert_null(json_str(o, "none", NULL));
	assert_true(json_num(o, "n", 9) == 1.5);
	assert_true(json_num(o, "s", 9) == 9);
	assert_int_equal(json_int(o, "i", 9), -7);
	assert_int_equal(json_int(o, "d", 9), 12);
	assert_int_equal(json_int(o, "w", 9), 9);
	assert_int_equal(json_int(o, "big", 9), 9);
	assert_int_equal(json_int(o, "t", 9), 9);
	assert_true(json_bool(o, "t", false));
	assert_true(json_bool(o, "i", true));
	assert_null(json_get(o, "z"));
	assert_null(json_get(o, "S"));		/* names differ by case */
	assert_null(json_get(NULL, "s"));
	cJSON_Delete(o);
}

static void writes_set_or_replace(void **state)
{
	cJSON *o = parse("{\"a\": 1}");
	char *text;

	(void)state;
	json_set_str(o, "a", "é");
	json_set_str(o, "n", NULL);
	json_set_num(o, "x", 0.1);
	json_set_num(o, "y", NAN);
	json_set_bool(o, "b", true);
	json_set_raw(o, "r", "[1.10]");
	json_set_num(o, "x", 3);
	text = json_print(o);
	assert_string_equal(text,
			    "{\"a\":\"é\",\"n\":null,\"y\":null,\"b\":true,\"r\":[1.10],\"x\":3}");
	free(text);
	cJSON_Delete(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_value_and_white_space_is_a_document),
		cmocka_unit_test(anything_else_is_refused_with_its_place),
		cmocka_unit_test(the_length_bounds_what_is_read),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(arrays_split_into_their_raw_texts),
		cmocka_unit_test(what_is_no_array_of_that_many_does_not_split),
		cmocka_unit_test(a_member_is_read_as_its_raw_text),
		cmocka_unit_test(typed_reads_fall_back_on_anything_else),
		cmocka_unit_test(writes_set_or_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
