/* SPDX-License-Identifier: MIT */
#include "common/worker/consumer.h"

#include <poll.h>
#include <sys/random.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/worker/consumer_private.h"
#include "common/worker/delivery.h"

enum {
	CONNECT_MS = 10000,		/* TCP, TLS and login */
	BACKOFF_MS = 100, BACKOFF_MAX_MS = 10000,
	PROBE_MS = 10000,
	QUORUM_TUNE_MS = 5000,
	ACK_WAIT_MS = 3, ACK_BATCH = 100,
	OUTPUT_MAX = 8 << 20,		/* acks and declares only */
	USER_TIMEOUT_MS = 15000,
};

static const char *const STATES[] = { "down", "connecting", "declaring", "consuming", "leaving" };

static struct channel *channel_of(struct consumer *c, uint16_t number)
{
	return number >= 1 && number <= c->conf.nqueues + 1 ? &c->channels[number - 1] : NULL;
}

static struct channel *queue_channel(const struct consumer *c, size_t queue)
{
	return (struct channel *)&c->channels[queue + 1];
}

static void go_down(struct consumer *c, const char *why)
{
	bool was_up = c->state == CONSUMER_CONSUME || c->state == CONSUMER_DECLARE;
	uint32_t random = 0;

	watch_stop(&c->watch);
	link_close(c->link);
	c->link = NULL;
	c->host++;
	c->generation++;
	for (size_t i = 0; i <= c->conf.nqueues; i++) {
		tagwin_release(&c->channels[i].tags);
		c->channels[i].step = STEP_CLOSED;
		c->channels[i].probing = false;
	}
	c->state = CONSUMER_DOWN;
	c->backoff_ms = c->backoff_ms ? c->backoff_ms * 2 : BACKOFF_MS;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
	if (getrandom(&random, sizeof random, 0) < 0)
		random = UINT32_MAX / 2;
	c->deadline_ms = clock_mono_ms() + c->backoff_ms / 2 +
			 (int64_t)random * (c->backoff_ms / 2) / UINT32_MAX;
	log_warn("broker connection lost reason=\"%s\" retry_in_ms=%lld", why,
		 (long long)(c->deadline_ms - clock_mono_ms()));
	if (was_up)
		c->conf.on_lost(c->conf.ctx);
}

static void probe_answered(struct consumer *c, struct channel *ch, const struct link_event *ev)
{
	bool window_open = ch->tags.unsettled < (size_t)ch->prefetch;
	bool silent = clock_mono_ms() - ch->delivered_ms >= PROBE_MS;

	ch->probing = false;
	if (ev->ready > 0 && window_open && silent && !c->cancelled && ch->step == STEP_RUN) {
		log_error("queue %s has %lld messages ready and delivers none", ch->conf.name,
			  (long long)ev->ready);
		c->deadline_ms = 0;	/* the next tick tears it down */
		c->state = CONSUMER_DECLARE;
	}
}

static void on_delivery(struct consumer *c, struct channel *ch, const struct link_event *ev)
{
	if (!ch->conf.name) {
		c->conf.on_control(c->conf.ctx, ev);
		return;
	}
	if (ev->kind == LINK_DELIVERY)
		tagwin_arrive(&ch->tags, ev->tag);
	ch->delivered_ms = clock_mono_ms();
	c->conf.on_delivery(c->conf.ctx, ch->number - 2, c->generation, ev);
}

static void on_event(void *ctx, const struct link_event *ev)
{
	struct consumer *c = ctx;
	struct channel *ch = channel_of(c, ev->channel);

	switch (ev->kind) {
	case LINK_OPENED:
		consumer_start_channels(c);
		break;
	case LINK_DELIVERY:
	case LINK_PART:
		if (ch)
			on_delivery(c, ch, ev);
		break;
	case LINK_CHANNEL_CLOSED:
		if (!consumer_channel_closed(c, ch, ev)) {
			log_error("RabbitMQ closed a channel: %d %s", ev->code, ev->text);
			c->state = CONSUMER_DECLARE;
			c->deadline_ms = 0;
		}
		break;
	case LINK_CANCELLED:
		log_warn("RabbitMQ cancelled consumer %s: its queue was deleted or moved; "
			 "declaring it again", ev->text);
		if (ch) {
			c->conf.on_deleted(c->conf.ctx, ch->number - 2);
			consumer_declare_again(c, ch);
		}
		break;
	case LINK_GOODBYE:
		c->left = true;
		break;
	case LINK_DECLARED:
		if (ch && ch->probing)
			probe_answered(c, ch, ev);
		else if (ch)
			consumer_next_step(c, ch);
		break;
	case LINK_CHANNEL_OPENED:
	case LINK_CONSUMING:
	case LINK_OK:
		if (ch)
			consumer_next_step(c, ch);
		break;
	default:
		break;
	}
}

static void update_watch(struct consumer *c)
{
	if (c->link && !link_is_connecting(c->link))
		watch_set(&c->watch, link_fd(c->link), link_poll_events(c->link));
}

static void readable(void *ctx)
{
	struct consumer *c = ctx;
	struct err e = { 0 };

	if (!c->link)
		return;
	if (link_io(c->link, &e) < 0)
		go_down(c, e.msg);
	else
		update_watch(c);
}

static void start(struct consumer *c)
{
	struct link_options o = {
		.url = c->conf.url, .host = c->host, .name = c->conf.node,
		.heartbeat_s = c->conf.heartbeat_s, .max_body = c->conf.max_message,
		.max_output = OUTPUT_MAX, .user_timeout_ms = USER_TIMEOUT_MS,
	};
	struct err e = { 0 };

	c->state = CONSUMER_CONNECT;
	c->deadline_ms = clock_mono_ms() + CONNECT_MS;
	if (link_start(&c->link, &o, on_event, c, &e) < 0)
		go_down(c, e.msg);
	else
		readable(c);
}

static void probe(struct consumer *c, int64_t now)
{
	for (size_t i = 0; i < c->conf.nqueues; i++) {
		struct channel *ch = queue_channel(c, i);
		struct link_queue q = { .name = ch->conf.name, .passive = true };

		if (ch->step != STEP_RUN || now - ch->probed_ms < PROBE_MS)
			continue;
		if (ch->probing) {
			c->state = CONSUMER_DECLARE;
			c->deadline_ms = 0;
			return;
		}
		ch->probed_ms = now;
		ch->probing = true;
		link_queue_declare(c->link, ch->number, &q);
	}
}

void consumer_tick(struct consumer *c)
{
	int64_t now = clock_mono_ms();
	struct err e = { 0 };

	if (c->state == CONSUMER_DOWN) {
		if (now >= c->deadline_ms)
			start(c);
		return;
	}
	if (c->state != CONSUMER_CONSUME && c->state != CONSUMER_LEAVING && now >= c->deadline_ms) {
		go_down(c, c->state == CONSUMER_CONNECT ? "no connection in time" :
			"the queues were not ready in time");
		return;
	}
	if (c->state == CONSUMER_CONSUME && !c->cancelled)
		probe(c, now);
	if (link_is_connecting(c->link))
		readable(c);
	else if (link_tick(c->link, &e) < 0)
		go_down(c, e.msg);
}

struct ack_ctx {
	struct consumer *c;
	struct channel *ch;
};

static void send_ack(void *ctx, uint64_t tag, bool multiple)
{
	struct ack_ctx *a = ctx;

	link_ack(a->c->link, a->ch->number, tag, multiple);
}

/* True: something went into the output buffer. */
static bool flush_acks(struct consumer *c)
{
	int64_t now = clock_mono_ms();
	size_t waiting = 0;

	for (size_t i = 0; i < c->conf.nqueues; i++)
		waiting += queue_channel(c, i)->tags.finished;
	if (waiting == 0) {
		c->ack_since_ms = 0;
		return false;
	}
	if (!c->ack_since_ms)
		c->ack_since_ms = now;
	if (waiting < ACK_BATCH && now - c->ack_since_ms < ACK_WAIT_MS && !c->cancelled)
		return false;
	c->ack_since_ms = 0;
	for (size_t i = 0; i < c->conf.nqueues; i++) {
		struct ack_ctx a = { c, queue_channel(c, i) };

		tagwin_flush(&a.ch->tags, send_ack, &a);
	}
	return true;
}

/* A quorum queue knows no global QoS: a change is cancel and consume, so it is made seldom. */
static void tune_quorum(struct consumer *c, struct channel *ch)
{
	int64_t now = clock_mono_ms();

	if (now - ch->tuned_ms < QUORUM_TUNE_MS)
		return;
	ch->tuned_ms = now;
	link_cancel(c->link, ch->number, ch->conf.name);
	ch->step = STEP_BIND;
	consumer_next_step(c, ch);
}

static void tune_prefetch(struct consumer *c)
{
	for (size_t i = 0; i < c->conf.nqueues; i++) {
		struct channel *ch = queue_channel(c, i);

		if (ch->step != STEP_RUN || ch->wanted == ch->prefetch)
			continue;
		if (ch->conf.quorum) {
			tune_quorum(c, ch);
			continue;
		}
		ch->prefetch = ch->wanted;
		link_qos(c->link, ch->number, (uint16_t)ch->prefetch, true);
	}
}

int consumer_flush(struct consumer *c)
{
	struct err e = { 0 };
	bool acked;

	if (!c->link || !link_is_open(c->link))
		return -1;
	acked = flush_acks(c);
	tune_prefetch(c);
	if (link_unsent(c->link) > 0 && link_flush(c->link, &e) < 0)
		go_down(c, e.msg);
	update_watch(c);
	if (acked)
		FAULT_POINT("after-ack");
	return c->ack_since_ms ? ACK_WAIT_MS : -1;
}

static struct channel *current(struct consumer *c, const struct delivery *d)
{
	return c->link && d->link_generation == c->generation ?
	       queue_channel(c, (size_t)d->queue) : NULL;
}

bool consumer_owns(const struct consumer *c, const struct delivery *d)
{
	return c->link && d->link_generation == c->generation;
}

void consumer_ack(struct consumer *c, const struct delivery *d)
{
	struct channel *ch = current(c, d);

	if (ch)
		tagwin_finish(&ch->tags, d->tag);
}

void consumer_give_back(struct consumer *c, const struct delivery *d)
{
	struct channel *ch = current(c, d);

	if (!ch)
		return;
	tagwin_drop(&ch->tags, d->tag);
	link_reject(c->link, ch->number, d->tag, true);
}

void consumer_set_prefetch(struct consumer *c, int queue, int count)
{
	queue_channel(c, (size_t)queue)->wanted = count < 1 ? 1
		: count > UINT16_MAX			    ? UINT16_MAX
							    : count;
}

int consumer_prefetch(const struct consumer *c, int queue)
{
	return queue_channel(c, (size_t)queue)->wanted;
}

void consumer_cancel(struct consumer *c)
{
	for (size_t i = 0; i < c->conf.nqueues; i++)
		consumer_switch(c, (int)i, CONSUMER_DRAINING, true);
	c->cancelled = true;
}

static void add_channel(struct consumer *c, const struct consumer_queue_conf *queue, unsigned off)
{
	struct channel *ch = queue_channel(c, c->conf.nqueues++);

	*ch = (struct channel){ .conf = *queue, .off = off, .wanted = 1 };
	ch->number = (uint16_t)(ch - c->channels + 1);
	tagwin_init(&ch->tags);
}

int consumer_add(struct consumer *c, const struct consumer_queue_conf *queue)
{
	if (c->conf.nqueues == CONSUMER_MAX_QUEUES)
		return -1;
	add_channel(c, queue, c->cancelled ? CONSUMER_DRAINING : 0);
	queue_channel(c, c->conf.nqueues - 1)->added = true;
	if (c->state == CONSUMER_DECLARE || c->state == CONSUMER_CONSUME)
		consumer_start_channel(c, queue_channel(c, c->conf.nqueues - 1));
	return (int)c->conf.nqueues - 1;
}

void consumer_switch(struct consumer *c, int queue, enum consumer_off why, bool off)
{
	struct channel *ch = queue_channel(c, (size_t)queue);
	unsigned was = ch->off;

	ch->off = off ? was | why : was & ~(unsigned)why;
	if (!was != !ch->off && c->link && link_is_open(c->link))
		consumer_follow_switch(c, ch);
}

unsigned consumer_off(const struct consumer *c, int queue)
{
	return queue_channel(c, (size_t)queue)->off;
}

bool consumer_leave(struct consumer *c)
{
	if (c->link && c->state != CONSUMER_LEAVING) {
		if (!link_is_open(c->link))
			return true;
		consumer_flush(c);
		c->state = CONSUMER_LEAVING;
		link_goodbye(c->link);
		consumer_flush(c);
	}
	return !c->link || c->left;
}

bool consumer_is_consuming(const struct consumer *c)
{
	return c->state == CONSUMER_CONSUME;
}

bool consumer_is_healthy(const struct consumer *c)
{
	return c->state == CONSUMER_CONSUME || c->state == CONSUMER_LEAVING ||
	       clock_mono_ms() < c->deadline_ms + CONNECT_MS;
}

const char *consumer_state(const struct consumer *c)
{
	return STATES[c->state];
}

struct consumer *consumer_new(const struct consumer_conf *conf)
{
	struct consumer *c = mem_zalloc(sizeof *c);

	c->conf = *conf;
	c->conf.url = c->url = mem_strdup(conf->url);	/* outlives a reload */
	c->pidbox = mem_printf("%s.celery.pidbox", conf->node);
	c->generation = 1;
	c->conf.queues = NULL;
	c->conf.nqueues = 0;
	c->channels[0] = (struct channel){ .number = 1, .wanted = 1 };
	tagwin_init(&c->channels[0].tags);
	for (size_t i = 0; i < conf->nqueues; i++)
		add_channel(c, &conf->queues[i], conf->loading ? CONSUMER_LOADING : 0);
	watch_init(&c->watch, conf->loop, readable, c);
	start(c);
	return c;
}

void consumer_free(struct consumer *c)
{
	if (!c)
		return;
	watch_stop(&c->watch);
	link_close(c->link);
	for (size_t i = 0; i <= c->conf.nqueues; i++)
		tagwin_release(&c->channels[i].tags);
	free(c->pidbox);
	free(c->url);
	free(c);
}
