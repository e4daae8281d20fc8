/* SPDX-License-Identifier: MIT */
/* services: shared */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"

enum { LIMIT_MS = 10000, MANY = 3000, EVERY_LOST = 100 };

static const char *broker_url(void)
{
	const char *url = getenv("JOBFLEET_BROKER_URL");

	if (!url)
		skip();
	return url;
}

static struct publisher *open_publisher(int window)
{
	struct publisher *p = NULL;
	struct err e = { 0 };

	if (publisher_open(&p, broker_url(), "test", window, LIMIT_MS, &e) < 0)
		fail_msg("publisher_open: %s", e.msg);
	return p;
}

/* A queue of this test's own. */
static char *fresh_queue(struct publisher *p, int max_priority)
{
	char id[UUID_SIZE];
	char *name;
	struct err e = { 0 };

	uuid_v4(id);
	name = mem_printf("test-%s", id);
	if (publisher_declare(p, name, max_priority, false, LIMIT_MS, &e) < 0)
		fail_msg("publisher_declare: %s", e.msg);
	return name;
}

static void a_published_message_comes_out_as_it_went_in(void **state)
{
	struct publisher *p = open_publisher(0);
	char *queue = fresh_queue(p, 10), *props, *body;
	size_t props_len, body_len;
	struct message m, got;
	struct err e = { 0 };
	uint64_t tag;

	(void)state;
	message_init(&m);
	message_init(&got);
	message_new(&m, "t.add", "id-1", "[1, 2]", NULL, &e);
	m.priority = 7;
	assert_int_equal(publisher_publish(p, queue, &m, LIMIT_MS, &e), 0);
	assert_int_equal(publisher_get(p, queue, &tag, &props, &props_len, &body, &body_len,
				       LIMIT_MS, &e), 1);
	assert_int_equal(message_decode(&got, props, props_len, body, body_len, &e), 0);
	assert_string_equal(got.id, "id-1");
	assert_int_equal(got.priority, 7);
	assert_int_equal(got.body_len, m.body_len);
	assert_memory_equal(got.body, m.body, m.body_len);
	assert_int_equal(publisher_ack(p, tag, LIMIT_MS, &e), 0);
	free(props);
	free(body);
	assert_int_equal(publisher_get(p, queue, &tag, &props, &props_len, &body, &body_len,
				       LIMIT_MS, &e), 0);
	message_release(&m);
	message_release(&got);
	free(queue);
	publisher_close(p);
}

static void a_message_for_no_queue_is_named_as_such(void **state)
{
	struct publisher *p = open_publisher(0);
	struct message m;
	struct err e = { 0 };

	(void)state;
	message_init(&m);
	message_new(&m, "t", NULL, NULL, NULL, &e);
	assert_int_equal(publisher_publish(p, "no-such-queue", &m, LIMIT_MS, &e), -ERR_UNROUTED);
	assert_string_equal(e.msg, "no queue no-such-queue");
	assert_true(publisher_is_alive(p));
	message_release(&m);
	publisher_close(p);
}

static void count(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	int *n = ctx;

	n[outcome]++;
	if (outcome == PUBLISH_RETURNED && tag % EVERY_LOST != 0)
		n[PUBLISH_UNKNOWN]++;	/* the wrong one was taken for the returned one */
}

static void each_of_many_pipelined_messages_gets_its_own_outcome(void **state)
{
	struct publisher *p = open_publisher(64);
	char *queue = fresh_queue(p, 10);
	int n[PUBLISH_UNKNOWN + 1] = { 0 };
	int64_t ready = 0, consumers = 0;
	struct err e = { 0 };

	(void)state;
	publisher_on_done(p, count, n);
	for (int i = 0; i < MANY; i++) {
		struct message m;
		struct buf props;

		message_init(&m);
		buf_init(&props, 1 << 20);
		message_new(&m, "t", NULL, NULL, NULL, &e);
		message_encode(&m, &props, &e);
		assert_int_equal(publisher_send(p, "", i % EVERY_LOST ? queue : "no-such-queue",
						props.data, props.len, m.body, m.body_len,
						(uint64_t)i, LIMIT_MS, &e), 0);
		buf_release(&props);
		message_release(&m);
	}
	assert_int_equal(publisher_wait(p, LIMIT_MS, &e), 0);
	assert_int_equal(n[PUBLISH_CONFIRMED], MANY - MANY / EVERY_LOST);
	assert_int_equal(n[PUBLISH_RETURNED], MANY / EVERY_LOST);
	assert_int_equal(n[PUBLISH_UNKNOWN] + n[PUBLISH_NACKED], 0);
	assert_int_equal(publisher_queue_depth(p, queue, &ready, &consumers, LIMIT_MS, &e), 0);
	assert_int_equal(ready, MANY - MANY / EVERY_LOST);
	assert_int_equal(consumers, 0);
	assert_int_equal(publisher_purge(p, queue, LIMIT_MS, &e), MANY - MANY / EVERY_LOST);
	assert_int_equal(publisher_purge(p, queue, LIMIT_MS, &e), 0);
	free(queue);
	publisher_close(p);
}

static void a_queue_with_other_arguments_is_left_as_it_stands(void **state)
{
	struct publisher *p = open_publisher(0);
	char *queue = fresh_queue(p, 10);
	struct conf_queue conf = { .max_priority = 10 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(publisher_declare(p, queue, 10, false, LIMIT_MS, &e), 0);
	assert_int_equal(publisher_declare(p, queue, 0, false, LIMIT_MS, &e), 1);
	conf.name = queue;
	assert_int_equal(publisher_queue_fits(p, &conf, LIMIT_MS, &e), 1);
	conf.max_priority = 0;
	assert_int_equal(publisher_queue_fits(p, &conf, LIMIT_MS, &e), 0);
	assert_int_equal(publisher_purge(p, "no-such-queue", LIMIT_MS, &e), -ERR_NOT_FOUND);
	assert_int_equal(publisher_queue_depth(p, "no-such-queue", &(int64_t){ 0 }, &(int64_t){ 0 },
					       LIMIT_MS, &e), -ERR_NOT_FOUND);
	assert_int_equal(publisher_declare(p, queue, 10, false, LIMIT_MS, &e), 0);
	free(queue);
	publisher_close(p);
}

/* A listener that accepts and says nothing: what a half-open connection looks like. */
static char *silent_broker(int *ret_fd)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	*ret_fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(*ret_fd, 4), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&at, &len), 0);
	return mem_printf("amqp://guest:guest@127.0.0.1:%d/", ntohs(at.sin_port));
}

static void a_queue_of_its_own_ends_with_the_connection(void **state)
{
	struct publisher *p = open_publisher(0);
	int64_t ready, consumers;
	char id[UUID_SIZE];
	struct err e = { 0 };

	(void)state;
	uuid_v4(id);
	assert_int_equal(publisher_declare_own(p, id, LIMIT_MS, &e), 0);
	assert_int_equal(publisher_queue_depth(p, id, &ready, &consumers, LIMIT_MS, &e), 0);
	publisher_close(p);
	p = open_publisher(0);
	for (int64_t end = clock_mono_ms() + LIMIT_MS; clock_mono_ms() < end;) {
		if (publisher_queue_depth(p, id, &ready, &consumers, LIMIT_MS, &e) ==
		    -ERR_NOT_FOUND)
			break;
	}
	assert_int_equal(publisher_queue_depth(p, id, &ready, &consumers, LIMIT_MS, &e),
			 -ERR_NOT_FOUND);
	publisher_close(p);
}

static void a_silent_broker_costs_the_deadline_and_no_more(void **state)
{
	struct publisher *p = NULL;
	struct err e = { 0 };
	int64_t from = clock_mono_ms(), took;
	int fd;
	char *url = silent_broker(&fd);

	(void)state;
	assert_int_equal(publisher_open(&p, url, "test", 0, 300, &e), -ERR_TIMEOUT);
	took = clock_mono_ms() - from;
	assert_in_range(took, 300, 2000);	/* the machine may be slow, not the call endless */
	close(fd);
	free(url);
}

static void a_wrong_password_is_refused_and_not_shown(void **state)
{
	const char *url = broker_url(), *at = strrchr(url, '@');
	char *wrong = mem_printf("amqp://guest:not-the-one%s", at);
	struct publisher *p = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(publisher_open(&p, wrong, "test", 0, LIMIT_MS, &e), -ERR_REFUSED);
	assert_null(strstr(e.msg, "not-the-one"));
	free(wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_published_message_comes_out_as_it_went_in),
		cmocka_unit_test(a_message_for_no_queue_is_named_as_such),
		cmocka_unit_test(each_of_many_pipelined_messages_gets_its_own_outcome),
		cmocka_unit_test(a_queue_with_other_arguments_is_left_as_it_stands),
		cmocka_unit_test(a_queue_of_its_own_ends_with_the_connection),
		cmocka_unit_test(a_silent_broker_costs_the_deadline_and_no_more),
		cmocka_unit_test(a_wrong_password_is_refused_and_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
