/* SPDX-License-Identifier: MIT */
/* The columns of a load and the statements made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "workers/loading/column.h"
#include "workers/loading/merge_sql.h"

static void values_stand_in_the_order_of_their_names(void **state)
{
	struct buf names, values;
	char *name, *value;

	(void)state;
	buf_init(&names, 1 << 16);
	buf_init(&values, 1 << 16);
	column_put_names(&names, "r.");
	column_put_values(&values);
	name = names.data;
	value = values.data;
	for (int i = 0; i < COLUMNS_COUNT; i++) {
		size_t len = strcspn(name, ",");

		value = strstr(value, "r.");
		assert_non_null(value);
		assert_memory_equal(value, name, len);
		assert_int_equal(strlen(COLUMNS[i].name) + 2, len);
		name += len + 2 * (i + 1 < COLUMNS_COUNT);
		value += len;
	}
	buf_release(&names);
	buf_release(&values);
}

static void what_is_absent_gets_its_empty_value_where_the_table_wants_one(void **state)
{
	struct buf values;

	(void)state;
	buf_init(&values, 1 << 16);
	column_put_values(&values);
	assert_non_null(strstr(values.data, "coalesce(r.skills, '{}')"));
	assert_non_null(strstr(values.data, "coalesce(r.remote, 'unknown')"));
	assert_non_null(strstr(values.data, ", r.salary_min,"));
	buf_release(&values);
}

static void a_statement_numbers_the_parameters_it_mentions_from_one(void **state)
{
	struct merge_sql all[MERGE_STEPS];

	(void)state;
	merge_sql_init(all);
	for (int i = 0; i < MERGE_STEPS; i++) {
		bool seen[MERGE_PARAMS] = { false };

		for (const char *p = strchr(all[i].text, '$'); p; p = strchr(p + 1, '$')) {
			assert_in_range(p[1] - '1', 0, all[i].nparams - 1);
			seen[p[1] - '1'] = true;
		}
		for (int k = 0; k < all[i].nparams; k++) {
			assert_true(seen[k]);
			for (int l = 0; l < k; l++)
				assert_int_not_equal(all[i].params[k], all[i].params[l]);
		}
	}
	assert_int_equal(all[MERGE_RETIRE].params[0], MERGE_PROCESSING);
	assert_non_null(strstr(all[MERGE_RETIRE].text, "BETWEEN $2::int AND $3::int"));
	merge_sql_release(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_stand_in_the_order_of_their_names),
		cmocka_unit_test(what_is_absent_gets_its_empty_value_where_the_table_wants_one),
		cmocka_unit_test(a_statement_numbers_the_parameters_it_mentions_from_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
