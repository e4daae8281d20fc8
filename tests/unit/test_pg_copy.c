/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/store/pg.h"

static void copy_gives_rows_back_within_a_limit(void **state)
{
	struct pg *p = NULL;
	struct err e = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 64 * 1024);
	assert_int_equal(pg_open(&p, getenv("JOBFLEET_DATABASE_URL"), "test_pg_copy", 5000, &e), 0);
	assert_int_equal(pg_exec(p, "CREATE TEMP TABLE t AS SELECT 7 AS a, 'seven' AS b", &e), 0);
	assert_int_equal(pg_copy_out(p, "COPY t TO STDOUT", &out, &e), 0);
	assert_string_equal(buf_text(&out), "7\tseven\n");
	buf_clear(&out);
	assert_int_equal(pg_copy_out(p, "COPY (SELECT 1 / (3 - i) FROM generate_series(1, 3) i)"
				     " TO STDOUT", &out, &e), -ERR_INVALID);
	assert_int_equal(pg_copy_out(p, "COPY nowhere TO STDOUT", &out, &e), -ERR_SCHEMA);
	assert_int_equal(pg_copy_out(p, "SELECT 1", &out, &e), -ERR_INTERNAL);
	assert_int_equal(pg_copy_out(p, "COPY (SELECT repeat('x', 100000)) TO STDOUT", &out, &e),
			 -ERR_TOO_BIG);
	assert_int_equal(pg_run(p, "SELECT * FROM t", NULL, 0, NULL, &e), 1);
	buf_release(&out);
	pg_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_gives_rows_back_within_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
