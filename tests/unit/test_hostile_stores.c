/* SPDX-License-Identifier: MIT */
/* services: shared */
/* timeout: 240 */
/* Every call on the network to PostgreSQL, Redis and an HTTP server fails in turn, in every way. A
 * call that succeeded did what it says, one that failed says that another try is worth it, a
 * transaction is there whole or not at all, and a new connection does the work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/net/http.h"
#include "common/net/listen.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "tests/hostile/outage.h"

enum { LIMIT_MS = 20000, RUNS_MOST = 4000, ROWS = 6, BODY = 5000 };

static int set_up(void **state)
{
	(void)state;
	outage.points = 0;
	return 0;
}

static pid_t server;			/* of the HTTP test; 0 = none */

static int tear_down(void **state)
{
	(void)state;
	outage_end();
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
		server = 0;
	}
	outage_report();
	return 0;
}

static const char *url_of(const char *name)
{
	const char *url = getenv(name);

	if (!url)
		skip();
	return url;
}

/* ---- PostgreSQL ---- */

static const char *database_url(void)
{
	return url_of("JOBFLEET_DATABASE_URL");
}

/* Three of the six rows of a run: one by itself, two in a batch. */
static int insert(struct pg *p, int run, struct err *e)
{
	static const char SQL[] = "INSERT INTO hostile VALUES ($1)";
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(p, SQL, PG_PARAMS(PG_INT(run)), NULL, e);

	if (r >= 0) {
		r = pg_run(p, "SELECT $1::int + 1", PG_PARAMS(PG_INT(run)), &rows, e);
		assert_true(r < 0 || pg_int(rows, 0, 0) == run + 1);
		pg_rows_free(rows);
	}
	if (r >= 0)
		r = pg_batch_begin(p, e);
	for (int i = 0; i < 2 && r >= 0; i++)
		r = pg_run(p, SQL, PG_PARAMS(PG_INT(run)), NULL, e);
	return r < 0 ? (int)r : pg_batch_end(p, e);
}

static int copy(struct pg *p, int run, struct err *e)
{
	char line[16];
	int r = pg_copy_start(p, "COPY hostile FROM STDIN", e);

	snprintf(line, sizeof line, "%d\n", run);
	for (int i = 0; i < 3 && r >= 0; i++)
		r = pg_copy_data(p, line, strlen(line), e);
	return r < 0 ? r : (int)pg_copy_end(p, NULL, e);
}

static int transaction(int run, bool *ret_asked, struct err *e)
{
	struct pg *p = NULL;
	int r = pg_open(&p, database_url(), "hostile", LIMIT_MS, e);

	*ret_asked = false;
	if (r >= 0)
		r = pg_listen(p, "hostile", e);
	if (r >= 0)
		r = pg_exec(p, "NOTIFY hostile", e);
	if (r >= 0)
		r = pg_wait_notify(p, LIMIT_MS, e);
	if (r >= 0)
		r = pg_begin(p, LIMIT_MS, e);
	if (r >= 0)
		r = insert(p, run, e);
	if (r >= 0)
		r = copy(p, run, e);
	*ret_asked = r >= 0;
	if (r >= 0)
		r = pg_commit(p, e);
	if (r < 0 && p) {
		assert_false(pg_is_alive(p));
		pg_rollback(p);
	}
	pg_close(p);
	return r;
}

static int64_t number(struct pg *p, const char *sql, int run)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	int64_t n;

	if (pg_run(p, sql, PG_PARAMS(PG_INT(run)), &rows, &e) < 0)
		fail_msg("%s", e.msg);
	n = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return n;
}

static void expect_rows(struct pg *calm, int run, int r, bool asked)
{
	int64_t n = number(calm, "SELECT count(*) FROM hostile WHERE n = $1", run);

	if (n != ROWS && (r >= 0 || n != 0))
		fail_msg("run %d: %d rows after %d", run, (int)n, r);
	if (n == ROWS && !asked)
		fail_msg("run %d: committed by itself", run);
}

static void a_transaction_is_there_whole_or_not_at_all_and_once_committed_is(void **state)
{
	struct pg *calm = NULL;
	struct err e = { 0 };
	bool asked;
	int run = 0;

	(void)state;
	if (pg_open(&calm, database_url(), "calm", LIMIT_MS, &e) < 0 ||
	    pg_exec(calm, "DROP TABLE IF EXISTS hostile;"
		    " CREATE TABLE hostile (n int)", &e) < 0)
		fail_msg("%s", e.msg);
	OUTAGE_EACH() {
		int before = outage_descriptors(), r;

		r = transaction(++run, &asked, &e);
		outage_end();
		outage_expect(r, &e);
		assert_true(r >= 0 || !asked || r == -ERR_DB);
		assert_int_equal(outage_descriptors(), before);
		expect_rows(calm, run, r, asked);
		if (r < 0) {
			assert_int_equal(transaction(++run, &asked, &e), 0);
			expect_rows(calm, run, 0, true);
		}
	}
	assert_int_equal(number(calm, "SELECT count(*) FROM (SELECT n FROM hostile GROUP BY n"
				" HAVING count(*) <> $1) x", ROWS), 0);
	assert_int_equal(pg_exec(calm, "DROP TABLE hostile", &e), 0);
	pg_close(calm);
}

/* ---- Redis ---- */

static const char *redis_url(void)
{
	return url_of("JOBFLEET_REDIS_URL");
}

static int expect_text(struct redis *r, const char *key, const char *want, struct err *e)
{
	struct redis_reply *reply = NULL;
	int got = redis_cmd(r, &reply, e, "MGET", key, "no-such-key", NULL);

	if (got == 0) {
		assert_int_equal(reply->nitems, 2);
		assert_string_equal(reply->items[0]->str, want);
		assert_int_equal(reply->items[1]->type, REDIS_NIL);
	}
	redis_reply_free(reply);
	return got;
}

static int count_up(struct redis *r, const char *key, int *done, struct err *e)
{
	static const char SCRIPT[] = "return redis.call('INCR', KEYS[1])";
	struct redis_reply *reply = NULL;
	int got = 0;

	for (int i = 0; i < 3 && got == 0; i++) {
		got = i ? redis_eval(r, SCRIPT, 1, &key, NULL, 1, &reply, e) :
			  redis_cmd(r, &reply, e, "INCR", key, NULL);
		if (got == 0)
			assert_int_equal(reply->integer, ++*done);
		redis_reply_free(reply);
		reply = NULL;
	}
	return got;
}

static int hear(struct redis *r, struct redis *calm, const char *channel, struct err *e)
{
	struct redis_reply *reply = NULL;
	bool armed = outage.armed;
	int got = redis_cmd(r, NULL, e, "SUBSCRIBE", channel, NULL);

	if (got < 0)
		return got;
	outage.armed = false;
	assert_int_equal(redis_cmd(calm, NULL, NULL, "PUBLISH", channel, "word", NULL), 0);
	outage.armed = armed;
	got = redis_wait(r, LIMIT_MS, &reply, e);
	if (got == 1)
		assert_string_equal(reply->items[2]->str, "word");
	redis_reply_free(reply);
	return got == 0 ? err_set(e, ERR_TIMEOUT, "nothing was heard") : got;
}

static int use(struct redis *calm, const char *key, const char *counter, int *done, struct err *e)
{
	struct redis *r = NULL;
	int got = redis_open(&r, redis_url(), LIMIT_MS, e);

	if (got == 0)
		got = redis_cmd(r, NULL, e, "SETEX", key, "60", "text", NULL);
	if (got == 0)
		got = expect_text(r, key, "text", e);
	if (got == 0)
		got = count_up(r, counter, done, e);
	if (got == 0)
		got = hear(r, calm, key, e);
	assert_true(got >= 0 || !r || !redis_is_alive(r));
	redis_close(r);
	return got;
}

static int64_t counted(struct redis *calm, const char *counter)
{
	struct redis_reply *reply = NULL;
	int64_t n;

	assert_int_equal(redis_cmd(calm, &reply, NULL, "INCRBY", counter, "0", NULL), 0);
	n = reply->integer;
	redis_reply_free(reply);
	return n;
}

static void a_command_of_redis_that_succeeded_happened_once(void **state)
{
	struct redis *calm = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(redis_open(&calm, redis_url(), LIMIT_MS, &e), 0);
	OUTAGE_EACH() {
		int before = outage_descriptors(), done = 0, r;
		char key[UUID_SIZE], counter[UUID_SIZE];

		uuid_v4(key);
		uuid_v4(counter);
		r = use(calm, key, counter, &done, &e);
		outage_end();
		outage_expect(r, &e);
		assert_int_equal(outage_descriptors(), before);
		assert_in_range(counted(calm, counter), done, done + (r < 0));
		if (r < 0) {
			done = 0;
			uuid_v4(counter);
			assert_int_equal(use(calm, key, counter, &done, &e), 1);
		}
	}
	redis_close(calm);
}

/* ---- HTTP ---- */

static void serve(int listening)
{
	char request[4096], body[BODY + 1], answer[BODY + 256];
	int n, fd;

	memset(body, 'x', BODY);
	body[BODY] = '\0';
	n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
		     "Content-Type: text/plain\r\n\r\n%s", BODY, body);
	signal(SIGPIPE, SIG_IGN);
	while ((fd = accept(listening, NULL, NULL)) >= 0) {
		size_t len = 0;
		ssize_t got;

		while ((got = read(fd, request + len, sizeof request - 1 - len)) > 0) {
			len += (size_t)got;
			request[len] = '\0';
			if (!strstr(request, "\r\n\r\n"))
				continue;
			if (write(fd, answer, (size_t)n) != n)
				break;
			len = 0;
		}
		close(fd);
	}
	_exit(0);
}

/* A process of its own, whose calls do not fail. */
static void start_server(char *ret_url, size_t size)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(ret_url, size, "http://127.0.0.1:%d/x", ntohs(at.sin_port));
	server = fork();
	if (server == 0)
		serve(fd);
	close(fd);
}

static int get(struct http *h, const char *url, struct err *e)
{
	struct http_request q = { .url = url, .timeout_ms = LIMIT_MS };
	struct http_response a = { 0 };
	int r = http_perform(h, &q, &a, e);

	if (r < 0)
		return r;
	assert_int_equal(a.status, 200);
	assert_true(a.complete ? a.body.len == BODY : a.body.len < BODY);
	for (size_t i = 0; i < a.body.len; i++)
		assert_int_equal(a.body.data[i], 'x');
	http_response_release(&a);
	return 0;
}

static int get_twice(const char *url, struct err *e)
{
	struct http *h = NULL;
	int r = http_open(&h, "hostile", e);

	for (int i = 0; i < 2 && r >= 0; i++)
		r = get(h, url, e);
	http_close(h);
	return r;
}

static void an_answer_over_http_is_whole_or_said_not_to_be(void **state)
{
	char url[64];

	(void)state;
	start_server(url, sizeof url);
	OUTAGE_EACH() {
		int before = outage_descriptors(), r;
		struct err e = { 0 };

		r = get_twice(url, &e);
		outage_end();
		outage_expect(r, &e);
		assert_int_equal(outage_descriptors(), before);
		if (r < 0)
			assert_int_equal(get_twice(url, &e), 0);
	}
}

static void a_listener_that_cannot_be_made_leaves_nothing_open(void **state)
{
	(void)state;
	OUTAGE_EACH() {
		char shown[LISTEN_SHOWN];
		int before = outage_descriptors(), fd;
		struct err e = { 0 };

		fd = listen_open("127.0.0.1:0", shown, &e);
		outage_end();
		if (fd >= 0)
			close(fd);
		else
			assert_int_equal(e.code, ERR_IO);
		assert_int_equal(outage_descriptors(), before);
	}
}

#define EACH_CALL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_CALL(a_transaction_is_there_whole_or_not_at_all_and_once_committed_is),
		EACH_CALL(a_command_of_redis_that_succeeded_happened_once),
		EACH_CALL(an_answer_over_http_is_whole_or_said_not_to_be),
		EACH_CALL(a_listener_that_cannot_be_made_leaves_nothing_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
