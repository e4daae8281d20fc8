/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/ctl/trail.h"

static void a_line_belongs_to_the_task_it_names(void **state)
{
	static const struct {
		const char *line;
		int ours;
	} cases[] = {
		{ "2026-01-01T00:00:00.000Z INFO     echo[1] settled task_id=a-1 task=x", 1 },
		{ "2026-01-01T00:00:00.000Z INFO     echo[1] settled task_id=a-1", 1 },
		{ "2026-01-01T00:00:00.000Z INFO     echo[1] child lost id=a-1 deaths=1", 1 },
		{ "2026-01-01T00:00:00.000Z INFO     echo[1] starts run_id=a-1", 1 },
		{ "id=a-1", 1 },
		{ "2026-01-01T00:00:00.000Z INFO     echo[1] settled task_id=a-11", 0 },
		{ "2026-01-01T00:00:00.000Z INFO     echo[1] settled task_id=b-a-1", 0 },
		{ "2026-01-01T00:00:00.000Z INFO     echo[1] grid=a-1", 0 },
		{ "2026-01-01T00:00:00.000Z INFO     echo[1] a-1", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct trail_line l;
		char head[256];

		if (trail_parse(cases[i].line, "a-1", head, sizeof head, &l) != cases[i].ours)
			fail_msg("%s: not %d", cases[i].line, cases[i].ours);
	}
}

static void a_line_is_taken_apart(void **state)
{
	struct trail_line l;
	char head[256];

	(void)state;
	assert_int_equal(trail_parse("2026-01-01T00:00:00.000Z WARNING  echo[17] lost id=a", "a",
				     head, sizeof head, &l), 1);
	assert_string_equal(l.at, "2026-01-01T00:00:00.000Z");
	assert_string_equal(l.level, "WARNING");
	assert_string_equal(l.program, "echo");
	assert_string_equal(l.source, "file");
	assert_int_equal(trail_parse("id=a", "a", head, sizeof head, &l), 1);
	assert_string_equal(l.program, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_belongs_to_the_task_it_names),
		cmocka_unit_test(a_line_is_taken_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
