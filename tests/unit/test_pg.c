/* SPDX-License-Identifier: MIT */
/* pg against a real PostgreSQL: JOBFLEET_DATABASE_URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

static const char *url;

static struct pg *must_open(void)
{
	struct pg *p = NULL;
	struct err e = { 0 };

	if (pg_open(&p, url, "test_pg", 5000, &e) < 0)
		fail_msg("%s", e.msg);
	return p;
}

static int64_t must_run(struct pg *p, const char *sql)
{
	struct err e = { 0 };
	int64_t n = pg_run(p, sql, NULL, 0, NULL, &e);

	if (n < 0)
		fail_msg("%s: %s", sql, e.msg);
	return n;
}

/* Runs sql in a transaction of its own, which is rolled back. */
static int code_of(struct pg *p, const char *sql)
{
	struct err e = { 0 };
	int64_t r;

	assert_int_equal(pg_begin(p, 5000, &e), 0);
	r = pg_run(p, sql, NULL, 0, NULL, &e);
	if (r < 0)
		assert_int_equal(-r, e.code);
	pg_rollback(p);
	return (int)-r;
}

static void parameters_and_cells_travel_in_every_type(void **state)
{
	struct pg *p = must_open();
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	size_t len = 0;
	char *bytes;

	(void)state;
	assert_int_equal(
		pg_run(p,
		       "SELECT $1::int8, $2::text, $3::bytea, $4::numeric, $5::bool,"
		       " $6::text, $7::bytea",
		       PG_PARAMS(PG_INT(INT64_MIN), PG_TEXT("ä\\'"), PG_BYTES("a\0b\xff", 4),
				 PG_TEXT("12.50"), PG_TEXT("true"), PG_NULL, PG_BYTES("", 0)),
		       &rows, &e),
		1);
	assert_int_equal(pg_rows_count(rows), 1);
	assert_true(pg_int(rows, 0, 0) == INT64_MIN);
	assert_string_equal(pg_text(rows, 0, 1), "ä\\'");
	bytes = pg_bytea(rows, 0, 2, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(bytes, "a\0b\xff", 4);
	free(bytes);
	assert_true(pg_num(rows, 0, 3) == 12.5);
	assert_int_equal(pg_int(rows, 0, 3), 12);
	assert_true(pg_bool(rows, 0, 4));
	assert_null(pg_cell(rows, 0, 5));
	assert_string_equal(pg_text(rows, 0, 5), "");
	assert_null(pg_bytea(rows, 0, 5, &len));
	bytes = pg_bytea(rows, 0, 6, &len);
	assert_int_equal(len, 0);
	assert_non_null(bytes);
	free(bytes);
	assert_null(pg_cell(rows, 1, 0));
	assert_null(pg_cell(rows, 0, 99));
	pg_rows_free(rows);
	pg_close(p);
}

static void each_sqlstate_becomes_its_error_code(void **state)
{
	static const struct {
		const char *sql, *sqlstate;
		enum err_code code;
	} cases[] = {
		{ "INSERT INTO one VALUES (1)", "23505", ERR_CONFLICT },
		{ "INSERT INTO one VALUES (NULL)", "23502", ERR_INVALID },
		{ "INSERT INTO one VALUES (-1)", "23514", ERR_INVALID },
		{ "SELECT 'x'::int", "22P02", ERR_INVALID },
		{ "SELECT 1/0", "22012", ERR_INVALID },
		{ "DO $$ BEGIN RAISE 'no'; END $$", "P0001", ERR_INVALID },
		{ "SELECT * FROM nowhere", "42P01", ERR_SCHEMA },
		{ "SELECT nothing FROM one", "42703", ERR_SCHEMA },
		{ "SELECT nothing()", "42883", ERR_SCHEMA },
		{ "SELEC", "42601", ERR_INTERNAL },
		{ "DO $$ BEGIN RAISE insufficient_privilege; END $$", "42501", ERR_REFUSED },
		{ "DO $$ BEGIN RAISE deadlock_detected; END $$", "40P01", ERR_DB },
		{ "DO $$ BEGIN RAISE serialization_failure; END $$", "40001", ERR_DB },
		{ "DO $$ BEGIN RAISE lock_not_available; END $$", "55P03", ERR_DB },
		{ "DO $$ BEGIN RAISE disk_full; END $$", "53100", ERR_DB },
	};
	struct pg *p = must_open();

	(void)state;
	must_run(p, "CREATE TEMP TABLE one (v int PRIMARY KEY CHECK (v > 0))");
	must_run(p, "INSERT INTO one VALUES (1)");
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(code_of(p, cases[i].sql), cases[i].code);
		assert_string_equal(pg_sqlstate(p), cases[i].sqlstate);
	}
	assert_true(pg_is_alive(p));
	pg_close(p);
}

static void an_error_text_names_the_hint_and_never_the_row(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };

	(void)state;
	must_run(p, "CREATE TEMP TABLE one (v text PRIMARY KEY)");
	must_run(p, "INSERT INTO one VALUES ('hidden')");
	assert_int_equal(pg_run(p, "INSERT INTO one VALUES ('hidden')", NULL, 0, NULL, &e),
			 -ERR_CONFLICT);
	assert_null(strstr(e.msg, "hidden"));
	assert_int_equal(pg_run(p, "DO $$ BEGIN RAISE 'bad' USING HINT = 'Do so.'; END $$", NULL, 0,
				NULL, &e), -ERR_INVALID);
	assert_string_equal(e.msg, "PostgreSQL: bad. Do so. (SQLSTATE P0001)");
	pg_close(p);
}

static void rows_affected_are_counted(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };

	(void)state;
	must_run(p, "CREATE TEMP TABLE t (v int)");
	assert_int_equal(must_run(p, "INSERT INTO t SELECT generate_series(1, 7)"), 7);
	assert_int_equal(must_run(p, "UPDATE t SET v = 0 WHERE v > 5"), 2);
	assert_int_equal(must_run(p, "DELETE FROM t RETURNING v"), 7);
	assert_int_equal(pg_exec(p, "SELECT 1; SELECT 2; DROP TABLE t", &e), 0);
	assert_int_equal(pg_exec(p, "SELECT 1; SELECT * FROM t; SELECT 2", &e), -ERR_SCHEMA);
	assert_int_equal(must_run(p, "SELECT 1"), 1);
	pg_close(p);
}

static void a_transaction_commits_rolls_back_and_reports_a_failed_commit(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };

	(void)state;
	must_run(p, "CREATE TEMP TABLE t (v int)");
	assert_int_equal(pg_begin(p, 1000, &e), 0);
	assert_true(pg_in_transaction(p));
	assert_int_equal(pg_begin(p, 1000, &e), -ERR_INTERNAL);
	must_run(p, "INSERT INTO t VALUES (1)");
	pg_rollback(p);
	pg_rollback(p);
	assert_false(pg_in_transaction(p));
	assert_int_equal(must_run(p, "SELECT * FROM t"), 0);
	assert_int_equal(pg_begin(p, 0, &e), 0);
	must_run(p, "INSERT INTO t VALUES (1)");
	assert_int_equal(pg_commit(p, &e), 0);
	assert_int_equal(must_run(p, "SELECT * FROM t"), 1);
	assert_int_equal(pg_begin(p, 0, &e), 0);
	assert_true(pg_run(p, "SELECT 1/0", NULL, 0, NULL, &e) < 0);
	assert_int_equal(pg_commit(p, &e), -ERR_INTERNAL);
	assert_false(pg_in_transaction(p));
	pg_close(p);
}

static void begin_bounds_statements_and_idleness_for_this_transaction_only(void **state)
{
	struct pg *p = must_open();
	struct pg_rows *rows = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pg_begin(p, 50, &e), 0);
	assert_int_equal(pg_run(p, "SELECT pg_sleep(10)", NULL, 0, NULL, &e), -ERR_TIMEOUT);
	assert_string_equal(pg_sqlstate(p), "57014");
	assert_true(pg_is_alive(p));
	pg_rollback(p);
	assert_int_equal(pg_begin(p, 1234, &e), 0);
	pg_run(p, "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
	       " current_setting('idle_in_transaction_session_timeout')", NULL, 0, &rows, &e);
	assert_string_equal(pg_text(rows, 0, 0), "1234ms");
	assert_string_equal(pg_text(rows, 0, 1), "5s");
	assert_string_equal(pg_text(rows, 0, 2), "5s");
	pg_rows_free(rows);
	assert_int_equal(pg_commit(p, &e), 0);
	pg_run(p, "SELECT current_setting('statement_timeout')", NULL, 0, &rows, &e);
	assert_string_equal(pg_text(rows, 0, 0), "0");
	pg_rows_free(rows);
	pg_close(p);
}

static void what_a_transaction_is_for_is_known_in_it_alone(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pg_begin_for(p, 0, "it's \\ 'one'; COMMIT", &e), 0);
	assert_int_equal(must_run(p, "SELECT WHERE current_setting('jobfleet.task_id') ="
				     " $$it's \\ 'one'; COMMIT$$"), 1);
	assert_int_equal(pg_commit(p, &e), 0);
	assert_int_equal(must_run(p, "SELECT WHERE current_setting('jobfleet.task_id', true) = ''"),
			 1);
	pg_close(p);
}

static void a_call_past_its_deadline_ends_and_breaks_the_connection(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };
	int64_t start = clock_mono_ms();

	(void)state;
	pg_set_deadline(p, start + 100);
	assert_int_equal(pg_run(p, "SELECT pg_sleep(5)", NULL, 0, NULL, &e), -ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 90, 2000);
	assert_false(pg_is_alive(p));
	pg_set_deadline(p, 0);
	assert_int_equal(pg_run(p, "SELECT 1", NULL, 0, NULL, &e), -ERR_DB);
	pg_close(p);
}

static void a_commit_without_an_answer_is_a_lost_connection(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };

	(void)state;
	must_run(p, "CREATE TEMP TABLE t (v int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)");
	must_run(p, "CREATE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql AS"
		 " 'BEGIN PERFORM pg_sleep(5); RETURN NULL; END'");
	must_run(p, "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t INITIALLY DEFERRED"
		 " FOR EACH ROW EXECUTE FUNCTION pg_temp.slow()");
	assert_int_equal(pg_begin(p, 0, &e), 0);
	must_run(p, "INSERT INTO t VALUES (1)");
	pg_set_deadline(p, clock_mono_ms() + 100);
	assert_int_equal(pg_commit(p, &e), -ERR_DB);
	assert_false(pg_is_alive(p));
	pg_close(p);
}

static bool cancel_at_third(void *ctx)
{
	return ++*(int *)ctx >= 3;
}

static void a_cancel_ends_a_waiting_call(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };
	int asked = 0;

	(void)state;
	pg_set_cancel(p, cancel_at_third, &asked);
	assert_int_equal(pg_run(p, "SELECT pg_sleep(20)", NULL, 0, NULL, &e), -ERR_CANCELLED);
	assert_false(pg_is_alive(p));
	pg_close(p);
}

static void a_killed_backend_is_a_lost_connection(void **state)
{
	struct pg *p = must_open(), *killer = must_open();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pg_run(killer, "SELECT pg_terminate_backend($1, 5000)",
				PG_PARAMS(PG_INT(pg_backend_pid(p))), NULL, &e), 1);
	assert_int_equal(pg_run(p, "SELECT 1", NULL, 0, NULL, &e), -ERR_DB);
	assert_false(pg_is_alive(p));
	pg_close(p);
	pg_close(killer);
}

static void copy_brings_rows_in_pieces_and_can_be_given_up(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };

	(void)state;
	must_run(p, "CREATE TEMP TABLE t (a int, b text)");
	assert_int_equal(pg_copy_start(p, "COPY t FROM STDIN", &e), 0);
	assert_int_equal(pg_copy_data(p, "1\tone\n2\tt", 9, &e), 0);
	assert_int_equal(pg_copy_data(p, "wo\n", 3, &e), 0);
	assert_int_equal(pg_copy_end(p, NULL, &e), 2);
	assert_int_equal(pg_copy_start(p, "COPY t FROM STDIN", &e), 0);
	assert_int_equal(pg_copy_data(p, "3\tthree\n", 8, &e), 0);
	assert_int_equal(pg_copy_end(p, "given up", &e), 0);
	assert_int_equal(pg_copy_start(p, "COPY t FROM STDIN", &e), 0);
	assert_int_equal(pg_copy_data(p, "x\ty\n", 4, &e), 0);
	assert_int_equal(pg_copy_end(p, NULL, &e), -ERR_INVALID);
	assert_int_equal(pg_copy_start(p, "COPY nowhere FROM STDIN", &e), -ERR_SCHEMA);
	assert_int_equal(pg_copy_start(p, "SELECT 1", &e), -ERR_INTERNAL);
	assert_int_equal(must_run(p, "SELECT * FROM t"), 2);
	pg_close(p);
}

static void copy_and_parameters_of_many_megabytes_do_not_deadlock(void **state)
{
	enum { SIZE = 24 << 20 };
	struct pg *p = must_open();
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	char *big = mem_alloc(SIZE);

	(void)state;
	memset(big, 'x', SIZE);
	assert_int_equal(
		pg_run(p, "SELECT length($1), $1", PG_PARAMS(PG_BYTES(big, SIZE)), &rows, &e), 1);
	assert_int_equal(pg_int(rows, 0, 0), SIZE);
	pg_rows_free(rows);
	must_run(p, "CREATE TEMP TABLE t (b text)");
	big[SIZE - 1] = '\n';
	assert_int_equal(pg_copy_start(p, "COPY t FROM STDIN", &e), 0);
	assert_int_equal(pg_copy_data(p, big, SIZE, &e), 0);
	assert_int_equal(pg_copy_end(p, NULL, &e), 1);
	free(big);
	pg_close(p);
}

static void a_copy_given_to_run_is_refused(void **state)
{
	struct pg *p = must_open();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pg_run(p, "COPY (SELECT 1) TO STDOUT", NULL, 0, NULL, &e), -ERR_INTERNAL);
	assert_false(pg_is_alive(p));
	pg_close(p);
}

static void a_listener_hears_and_times_out(void **state)
{
	struct pg *p = must_open(), *other = must_open();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pg_listen(p, "test pg \"x\"", &e), 0);
	assert_int_equal(pg_wait_notify(p, 20, &e), 0);
	must_run(other, "NOTIFY \"test pg \"\"x\"\"\"");
	assert_int_equal(pg_wait_notify(p, 5000, &e), 1);
	assert_int_equal(pg_wait_notify(p, 0, &e), 0);
	assert_int_equal(pg_run(other, "SELECT pg_terminate_backend($1, 5000)",
				PG_PARAMS(PG_INT(pg_backend_pid(p))), NULL, &e), 1);
	assert_int_equal(pg_wait_notify(p, 5000, &e), -ERR_DB);
	pg_close(p);
	pg_close(other);
}

static void keep_notice(void *ctx, const char *text)
{
	snprintf(ctx, 64, "%s", text);
}

static void notices_go_where_they_were_sent(void **state)
{
	struct pg *p = must_open();
	char text[64] = "";

	(void)state;
	must_run(p, "DO $$ BEGIN RAISE NOTICE 'dropped'; END $$");
	pg_on_notice(p, keep_notice, text);
	must_run(p, "DO $$ BEGIN RAISE NOTICE 'heard'; END $$");
	assert_non_null(strstr(text, "heard"));
	pg_close(p);
}

static void expect_open_error(const char *bad, enum err_code code, const char *text)
{
	struct pg *p = NULL;
	struct err e = { 0 };

	assert_int_equal(pg_open(&p, bad, "test_pg", 2000, &e), -(int)code);
	assert_null(p);
	if (!strstr(e.msg, text))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, text);
	assert_null(strstr(e.msg, "s3cret"));
}

static void a_wrong_url_says_what_would_be_right_without_the_password(void **state)
{
	(void)state;
	expect_open_error("", ERR_CONFIG, "JOBFLEET_DATABASE_URL");
	expect_open_error("postgresql://u:s3cret%zz@h/d", ERR_CONFIG, "want postgresql://");
	expect_open_error("mysql://u:s3cret@h/d", ERR_CONFIG, "want postgresql://");
	expect_open_error("postgresql://u:s3cret@127.0.0.1:1/d", ERR_DB, "127.0.0.1");
}

/* url with its database or user replaced */
static char *url_with(const char *user, const char *database)
{
	const char *at = strchr(url, '@'), *slash = strrchr(url, '/');

	if (user)
		return mem_printf("postgresql://%s%s", user, at);
	return mem_printf("%.*s/%s", (int)(slash - url), url, database);
}

static void a_refused_login_and_a_missing_database_are_permanent(void **state)
{
	char *user = url_with("nobody:s3cret", NULL), *database = url_with(NULL, "nowhere");

	(void)state;
	expect_open_error(user, ERR_REFUSED, "nobody");
	expect_open_error(database, ERR_CONFIG, "nowhere");
	free(user);
	free(database);
}

/* A listener that takes connections and never says anything. */
static int silent_port(int *ret_fd)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(*ret_fd, 8), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static void a_silent_host_costs_its_share_and_the_next_one_is_taken(void **state)
{
	const char *at = strchr(url, '@'), *slash = strrchr(url, '/');
	int fd, port = silent_port(&fd);
	struct pg *p = NULL;
	struct err e = { 0 };
	int64_t start = clock_mono_ms();
	char *both = mem_printf("%.*s127.0.0.1:%d,%.*s%s", (int)(at + 1 - url), url, port,
				(int)(slash - at - 1), at + 1, slash);
	char *alone = mem_printf("postgresql://u@127.0.0.1:%d/d", port);

	(void)state;
	assert_int_equal(pg_open(&p, both, "test_pg", 1000, &e), 0);
	assert_in_range(clock_mono_ms() - start, 400, 1000);
	pg_close(p);
	p = NULL;
	start = clock_mono_ms();
	assert_int_equal(pg_open(&p, alone, "test_pg", 300, &e), -ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 250, 1500);
	close(fd);
	free(both);
	free(alone);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_and_cells_travel_in_every_type),
		cmocka_unit_test(each_sqlstate_becomes_its_error_code),
		cmocka_unit_test(an_error_text_names_the_hint_and_never_the_row),
		cmocka_unit_test(rows_affected_are_counted),
		cmocka_unit_test(a_transaction_commits_rolls_back_and_reports_a_failed_commit),
		cmocka_unit_test(begin_bounds_statements_and_idleness_for_this_transaction_only),
		cmocka_unit_test(what_a_transaction_is_for_is_known_in_it_alone),
		cmocka_unit_test(a_call_past_its_deadline_ends_and_breaks_the_connection),
		cmocka_unit_test(a_commit_without_an_answer_is_a_lost_connection),
		cmocka_unit_test(a_cancel_ends_a_waiting_call),
		cmocka_unit_test(a_killed_backend_is_a_lost_connection),
		cmocka_unit_test(copy_brings_rows_in_pieces_and_can_be_given_up),
		cmocka_unit_test(copy_and_parameters_of_many_megabytes_do_not_deadlock),
		cmocka_unit_test(a_copy_given_to_run_is_refused),
		cmocka_unit_test(a_listener_hears_and_times_out),
		cmocka_unit_test(notices_go_where_they_were_sent),
		cmocka_unit_test(a_wrong_url_says_what_would_be_right_without_the_password),
		cmocka_unit_test(a_refused_login_and_a_missing_database_are_permanent),
		cmocka_unit_test(a_silent_host_costs_its_share_and_the_next_one_is_taken),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	if (!url) {
		fprintf(stderr, "test_pg: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
