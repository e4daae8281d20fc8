/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/ctl/table.h"

static const struct table_column COLUMNS[] = {
	{ "name", "name", TABLE_TEXT },
	{ "n", "count", TABLE_NUMBER },
	{ NULL, "more", TABLE_JSON },
	{ "only", NULL, TABLE_TEXT },
	{ NULL, "flag", TABLE_BOOL },
};

static void put_row(struct table *t, const char *a, const char *b, const char *c, const char *d,
		    const char *f)
{
	table_put(t, a);
	table_put(t, b);
	table_put(t, c);
	table_put(t, d);
	table_put(t, f);
}

static char *printed(void (*print)(const struct table *t, FILE *out), const struct table *t)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	print(t, out);
	fclose(out);
	return text;
}

static void print_text(const struct table *t, FILE *out)
{
	table_print(t, "nothing", out);
}

static void people_get_aligned_columns(void **state)
{
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));
	char *text;

	(void)state;
	text = printed(print_text, t);
	assert_string_equal(text, "nothing\n");
	free(text);
	put_row(t, "Zürich", "5", "{}", "x", "t");
	put_row(t, "a\x1b[2J\nb", "12345", NULL, NULL, "f");
	text = printed(print_text, t);
	assert_string_equal(text,
			    "name         n  only\n"
			    "Zürich       5  x\n"
			    "a [2J b  12345  -\n");
	free(text);
	table_free(t);
}

static void a_long_cell_is_cut_between_characters(void **state)
{
	struct table *t = table_new(COLUMNS, 1);
	char cell[400] = "", *text;

	(void)state;
	for (int i = 0; i < 100; i++)
		memcpy(cell + 2 * i, "ü", 3);
	table_put(t, cell);
	text = printed(print_text, t);
	assert_int_equal(strlen(text), strlen("name\n") + 72 * 2 + strlen("…\n"));
	free(text);
	table_free(t);
}

static void programs_get_json_with_types_and_all_digits(void **state)
{
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));
	char *text;

	(void)state;
	put_row(t, "a\"b", "9007199254740993", "{\"k\": [1.50]}", "x", "t");
	put_row(t, NULL, NULL, NULL, NULL, NULL);
	put_row(t, "", "x", "", "", "f");
	table_put_int(t, 1);
	text = printed(table_print_json, t);
	assert_int_equal(table_rows(t), 3);
	assert_non_null(
		strstr(text,
		       "[{\"name\":\"a\\\"b\",\"count\":9007199254740993,\"more\":{\"k\": [1.50]},"
		       "\"flag\":true},"));
	assert_non_null(strstr(text, "{\"name\":null,\"count\":null,\"more\":null,\"flag\":null}"));
	assert_non_null(strstr(text, "\"count\":\"x\",\"more\":\"\",\"flag\":false}"));
	free(text);
	table_free(t);
}

static void only_what_json_calls_a_number_is_printed_as_one(void **state)
{
	static const struct {
		const char *cell, *json;
	} cases[] = {
		{ "0", "[{\"name\":\"\",\"count\":0}]" },
		{ "-12.50", "[{\"name\":\"\",\"count\":-12.50}]" },
		{ "0.5", "[{\"name\":\"\",\"count\":0.5}]" },
		{ "05", "[{\"name\":\"\",\"count\":\"05\"}]" },
		{ "5.", "[{\"name\":\"\",\"count\":\"5.\"}]" },
		{ ".5", "[{\"name\":\"\",\"count\":\".5\"}]" },
		{ "nan", "[{\"name\":\"\",\"count\":\"nan\"}]" },
		{ "-", "[{\"name\":\"\",\"count\":\"-\"}]" },
		{ "", "[{\"name\":\"\",\"count\":\"\"}]" },
		{ "1.5.2", "[{\"name\":\"\",\"count\":\"1.5.2\"}]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table *t = table_new(COLUMNS, 2);
		char *text;

		table_put(t, "");
		table_put(t, cases[i].cell);
		text = printed(table_print_json, t);
		text[strcspn(text, "\n")] = '\0';
		assert_string_equal(text, cases[i].json);
		free(text);
		table_free(t);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_get_aligned_columns),
		cmocka_unit_test(a_long_cell_is_cut_between_characters),
		cmocka_unit_test(programs_get_json_with_types_and_all_digits),
		cmocka_unit_test(only_what_json_calls_a_number_is_printed_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
