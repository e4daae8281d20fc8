/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <utf8proc.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/pyrepr.h"

enum { ROOM = 200 };

/* What json.loads() and repr() of Python 3 show. */
static const struct {
	const char *json, *expect;
	bool tuple;
} CASES[] = {
	{ "[1, 2.5, -3e9]", "[1, 2.5, -3e9]", false },
	{ "{\"a\":true,\"b\":[false,null]}", "{'a': True, 'b': [False, None]}", false },
	{ "[NaN, Infinity, -Infinity]", "[nan, inf, -inf]", false },
	{ "[]", "()", true },
	{ "[ 1 ]", "(1,)", true },
	{ "[1,[2]]", "(1, [2])", true },
	{ "[[1,2]]", "([1, 2],)", true },
	{ "{\"a\":[1]}", "{'a': [1]}", true },
	{ "\"it's\"", "\"it's\"", false },
	{ "\"it's \\\"so\\\"\"", "'it\\'s \"so\"'", false },
	{ "\"a\\/b \\\\ \\n\\r\\t \\b\\f\"", "'a/b \\\\ \\n\\r\\t \\x08\\x0c'", false },
	{ "\"\\u0041\\u00fc\\u20ac\\uD83D\\ude00\"", "'A\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80'", false },
	{ "\"\\u0000\\u001f\\u007f\\u000a\\u000d\\u0009\"", "'\\x00\\x1f\\x7f\\n\\r\\t'", false },
	{ "\"\\u0027\\u005c\"", "'\\'\\\\'", false },
	{ "\"\\ud800 \\ude00 \\ud83d\\u0041\"", "'\\ud800 \\ude00 \\ud83dA'", false },
	/* cut within */
	{ "\"abc", "'abc", false },
	{ "\"abc\\", "'abc", false },
	{ "\"abc\\u00", "'abc", false },
	{ "\"abc\\u00zz\"", "'abc", false },
};

static void json_is_shown_as_python_shows_it(void **state)
{
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct buf out;

		buf_init(&out, 1024);
		pyrepr_put(&out, CASES[i].json, strlen(CASES[i].json), CASES[i].tuple, ROOM);
		if (strcmp(buf_text(&out), CASES[i].expect) != 0) {
			bad++;
			print_error("%s: expected %s, got %s\n", CASES[i].json, CASES[i].expect,
				    buf_text(&out));
		}
		buf_release(&out);
	}
	assert_int_equal(bad, 0);
}

static bool is_utf8(const struct buf *b)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)buf_text(b), *end = p + b->len;
	utf8proc_int32_t cp;

	while (p < end) {
		utf8proc_ssize_t n = utf8proc_iterate(p, end - p, &cp);

		if (n <= 0)
			return false;
		p += n;
	}
	return true;
}

static void a_long_one_is_cut_to_its_room_between_characters(void **state)
{
	static const char *const parts[] = { "x", "\xc3\xbc", "\xf0\x9f\x98\x80", "\\ud800", "\\b",
					     "\\u20ac", "\\u0027" };
	char json[512] = "\"";
	size_t bad = 0;

	(void)state;
	for (size_t n = 1, i = 0; n < sizeof json - 16; i++)
		n += (size_t)snprintf(json + n, sizeof json - n, "%s", parts[i % COUNT(parts)]);
	for (size_t max = 16; max < 120; max++) {
		struct buf out;

		buf_init(&out, 1024);
		buf_puts(&out, "args=");
		pyrepr_put(&out, json, strlen(json), false, max);
		if (out.len > 5 + max || out.len + 8 < 5 + max || !is_utf8(&out) ||
		    strcmp(buf_text(&out) + out.len - 3, "...") != 0) {
			bad++;
			print_error("room for %zu: got %zu bytes: %s\n", max, out.len - 5,
				    buf_text(&out));
		}
		buf_release(&out);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_shown_as_python_shows_it),
		cmocka_unit_test(a_long_one_is_cut_to_its_room_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
