/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/loading/column.h"

/* The field of one column in the line that a posting makes. */
static void check(const char *posting, const char *name, const char *want)
{
	cJSON *json = cJSON_Parse(posting);
	struct buf line;
	char *field, *save;
	int i = 0;

	assert_non_null(json);
	buf_init(&line, 1 << 20);
	column_put_all(&line, json);
	for (field = line.data; strcmp(COLUMNS[i].name, name); i++)
		field = strchr(field, '\t') + 1;
	save = strchr(field, '\t');
	if (save)
		*save = '\0';
	assert_string_equal(field, want);
	buf_release(&line);
	cJSON_Delete(json);
}

static void every_kind_of_value_has_its_copy_form(void **state)
{
	(void)state;
	check("{\"title\":\"a\\tb\\nc\\\\d\"}", "title", "a\\tb\\nc\\\\d");
	check("{\"salary_min\":52000.5}", "salary_min", "52000.50");
	check("{\"salary_max\":0.1}", "salary_max", "0.10");
	check("{\"latitude\":-77.1234567}", "latitude", "-77.1234567");
	check("{\"is_demo\":true}", "is_demo", "t");
	check("{\"skills\":[\"C++\",\"a \\\"b\\\"\",5]}", "skills",
	      "{\"C++\",\"a \\\\\"b\\\\\"\"}");
	check("{\"raw_data\":{\"a\":[1,\"x\\ny\"]}}", "raw_data", "{\"a\":[1,\"x\\\\ny\"]}");
	check("{\"apply_options\":[{}]}", "apply_options", "[{}]");
}

static void what_is_absent_or_of_another_type_is_null_or_empty(void **state)
{
	(void)state;
	check("{}", "title", "\\N");
	check("{\"title\":null}", "title", "\\N");
	check("{\"title\":7}", "title", "\\N");
	check("{\"salary_min\":\"7\"}", "salary_min", "\\N");
	check("{}", "skills", "{}");
	check("{}", "description", "");
	check("{}", "remote", "unknown");
	check("{\"raw_data\":[1]}", "raw_data", "{}");
	check("{\"apply_options\":{}}", "apply_options", "[]");
	check("{}", "naics_name", "\\N");
}

static void members_in_any_order_find_their_column(void **state)
{
	(void)state;
	check("{\"naics_name\":\"z\",\"unknown\":1,\"title\":\"a\",\"city\":\"c\"}", "title", "a");
	check("{\"naics_name\":\"z\",\"unknown\":1,\"title\":\"a\",\"city\":\"c\"}", "city", "c");
	check("{\"naics_name\":\"z\",\"unknown\":1,\"title\":\"a\",\"city\":\"c\"}", "naics_name",
	      "z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_has_its_copy_form),
		cmocka_unit_test(what_is_absent_or_of_another_type_is_null_or_empty),
		cmocka_unit_test(members_in_any_order_find_their_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
