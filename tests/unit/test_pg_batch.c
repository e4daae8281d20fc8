/* SPDX-License-Identifier: MIT */
/* Batches, and rows of pending by the thousand. */
#include "tests/unit/scratch_db.h"

#include "common/store/pending.h"

static int64_t rows_of(struct pg *p)
{
	struct pg_rows *rows = NULL;
	int64_t n;

	assert_int_equal(pg_run(p, "SELECT count(*) FROM batch_test", NULL, 0, &rows, NULL), 1);
	n = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return n;
}

static void a_batch_holds_as_a_whole_or_not_at_all(void **state)
{
	static const char INSERT[] = "INSERT INTO batch_test VALUES ($1)";
	struct fixture *f = *state;
	struct pg *p = f->pg;
	struct err e = { 0 };

	assert_int_equal(pg_exec(p, "CREATE TABLE batch_test (n int PRIMARY KEY)", &e), 0);
	assert_int_equal(pg_batch_begin(p, &e), 0);
	assert_int_equal(pg_run(p, INSERT, PG_PARAMS(PG_INT(1)), NULL, &e), 0);
	assert_int_equal(pg_run(p, INSERT, PG_PARAMS(PG_INT(2)), NULL, &e), 0);
	assert_int_equal(pg_batch_end(p, &e), 0);
	assert_int_equal(rows_of(p), 2);
	assert_int_equal(pg_batch_begin(p, &e), 0);
	assert_int_equal(pg_run(p, INSERT, PG_PARAMS(PG_INT(3)), NULL, &e), 0);
	assert_int_equal(pg_run(p, INSERT, PG_PARAMS(PG_INT(1)), NULL, &e), 0);
	assert_int_equal(pg_run(p, INSERT, PG_PARAMS(PG_INT(4)), NULL, &e), 0);
	assert_int_equal(pg_batch_end(p, &e), -ERR_CONFLICT);
	assert_true(pg_is_alive(p));
	assert_int_equal(rows_of(p), 2);
	assert_int_equal(pg_batch_begin(p, &e), 0);
	assert_int_equal(pg_batch_end(p, &e), 0);
	assert_int_equal(rows_of(p), 2);
}

enum { ROWS = 6001 };

static struct pending_row *make_rows(char ids[ROWS][16])
{
	struct pending_row *rows = mem_zalloc(ROWS * sizeof *rows);

	for (int i = 0; i < ROWS; i++) {
		snprintf(ids[i], 16, "a\"b\\,{%d}", i);
		rows[i] = (struct pending_row){
			.task_id = ids[i], .nesting = i % 3, .retries = i % 2, .kind = "outbox",
			.task = "t", .queue = "q", .props = "props", .props_len = 5 - i % 2,
			.body = ids[i], .body_len = strlen(ids[i]), .claim_ms = 5000,
			.delay_ms = i % 10 == 0 ? 3600000 : 0,
		};
	}
	return rows;
}

static void many_rows_go_in_and_are_marked_as_one(void **state)
{
	static char ids[ROWS][16];
	struct fixture *f = *state;
	struct pending_row *rows = make_rows(ids);
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	for (int twice = 0; twice < 2; twice++)
		if (pending_insert_many(f->pg, rows, ROWS, &e) < 0)
			fail_msg("%s", e.msg);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"
				" WHERE convert_from(body, 'UTF8') = task_id"
				" AND props IN ('props', 'prop') AND claimed_until > now()"), ROWS);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"
				" WHERE due > now() + interval '30 minutes'"), (ROWS + 9) / 10);
	assert_int_equal(pending_mark_sent(f->pg, rows, ROWS - 1, &e), 0);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"
				" WHERE state = 'sent' AND claimed_until IS NULL"), ROWS - 1);
	assert_int_equal(pending_forget(f->pg, rows, ROWS, &e), 0);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"), ROWS - 1);
	free(rows);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_DATABASE(a_batch_holds_as_a_whole_or_not_at_all),
		WITH_DATABASE(many_rows_go_in_and_are_marked_as_one),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	if (!url) {
		fprintf(stderr, "test_pg_batch: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
