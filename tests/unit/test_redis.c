/* SPDX-License-Identifier: MIT */
/* redis against a real server (JOBFLEET_REDIS_URL) and against peers that misbehave, which are
 * threads on a port of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/redis.h"

static const char *url;

static struct redis *must_open(const char *at)
{
	struct redis *r = NULL;
	struct err e = { 0 };

	if (redis_open(&r, at, 3000, &e) < 0)
		fail_msg("%s", e.msg);
	return r;
}

static void commands_of_every_answer_type_work(void **state)
{
	struct redis *r = must_open(url);
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	char key[UUID_SIZE];
	const char *words[] = { "SET", key, "a\0\r\nb" };
	const size_t lens[] = { 3, 36, 5 };

	(void)state;
	uuid_v4(key);
	assert_int_equal(redis_run(r, words, lens, 3, &reply, &e), 0);
	assert_int_equal(reply->type, REDIS_STATUS);
	assert_string_equal(reply->str, "OK");
	redis_reply_free(reply);
	assert_int_equal(redis_cmd(r, &reply, &e, "GET", key, NULL), 0);
	assert_int_equal(reply->type, REDIS_STRING);
	assert_int_equal(reply->len, 5);
	assert_memory_equal(reply->str, "a\0\r\nb", 6);
	redis_reply_free(reply);
	assert_int_equal(redis_cmd(r, &reply, &e, "DEL", key, NULL), 0);
	assert_int_equal(reply->type, REDIS_INTEGER);
	assert_int_equal(reply->integer, 1);
	redis_reply_free(reply);
	assert_int_equal(redis_cmd(r, &reply, &e, "GET", key, NULL), 0);
	assert_int_equal(reply->type, REDIS_NIL);
	redis_reply_free(reply);
	assert_int_equal(redis_cmd(r, &reply, &e, "MGET", key, key, NULL), 0);
	assert_int_equal(reply->type, REDIS_ARRAY);
	assert_int_equal(reply->nitems, 2);
	assert_int_equal(reply->items[1]->type, REDIS_NIL);
	redis_reply_free(reply);
	assert_int_equal(redis_cmd(r, NULL, &e, "PING", NULL), 0);
	redis_close(r);
}

static void a_refused_command_leaves_the_connection_usable(void **state)
{
	struct redis *r = must_open(url);
	struct redis_reply *reply = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(redis_cmd(r, &reply, &e, "NONSENSE", "x", NULL), -ERR_INVALID);
	assert_non_null(strstr(e.msg, "NONSENSE: ERR unknown command"));
	assert_null(reply);
	assert_int_equal(redis_cmd(r, NULL, &e, "PING", NULL), 0);
	assert_true(redis_is_alive(r));
	redis_close(r);
}

static void an_error_inside_an_array_is_an_element(void **state)
{
	struct redis *r = must_open(url);
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	char key[UUID_SIZE];

	(void)state;
	uuid_v4(key);
	assert_int_equal(redis_cmd(r, NULL, &e, "MULTI", NULL), 0);
	assert_int_equal(redis_cmd(r, NULL, &e, "SETEX", key, "60", "text", NULL), 0);
	assert_int_equal(redis_cmd(r, NULL, &e, "INCR", key, NULL), 0);
	assert_int_equal(redis_cmd(r, &reply, &e, "EXEC", NULL), 0);
	assert_int_equal(reply->nitems, 2);
	assert_int_equal(reply->items[1]->type, REDIS_ERROR);
	redis_reply_free(reply);
	redis_close(r);
}

static void a_script_runs_the_first_time_and_from_the_cache(void **state)
{
	struct redis *r = must_open(url);
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	const char *words[] = { "k", "v", "w" };
	char id[UUID_SIZE], *script;

	(void)state;
	uuid_v4(id);		/* a script that the server cannot know yet */
	script = mem_printf("return {KEYS[1], ARGV[1], #ARGV} -- %s", id);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(redis_eval(r, script, 1, words, NULL, 3, &reply, &e), 0);
		assert_int_equal(reply->nitems, 3);
		assert_string_equal(reply->items[0]->str, "k");
		assert_int_equal(reply->items[2]->integer, 2);
		redis_reply_free(reply);
		reply = NULL;
	}
	assert_int_equal(redis_eval(r, "return redis.error_reply('OOM no room')", 0, NULL, NULL, 0,
				    &reply, &e), -ERR_REDIS);
	assert_int_equal(redis_eval(r, "return redis.call('NO')", 0, NULL, NULL, 0, &reply, &e),
			 -ERR_INVALID);
	free(script);
	redis_close(r);
}

static void a_subscriber_waits_for_messages_with_a_limit(void **state)
{
	struct redis *r = must_open(url), *other = must_open(url);
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	char channel[UUID_SIZE];
	int64_t start = clock_mono_ms();

	(void)state;
	uuid_v4(channel);
	assert_int_equal(redis_cmd(r, NULL, &e, "SUBSCRIBE", channel, NULL), 0);
	assert_int_equal(redis_wait(r, 50, &reply, &e), 0);
	assert_in_range(clock_mono_ms() - start, 45, 2000);
	assert_int_equal(redis_cmd(other, NULL, &e, "PUBLISH", channel, "one", NULL), 0);
	assert_int_equal(redis_cmd(other, NULL, &e, "PUBLISH", channel, "two", NULL), 0);
	assert_int_equal(redis_wait(r, 3000, &reply, &e), 1);
	assert_string_equal(reply->items[2]->str, "one");
	redis_reply_free(reply);
	assert_int_equal(redis_wait(r, 3000, &reply, &e), 1);
	assert_string_equal(reply->items[2]->str, "two");
	redis_reply_free(reply);
	assert_true(redis_is_alive(r));
	redis_close(r);
	redis_close(other);
}

static void a_killed_connection_is_lost_for_good(void **state)
{
	struct redis *r = must_open(url), *killer = must_open(url);
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	char id[24];

	(void)state;
	assert_int_equal(redis_cmd(r, &reply, &e, "CLIENT", "ID", NULL), 0);
	snprintf(id, sizeof id, "%lld", (long long)reply->integer);
	redis_reply_free(reply);
	assert_int_equal(redis_cmd(killer, NULL, &e, "CLIENT", "KILL", "ID", id, NULL), 0);
	assert_int_equal(redis_cmd(r, NULL, &e, "PING", NULL), -ERR_REDIS);
	assert_false(redis_is_alive(r));
	assert_int_equal(redis_cmd(r, NULL, &e, "PING", NULL), -ERR_REDIS);
	redis_close(r);
	redis_close(killer);
}

static void a_late_answer_breaks_the_connection(void **state)
{
	struct redis *r = must_open(url);
	struct err e = { 0 };
	int64_t start = clock_mono_ms();

	(void)state;
	redis_set_deadline(r, start + 80);
	assert_int_equal(redis_cmd(r, NULL, &e, "BLPOP", "no-such-list", "3", NULL), -ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 70, 2000);
	redis_set_deadline(r, 0);
	assert_int_equal(redis_cmd(r, NULL, &e, "PING", NULL), -ERR_REDIS);
	redis_close(r);
}

static void megabytes_travel_both_ways(void **state)
{
	enum { SIZE = 20 << 20 };
	struct redis *r = must_open(url);
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	char *big = mem_alloc(SIZE);
	const char *words[] = { "ECHO", big };
	const size_t lens[] = { 4, SIZE };

	(void)state;
	memset(big, 'x', SIZE);
	assert_int_equal(redis_run(r, words, lens, 2, &reply, &e), 0);
	assert_int_equal(reply->len, SIZE);
	redis_reply_free(reply);
	free(big);
	redis_close(r);
}

static void a_database_number_is_selected(void **state)
{
	const char *slash = strrchr(url, '/');
	char *other = mem_printf("%.*s/3", (int)(slash - url), url);
	struct redis *r = must_open(other);
	struct redis_reply *reply = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(redis_cmd(r, &reply, &e, "CLIENT", "LIST", "ID", "0", NULL), 0);
	redis_reply_free(reply);
	assert_int_equal(redis_cmd(r, &reply, &e, "CLIENT", "INFO", NULL), 0);
	assert_non_null(strstr(reply->str, " db=3 "));
	redis_reply_free(reply);
	redis_close(r);
	free(other);
}

/* ---- peers that misbehave ---- */

struct peer {
	int fd, port;
	const char *says;	/* one piece for each connection's whole life; NULL = silence */
	pthread_t thread;
};

static void *serve(void *ctx)
{
	struct peer *p = ctx;
	char in[4096];
	int fd;

	while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
		if (p->says && recv(fd, in, sizeof in, 0) > 0)
			send(fd, p->says, strlen(p->says), MSG_NOSIGNAL);
		while (recv(fd, in, sizeof in, 0) > 0)
			;
		close(fd);
	}
	return NULL;
}

static void listen_at(struct peer *p, const void *at, socklen_t len, int family, const char *says)
{
	p->says = says;
	p->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, at, len), 0);
	assert_int_equal(listen(p->fd, 8), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void peer_start(struct peer *p, const char *says)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	listen_at(p, &at, len, AF_INET, says);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&at, &len), 0);
	p->port = ntohs(at.sin_port);
}

static void peer_stop(struct peer *p)
{
	shutdown(p->fd, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->fd);
}

static void expect_answer(const char *says, enum err_code code, bool alive)
{
	struct redis *r = NULL;
	struct err e = { 0 };
	struct peer p;
	char *at;

	peer_start(&p, says);
	at = mem_printf("redis://127.0.0.1:%d", p.port);
	assert_int_equal(redis_open(&r, at, 2000, &e), 0);
	assert_int_equal(redis_cmd(r, NULL, &e, "PING", NULL), -(int)code);
	assert_int_equal(redis_is_alive(r), alive);
	redis_close(r);
	peer_stop(&p);
	free(at);
}

static void error_answers_become_codes_by_their_first_word(void **state)
{
	(void)state;
	expect_answer("-LOADING Redis is loading the dataset in memory\r\n", ERR_REDIS, true);
	expect_answer("-OOM command not allowed\r\n", ERR_REDIS, true);
	expect_answer("-READONLY You can't write against a read only replica.\r\n", ERR_REDIS,
		      false);
	expect_answer("-MASTERDOWN Link with MASTER is down\r\n", ERR_REDIS, false);
	expect_answer("-NOAUTH Authentication required.\r\n", ERR_REFUSED, true);
	expect_answer("-NOPERM no\r\n", ERR_REFUSED, true);
	expect_answer("-ERR x\r\n", ERR_INVALID, true);
	expect_answer("-\r\n", ERR_INVALID, true);
}

static void bytes_that_are_no_redis_are_refused_without_harm(void **state)
{
	(void)state;
	expect_answer("HTTP/1.1 400 Bad Request\r\n\r\n", ERR_PROTOCOL, false);
	expect_answer("*2147483647\r\n", ERR_PROTOCOL, false);
	expect_answer("*1000001\r\n", ERR_PROTOCOL, false);
	expect_answer("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
		      ERR_PROTOCOL, false);
}

static void expect_open_error(const char *at, enum err_code code, const char *text)
{
	struct redis *r = NULL;
	struct err e = { 0 };

	assert_int_equal(redis_open(&r, at, 1000, &e), -(int)code);
	assert_null(r);
	if (!strstr(e.msg, text))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, text);
	assert_null(strstr(e.msg, "s3cret"));
}

static void a_wrong_url_says_what_would_be_right(void **state)
{
	(void)state;
	expect_open_error("", ERR_CONFIG, "JOBFLEET_REDIS_URL");
	expect_open_error("http://h", ERR_CONFIG, "is not redis, rediss or unix");
	expect_open_error("redis:///0", ERR_CONFIG, "no host");
	expect_open_error("redis://127.0.0.1:1/zero", ERR_CONFIG,
			  "is not the number of a database");
	expect_open_error("unix://", ERR_CONFIG, "no path");
	expect_open_error("unix:///tmp/x?name=1", ERR_CONFIG, "db=N");
	expect_open_error("redis://:s3cret@127.0.0.1:1", ERR_REDIS, "127.0.0.1:1");
	expect_open_error("unix:///nowhere/redis.sock", ERR_REDIS, "/nowhere/redis.sock");
}

static void a_refused_password_does_not_stand_in_the_error(void **state)
{
	struct peer p;
	char *at;

	(void)state;
	peer_start(&p, "-ERR unknown command `AUTH`, with args beginning with: `s3cret`\r\n");
	at = mem_printf("redis://:s3cret@127.0.0.1:%d", p.port);
	expect_open_error(at, ERR_REFUSED, "AUTH: ERR");
	peer_stop(&p);
	free(at);
}

static void of_several_hosts_the_one_that_answers_as_master_is_taken(void **state)
{
	const char *host = strstr(url, "://") + 3;
	struct redis *r = NULL;
	struct err e = { 0 };
	struct peer silent, replica;
	char *at;
	int64_t start = clock_mono_ms();

	(void)state;
	peer_start(&silent, NULL);
	peer_start(&replica, "*1\r\n$5\r\nslave\r\n");
	at = mem_printf("redis://127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:1,%s", silent.port,
			replica.port, host);
	assert_int_equal(redis_open(&r, at, 2000, &e), 0);
	assert_in_range(clock_mono_ms() - start, 400, 2000);
	assert_int_equal(redis_cmd(r, NULL, &e, "PING", NULL), 0);
	redis_close(r);
	peer_stop(&silent);
	peer_stop(&replica);
	free(at);
}

static void a_unix_socket_with_a_database_is_reached(void **state)
{
	char dir[] = "/tmp/test_redis-XXXXXX";
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct redis *r;
	struct err e = { 0 };
	struct peer p;
	char *u;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(at.sun_path, sizeof at.sun_path, "%s/s", dir);
	listen_at(&p, &at, sizeof at, AF_UNIX, "+OK\r\n+PONG\r\n");
	u = mem_printf("unix://%s?db=2", at.sun_path);
	r = must_open(u);
	assert_int_equal(redis_cmd(r, NULL, &e, "PING", NULL), 0);
	redis_close(r);
	peer_stop(&p);
	unlink(at.sun_path);
	rmdir(dir);
	free(u);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_of_every_answer_type_work),
		cmocka_unit_test(a_refused_command_leaves_the_connection_usable),
		cmocka_unit_test(an_error_inside_an_array_is_an_element),
		cmocka_unit_test(a_script_runs_the_first_time_and_from_the_cache),
		cmocka_unit_test(a_subscriber_waits_for_messages_with_a_limit),
		cmocka_unit_test(a_killed_connection_is_lost_for_good),
		cmocka_unit_test(a_late_answer_breaks_the_connection),
		cmocka_unit_test(megabytes_travel_both_ways),
		cmocka_unit_test(a_database_number_is_selected),
		cmocka_unit_test(error_answers_become_codes_by_their_first_word),
		cmocka_unit_test(bytes_that_are_no_redis_are_refused_without_harm),
		cmocka_unit_test(a_wrong_url_says_what_would_be_right),
		cmocka_unit_test(a_refused_password_does_not_stand_in_the_error),
		cmocka_unit_test(a_unix_socket_with_a_database_is_reached),
		cmocka_unit_test(of_several_hosts_the_one_that_answers_as_master_is_taken),
	};

	url = getenv("JOBFLEET_REDIS_URL");
	if (!url) {
		fprintf(stderr, "test_redis: JOBFLEET_REDIS_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
