/* SPDX-License-Identifier: MIT */
/* services: shared */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/spool.h"
#include "common/base/uuid.h"
#include "common/broker/door.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"

enum { LIMIT_MS = 10000, MANY = 5000, SHORT_MS = 600, SLACK_MS = 1000 };

/* As much of a configuration as a door reads, with one queue. */
struct bed {
	struct conf conf;
	struct conf_queue queue;
	char *dir, *url, name[UUID_SIZE];
	struct door *door;
	int answers[DOOR_REJECTED + 1];
};

static const char *broker_url(void)
{
	const char *url = getenv("JOBFLEET_BROKER_URL");

	if (!url)
		skip();
	return url;
}

static struct bed *open_bed(const char *url)
{
	const char *tmp = getenv("TMPDIR");
	struct bed *b = mem_zalloc(sizeof *b);

	uuid_v4(b->name);
	b->dir = mem_printf("%s/door-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(b->dir));
	b->url = mem_strdup(url);
	b->queue = (struct conf_queue){ .name = b->name, .max_priority = 10 };
	b->conf.queues = &b->queue;
	b->conf.nqueues = 1;
	b->conf.fleet = (struct conf_fleet){
		.broker_url = b->url, .data_dir = b->dir, .enqueue_timeout_ms = LIMIT_MS,
		.spool_max_bytes = 64 << 20, .max_message_bytes = 1 << 20,
	};
	b->door = door_new(&b->conf, "test");
	return b;
}

static void reopen_door(struct bed *b, const char *url)
{
	door_free(b->door);
	free(b->url);
	b->url = mem_strdup(url);
	b->conf.fleet.broker_url = b->url;
	b->door = door_new(&b->conf, "test");
}

static void close_bed(struct bed *b)
{
	door_free(b->door);
	free(b->dir);
	free(b->url);
	free(b);
}

static enum door_answer enqueue(struct bed *b, const char *queue, const char *id, int timeout_ms,
				struct err *e)
{
	int64_t began = clock_mono_ms();
	enum door_answer answer;
	struct message m;

	message_init(&m);
	message_new(&m, "t.add", id, "[1]", NULL, NULL);
	answer = door_enqueue(b->door, queue, &m, timeout_ms, e);
	message_release(&m);
	if (clock_mono_ms() - began > timeout_ms + SLACK_MS)
		fail_msg("a deadline of %d ms took %lld", timeout_ms,
			 (long long)(clock_mono_ms() - began));
	return answer;
}

static int64_t depth(struct bed *b)
{
	struct publisher *p = NULL;
	int64_t ready = -1, consumers;
	struct err e = { 0 };

	if (publisher_open(&p, broker_url(), "test", 0, LIMIT_MS, &e) < 0 ||
	    publisher_queue_depth(p, b->name, &ready, &consumers, LIMIT_MS, &e) < 0)
		fail_msg("%s", e.msg);
	publisher_close(p);
	return ready;
}

static int64_t spooled(struct bed *b)
{
	int64_t entries = -1, bytes;

	spool_size(b->dir, &entries, &bytes, NULL);
	return entries;
}

static void a_deleted_queue_is_declared_as_queues_conf_says(void **state)
{
	struct bed *b = open_bed(broker_url());
	struct err e = { 0 };

	(void)state;
	assert_int_equal(enqueue(b, b->name, "one", LIMIT_MS, &e), DOOR_CONFIRMED);
	assert_int_equal(enqueue(b, b->name, "two", LIMIT_MS, &e), DOOR_CONFIRMED);
	assert_int_equal(depth(b), 2);
	assert_int_equal(spooled(b), 0);
	close_bed(b);
}

static void what_no_wait_would_help_is_rejected_at_once(void **state)
{
	struct bed *b = open_bed(broker_url());
	char *large = mem_alloc(2 << 20), *wrong = mem_strdup(broker_url()), *at;
	struct message m;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(enqueue(b, "no-such-queue", "a", LIMIT_MS, &e), DOOR_REJECTED);
	assert_int_equal(e.code, ERR_UNROUTED);
	assert_string_equal(e.msg, "there is no queue no-such-queue at the broker");
	assert_int_equal(enqueue(b, "", "a", LIMIT_MS, &e), DOOR_REJECTED);
	assert_int_equal(e.code, ERR_INVALID);
	message_init(&m);
	message_new(&m, "t.add", "b", NULL, NULL, NULL);
	memset(large, ' ', 2 << 20);
	message_take_body(&m, large, 2 << 20);
	assert_int_equal(door_enqueue(b->door, b->name, &m, LIMIT_MS, &e), DOOR_REJECTED);
	assert_int_equal(e.code, ERR_TOO_BIG);
	message_release(&m);
	at = strstr(wrong, "guest:guest@");
	assert_non_null(at);
	memcpy(at, "guest:wrong@", 12);
	reopen_door(b, wrong);
	assert_int_equal(enqueue(b, b->name, "c", LIMIT_MS, &e), DOOR_REJECTED);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_null(strstr(e.msg, "wrong@"));
	assert_int_equal(spooled(b), 0);
	free(wrong);
	close_bed(b);
}

static void without_a_broker_it_is_spooled_and_the_replay_delivers_it_once(void **state)
{
	struct bed *b = open_bed("amqp://guest:guest@127.0.0.1:1/%2F");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(enqueue(b, b->name, "later", SHORT_MS, &e), DOOR_SPOOLED);
	assert_non_null(strstr(e.msg, "127.0.0.1:1"));
	assert_int_equal(enqueue(b, "no-such-queue", "never", SHORT_MS, &e), DOOR_SPOOLED);
	assert_int_equal(spooled(b), 2);
	assert_true(door_replay(b->door, 10, SHORT_MS, &e) < 0);
	reopen_door(b, broker_url());
	assert_int_equal(door_replay(b->door, 10, LIMIT_MS, &e), 1);
	assert_non_null(strstr(e.msg, "no-such-queue"));
	assert_int_equal(depth(b), 1);
	assert_int_equal(spooled(b), 1);
	assert_int_equal(door_replay(b->door, 10, LIMIT_MS, &e), 0);
	close_bed(b);
}

static void without_broker_and_spool_it_is_rejected_at_the_deadline_with_both_reasons(void **state)
{
	struct bed *b = open_bed("amqp://guest:guest@127.0.0.1:1/%2F");
	int64_t began = clock_mono_ms();
	struct err e = { 0 };

	(void)state;
	b->conf.fleet.spool_max_bytes = 0;
	reopen_door(b, "amqp://guest:guest@127.0.0.1:1/%2F");
	assert_int_equal(enqueue(b, b->name, "x", SHORT_MS, &e), DOOR_REJECTED);
	assert_true(clock_mono_ms() - began >= SHORT_MS / 2);
	assert_true(err_is_transient(e.code));
	assert_non_null(strstr(e.msg, "127.0.0.1:1"));
	assert_non_null(strstr(e.msg, "spool_max = 0"));
	close_bed(b);
}

static void a_broker_that_says_nothing_costs_no_more_than_the_deadline(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int silent = socket(AF_INET, SOCK_STREAM, 0);
	struct err e = { 0 };
	struct bed *b;
	char *url;

	(void)state;
	assert_int_equal(bind(silent, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(silent, 8), 0);
	assert_int_equal(getsockname(silent, (struct sockaddr *)&at, &len), 0);
	url = mem_printf("amqp://guest:guest@127.0.0.1:%d/%%2F", ntohs(at.sin_port));
	b = open_bed(url);
	assert_int_equal(enqueue(b, b->name, "x", SHORT_MS, &e), DOOR_SPOOLED);
	assert_int_equal(spooled(b), 1);
	close_bed(b);
	close(silent);
	free(url);
}

static void count(void *ctx, uint64_t tag, enum door_answer answer, const struct err *e)
{
	struct bed *b = ctx;

	(void)tag;
	(void)e;
	b->answers[answer]++;
}

static void send_many(struct bed *b, int n)
{
	struct message m;
	struct err e = { 0 };
	char id[16];

	message_init(&m);
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof id, "id-%d", i);
		message_clear(&m);
		message_new(&m, "t.add", id, "[1]", NULL, NULL);
		if (door_send(b->door, b->name, &m, (uint64_t)i, count, b, LIMIT_MS, &e) < 0)
			fail_msg("door_send: %s", e.msg);
	}
	message_release(&m);
	door_drain(b->door, LIMIT_MS);
}

static void many_get_each_its_answer(void **state)
{
	struct bed *b = open_bed(broker_url());
	int64_t began = clock_mono_ms();

	(void)state;
	send_many(b, MANY);
	print_message("# %d confirmed in %lld ms\n", MANY, (long long)(clock_mono_ms() - began));
	assert_int_equal(b->answers[DOOR_CONFIRMED], MANY);
	assert_int_equal(depth(b), MANY);
	close_bed(b);
}

static void many_without_a_broker_are_spooled_and_replayed(void **state)
{
	struct bed *b = open_bed("amqp://guest:guest@127.0.0.1:1/%2F");
	int64_t began = clock_mono_ms();
	struct err e = { 0 };

	(void)state;
	send_many(b, MANY / 5);
	print_message("# %d spooled in %lld ms\n", MANY / 5, (long long)(clock_mono_ms() - began));
	assert_int_equal(b->answers[DOOR_SPOOLED], MANY / 5);
	assert_int_equal(spooled(b), MANY / 5);
	reopen_door(b, broker_url());
	began = clock_mono_ms();
	assert_int_equal(door_replay(b->door, MANY, LIMIT_MS, &e), MANY / 5);
	print_message("# replayed in %lld ms\n", (long long)(clock_mono_ms() - began));
	assert_int_equal(spooled(b), 0);
	assert_int_equal(depth(b), MANY / 5);
	close_bed(b);
}

static void what_is_under_way_when_the_door_closes_is_spooled(void **state)
{
	struct bed *b = open_bed("amqp://guest:guest@127.0.0.1:1/%2F");
	struct message m;

	(void)state;
	message_init(&m);
	message_new(&m, "t.add", "last", NULL, NULL, NULL);
	assert_int_equal(door_send(b->door, b->name, &m, 0, count, b, LIMIT_MS, NULL), 0);
	reopen_door(b, broker_url());
	assert_int_equal(spooled(b), 1);
	message_release(&m);
	close_bed(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deleted_queue_is_declared_as_queues_conf_says),
		cmocka_unit_test(what_no_wait_would_help_is_rejected_at_once),
		cmocka_unit_test(without_a_broker_it_is_spooled_and_the_replay_delivers_it_once),
		cmocka_unit_test(
			without_broker_and_spool_it_is_rejected_at_the_deadline_with_both_reasons),
		cmocka_unit_test(a_broker_that_says_nothing_costs_no_more_than_the_deadline),
		cmocka_unit_test(many_get_each_its_answer),
		cmocka_unit_test(many_without_a_broker_are_spooled_and_replayed),
		cmocka_unit_test(what_is_under_way_when_the_door_closes_is_spooled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
