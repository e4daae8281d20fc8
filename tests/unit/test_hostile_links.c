/* SPDX-License-Identifier: MIT */
/* timeout: 240 */
/* Every call on the network to RabbitMQ fails in turn, in every way: publisher, link, door. What
 * was reported confirmed is in its queue exactly once, what is consumed is lost to nobody, and a
 * new connection does the work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/spool.h"
#include "common/base/uuid.h"
#include "common/broker/door.h"
#include "common/broker/link.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "tests/hostile/outage.h"

enum { LIMIT_MS = 20000, BATCH = 20, WINDOW = 6, MESSAGES_MOST = 1 << 15, CHANNEL = 1 };
enum { NOT_SENT = -1, UNDER_WAY = -2 };

struct bed {
	struct publisher *calm;		/* its calls never fail */
	char *queue;
	int next;			/* number of the next message */
	int outcome[MESSAGES_MOST];	/* enum publish_outcome, or one of the two above */
	int seen[MESSAGES_MOST];	/* how often it came out */
};

static const char *broker_url(void)
{
	const char *url = getenv("JOBFLEET_BROKER_URL");

	if (!url)
		skip();
	return url;
}

static int set_up(void **state)
{
	struct bed *b = mem_zalloc(sizeof *b);
	char id[UUID_SIZE];
	struct err e = { 0 };

	*state = b;
	outage.points = 0;
	uuid_v4(id);
	b->queue = mem_printf("hostile-%s", id);
	for (int i = 0; i < MESSAGES_MOST; i++)
		b->outcome[i] = NOT_SENT;
	if (publisher_open(&b->calm, broker_url(), "calm", 0, LIMIT_MS, &e) < 0 ||
	    publisher_declare(b->calm, b->queue, 10, false, LIMIT_MS, &e) < 0)
		fail_msg("%s", e.msg);
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	outage_end();
	outage_report();
	publisher_close(b->calm);
	free(b->queue);
	free(b);
	return 0;
}

static void numbered(struct message *m, int number)
{
	char id[16];

	message_init(m);
	snprintf(id, sizeof id, "%d", number);
	assert_int_equal(message_new(m, "t", id, NULL, NULL, NULL), 0);
}

static int number_of(const void *props, size_t props_len, const void *body, size_t body_len)
{
	struct message m;
	int n = -1;

	message_init(&m);
	assert_int_equal(message_decode(&m, props, props_len, body, body_len, NULL), 0);
	assert_int_equal(scan_int(m.id, 0, MESSAGES_MOST - 1, &n, NULL), 0);
	message_release(&m);
	return n;
}

static void on_done(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	struct bed *b = ctx;

	assert_int_equal(b->outcome[tag], UNDER_WAY);	/* each is told once */
	b->outcome[tag] = (int)outcome;
}

static int send_one(struct bed *b, struct publisher *p, struct err *e)
{
	int number = b->next++, r;
	struct message m;
	struct buf props;

	assert_true(number < MESSAGES_MOST);
	buf_init(&props, 1 << 20);
	numbered(&m, number);
	assert_int_equal(message_encode(&m, &props, e), 0);
	b->outcome[number] = UNDER_WAY;
	r = publisher_send(p, "", b->queue, props.data, props.len, m.body, m.body_len,
			   (uint64_t)number, LIMIT_MS, e);
	if (r < 0 && b->outcome[number] == UNDER_WAY)
		b->outcome[number] = NOT_SENT;
	message_release(&m);
	buf_release(&props);
	return r;
}

static int publish_batch(struct bed *b, struct err *e)
{
	struct publisher *p = NULL;
	int r = publisher_open(&p, broker_url(), "hostile", WINDOW, LIMIT_MS, e);

	if (r < 0)
		return r;
	publisher_on_done(p, on_done, b);
	for (int i = 0; i < BATCH && r >= 0; i++)
		r = send_one(b, p, e);
	if (r >= 0)
		r = publisher_wait(p, LIMIT_MS, e);
	publisher_close(p);
	return r;
}

static void take_out(struct bed *b)
{
	size_t props_len, body_len;
	char *props, *body;
	struct err e = { 0 };
	uint64_t tag;
	int r;

	while ((r = publisher_get(b->calm, b->queue, &tag, &props, &props_len, &body, &body_len,
				  LIMIT_MS, &e)) == 1) {
		b->seen[number_of(props, props_len, body, body_len)]++;
		assert_int_equal(publisher_ack(b->calm, tag, LIMIT_MS, &e), 0);
		free(props);
		free(body);
	}
	if (r < 0)
		fail_msg("%s", e.msg);
}

static void expect_outcomes(const struct bed *b, int from)
{
	for (int i = from; i < b->next; i++) {
		int least = b->outcome[i] == PUBLISH_CONFIRMED;
		int most = least || b->outcome[i] == PUBLISH_UNKNOWN;

		if (b->outcome[i] == UNDER_WAY || b->seen[i] < least || b->seen[i] > most)
			fail_msg("message %d: outcome %d, came out %d times", i, b->outcome[i],
				 b->seen[i]);
	}
}

static void what_was_reported_confirmed_is_in_the_queue_once(void **state)
{
	struct bed *b = *state;

	OUTAGE_EACH() {
		int from = b->next, before = outage_descriptors(), r;
		struct err e = { 0 };

		r = publish_batch(b, &e);
		outage_end();
		outage_expect(r, &e);
		assert_int_equal(outage_descriptors(), before);
		if (r < 0)
			assert_int_equal(publish_batch(b, &e), 0);
		for (int i = b->next - BATCH; i < b->next; i++)
			assert_int_equal(b->outcome[i], PUBLISH_CONFIRMED);
		take_out(b);
		expect_outcomes(b, from);
	}
	take_out(b);		/* what was under way in a connection that broke */
	expect_outcomes(b, 0);
}

/* ---- consuming ---- */

struct taker {
	struct bed *b;
	struct link *link;
	int taken;		/* of the last batch */
	bool over;
};

/* What a connection before this one left unacked may come late and in between. */
static void on_delivery(struct taker *t, const struct link_event *ev)
{
	int number = number_of(ev->props, ev->props_len, ev->body, ev->body_len);

	t->b->seen[number]++;
	link_ack(t->link, CHANNEL, ev->tag, false);
	if (number >= t->b->next - BATCH && ++t->taken == BATCH)
		link_goodbye(t->link);
}

static void on_event(void *ctx, const struct link_event *ev)
{
	struct taker *t = ctx;

	switch (ev->kind) {
	case LINK_OPENED:
		link_channel_open(t->link, CHANNEL);
		break;
	case LINK_CHANNEL_OPENED:
		link_qos(t->link, CHANNEL, WINDOW, false);
		break;
	case LINK_OK:
		link_consume(t->link, CHANNEL, t->b->queue, "t", false);
		break;
	case LINK_DELIVERY:
		on_delivery(t, ev);
		break;
	case LINK_GOODBYE:
		t->over = true;
		break;
	default:
		break;
	}
}

static int take(struct bed *b, struct err *e)
{
	struct link_options o = { .url = broker_url(), .name = "hostile", .heartbeat_s = 60,
				  .max_body = 1 << 20, .max_output = 1 << 20 };
	struct taker t = { .b = b };
	int64_t until = clock_mono_ms() + LIMIT_MS;
	int r = link_start(&t.link, &o, on_event, &t, e);

	if (r < 0)
		return r;
	while (r >= 0 && !t.over && clock_mono_ms() < until) {
		struct pollfd p = { .fd = link_fd(t.link), .events = link_poll_events(t.link) };

		if (poll(&p, 1, 100) > 0)
			r = link_io(t.link, e);
		if (r >= 0)
			r = link_tick(t.link, e);
	}
	link_close(t.link);
	return r < 0 || t.over ? r : err_set(e, ERR_TIMEOUT, "took %d of %d", t.taken, BATCH);
}

static void take_the_rest(struct bed *b)
{
	int64_t until = clock_mono_ms() + LIMIT_MS;

	for (int i = b->next - BATCH; i < b->next; i++) {
		while (b->seen[i] == 0 && clock_mono_ms() < until)
			take_out(b);
		assert_true(b->seen[i] > 0);
	}
}

static void what_was_consumed_and_acked_does_not_come_again_and_the_rest_does(void **state)
{
	struct bed *b = *state;

	OUTAGE_EACH() {
		int before, r;
		struct err e = { 0 };

		outage.armed = false;
		assert_int_equal(publish_batch(b, &e), 0);
		before = outage_descriptors();
		outage.armed = true;
		r = take(b, &e);
		outage_end();
		outage_expect(r, &e);
		assert_int_equal(outage_descriptors(), before);
		take_the_rest(b);
		for (int i = b->next - BATCH; i < b->next && r >= 0; i++)
			assert_int_equal(b->seen[i], 1);
	}
}

/* ---- the door ---- */

struct lobby {
	struct conf conf;
	struct conf_queue queue;
	char *dir;
};

static void open_lobby(struct lobby *l, struct bed *b)
{
	const char *tmp = getenv("TMPDIR");

	l->dir = mem_printf("%s/lobby-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(l->dir));
	l->queue = (struct conf_queue){ .name = b->queue, .max_priority = 10 };
	l->conf.queues = &l->queue;
	l->conf.nqueues = 1;
	l->conf.fleet = (struct conf_fleet){
		.broker_url = (char *)broker_url(), .data_dir = l->dir,
		.enqueue_timeout_ms = LIMIT_MS, .spool_max_bytes = 64 << 20,
		.max_message_bytes = 1 << 20,
	};
}

static void on_answer(void *ctx, uint64_t tag, enum door_answer answer, const struct err *e)
{
	struct bed *b = ctx;

	assert_int_equal(b->outcome[tag], UNDER_WAY);
	b->outcome[tag] = (int)answer;
	if (answer == DOOR_REJECTED)
		fail_msg("rejected: %s", e->msg);
	assert_true(answer == DOOR_CONFIRMED || outage.fired);
}

static void enqueue(struct bed *b, const struct conf *conf)
{
	struct door *d = door_new(conf, "hostile");
	struct message m;
	struct err e = { 0 };

	for (int i = 0; i < BATCH / 2; i++) {
		int number = b->next++;

		b->outcome[number] = UNDER_WAY;
		numbered(&m, number);
		if (door_send(d, b->queue, &m, (uint64_t)number, on_answer, b, LIMIT_MS, &e) < 0)
			fail_msg("%s", e.msg);
		message_release(&m);
	}
	door_drain(d, LIMIT_MS);
	door_free(d);
}

static void replay(struct bed *b, const struct conf *conf)
{
	struct door *d = door_new(conf, "calm");
	struct err e = { 0 };

	while (spool_waits(conf->fleet.data_dir))
		if (door_replay(d, BATCH, LIMIT_MS, &e) < 0)
			fail_msg("%s", e.msg);
	door_free(d);
	take_out(b);
}

static void every_answer_of_the_door_is_kept(void **state)
{
	struct lobby l = { .dir = NULL };
	struct bed *b = *state;
	char *remove;

	open_lobby(&l, b);
	OUTAGE_EACH() {
		int from = b->next, before = outage_descriptors();
		int64_t began = clock_mono_ms();

		enqueue(b, &l.conf);
		outage_end();
		assert_true(clock_mono_ms() - began < LIMIT_MS);
		assert_int_equal(outage_descriptors(), before);
		take_out(b);
		for (int i = from; i < b->next; i++)
			assert_true(b->outcome[i] == DOOR_SPOOLED || b->seen[i] > 0);
		if (spool_waits(l.dir))
			replay(b, &l.conf);
		for (int i = from; i < b->next; i++)
			assert_true(b->seen[i] > 0 && (outage.fired || b->seen[i] == 1));
	}
	remove = mem_printf("rm -rf '%s'", l.dir);
	assert_int_equal(system(remove), 0);
	free(remove);
	free(l.dir);
}

#define WITH_QUEUE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_QUEUE(what_was_reported_confirmed_is_in_the_queue_once),
		WITH_QUEUE(what_was_consumed_and_acked_does_not_come_again_and_the_rest_does),
		WITH_QUEUE(every_answer_of_the_door_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
