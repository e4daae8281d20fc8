/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/raw.h"

static struct raw whole(const char *text)
{
	struct raw r = RAW_NONE;

	assert_true(raw_whole(text, strlen(text), &r, NULL));
	return r;
}

static void every_value_is_found_whole(void **state)
{
	static const char *const good[] = {
		"1", "-0", "1.5e+3", "12345678901234567890", "\"\"", "\"\\u00e9\\n\\\\\"", "[]",
		"{}", "[1, [2, {\"a\": null}], \"]\"]", "{\"a\":{\"b\":[]},\"c\":true}", "NaN",
		"[Infinity, -Infinity]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		char *text = mem_printf(" \n%s\t ", good[i]);

		assert_true(raw_is(whole(text), good[i]));
		free(text);
	}
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t bad;
	} cases[] = {
		{ "", 0 }, { "[", 1 }, { "[1,]", 3 }, { "[1 2]", 3 }, { "01", 1 }, { "1.", 0 },
		{ "{\"a\"}", 4 }, { "{\"a\":}", 5 }, { "{a:1}", 1 }, { "[1] 2", 3 }, { "\"\\x\"", 1 },
		{ "\"a", 2 }, { "\"\n\"", 1 }, { "nul", 0 }, { "\"\\u12g4\"", 1 }, { "[1}", 2 },
		{ "{\"a\":1,}", 7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct raw r;
		size_t bad = 99;

		assert_false(raw_whole(cases[i].text, strlen(cases[i].text), &r, &bad));
		assert_int_equal(bad, cases[i].bad);
	}
	assert_false(raw_whole("\"\\\0\"", 4, &(struct raw){ 0 }, NULL));
}

static void the_last_element_is_found_from_the_end(void **state)
{
	static const struct {
		const char *array, *last, *before;
	} cases[] = {
		{ "[1]", "1", "" },
		{ "[ 1 , {\"a\": [2, \"}\"]} ]", "{\"a\": [2, \"}\"]}", "1 " },
		{ "[\"a\", \"b,\\\",\"]", "\"b,\\\",\"", "\"a\"" },
		{ "[\"\\\\\",\"\\\\\\\"[\"]", "\"\\\\\\\"[\"", "\"\\\\\"" },
		{ "[[], [[1, 2], [3]]]", "[[1, 2], [3]]", "[]" },
		{ "[\"]\"]", "\"]\"", "" },
	};
	struct raw last, before;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(raw_last(whole(cases[i].array), &last, &before));
		assert_true(raw_is(last, cases[i].last));
		assert_true(raw_is(before, cases[i].before));
	}
	assert_false(raw_last(RAW("[ ]"), &last, &before));
	assert_false(raw_last(RAW("{}"), &last, &before));
	assert_false(raw_last(RAW("{\"a\": [1]}"), &last, &before));
	assert_false(raw_last(RAW("\"[1]\""), &last, &before));
}

static void depth_is_bounded(void **state)
{
	size_t n = 100000, bad;
	char *deep = mem_alloc(2 * n);
	struct raw r;

	(void)state;
	memset(deep, '[', n);
	memset(deep + n, ']', n);
	assert_false(raw_whole(deep, 2 * n, &r, &bad));
	assert_true(raw_whole(deep + n - 900, 1800, &r, NULL));
	free(deep);
}

static void walks_give_keys_and_texts_in_order(void **state)
{
	static const char *const keys[] = { "\"a\"", "\"b:\"", "\"c\\\"\"" };
	static const char *const items[] = { "1.10", "[ 1 ]", "{\"x\": 1}" };
	struct raw_walk w =
		raw_walk(whole("{ \"a\" : 1.10,\"b:\":[ 1 ] , \"c\\\"\": {\"x\": 1} }"));
	struct raw key, item;
	size_t n = 0;

	(void)state;
	for (; raw_next(&w, &key, &item); n++) {
		assert_true(raw_is(key, keys[n]));
		assert_true(raw_is(item, items[n]));
	}
	assert_int_equal(n, 3);
	assert_false(w.bad);
	w = raw_walk(whole("[ ]"));
	assert_false(raw_next(&w, &key, &item));
	assert_false(w.bad);
	assert_true(raw_walk(whole("1")).bad);
}

static void a_walk_over_unchecked_text_says_where_it_breaks(void **state)
{
	static const char text[] = "[1, 2 3]";
	struct raw_walk w = raw_walk((struct raw){ text, sizeof text - 1 });
	struct raw item;

	(void)state;
	assert_true(raw_next(&w, NULL, &item));
	assert_false(raw_next(&w, NULL, &item));
	assert_true(w.bad);
	assert_ptr_equal(w.at, text + 6);
}

static void members_and_contents_are_read(void **state)
{
	struct raw o = whole(
		"{\"s\": \"a\\u00e9\", \"n\": 2.5, \"z\": null, \"o\": { \"k\": 1 }, \"e\": []}");
	double d = 0;
	char *s = raw_string(raw_member(o, "s"));

	(void)state;
	assert_string_equal(s, "a\xc3\xa9");
	free(s);
	assert_null(raw_string(raw_member(o, "n")));
	assert_null(raw_string(whole("\"a\\u0000b\"")));
	assert_true(raw_number(raw_member(o, "n"), &d) && d == 2.5);
	assert_false(raw_number(whole("1e999"), &d));
	assert_false(raw_number(whole("NaN"), &d));
	assert_null(raw_member(o, "z").at);
	assert_null(raw_member(o, "none").at);
	assert_true(raw_is(raw_inside(raw_member(o, "o")), "\"k\": 1"));
	assert_int_equal(raw_inside(raw_member(o, "e")).len, 0);
	assert_true(raw_is_null(RAW_NONE) && raw_is_null(RAW("null")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_is_found_whole),
		cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
		cmocka_unit_test(the_last_element_is_found_from_the_end),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(walks_give_keys_and_texts_in_order),
		cmocka_unit_test(a_walk_over_unchecked_text_says_where_it_breaks),
		cmocka_unit_test(members_and_contents_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
