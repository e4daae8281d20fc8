/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "workers/ctl/screen.h"

static void a_line_is_cut_between_characters_and_harmless(void **state)
{
	static const struct {
		const char *line;
		int width;
		const char *text;
	} cases[] = {
		{ "abc", 5, "abc" }, { "abc", 3, "abc" }, { "abc", 2, "ab" }, { "abc", 0, "" },
		{ "ab\ncd", 5, "ab" }, { "üöä", 2, "üö" }, { "a\x1b[2Jb\x7F", 9, "a [2Jb " },
		{ "", 5, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf b;

		buf_init(&b, 256);
		screen_clip(&b, cases[i].line, cases[i].width);
		assert_string_equal(buf_text(&b), cases[i].text);
		buf_release(&b);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_cut_between_characters_and_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
