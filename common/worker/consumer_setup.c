/* SPDX-License-Identifier: MIT */
/* From login to consuming: each channel's steps, each taken when the broker answered the last. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/consumer_private.h"

enum {
	DECLARE_MS = 10000,		/* all queues */
	PIDBOX_EXPIRES_MS = 10000, PIDBOX_TTL_MS = 300000,	/* as Celery declares it */
};

#define PIDBOX "celery.pidbox"

static int declare_queue(struct consumer *c, const struct channel *ch)
{
	struct link_queue q = { .name = c->pidbox, .auto_delete = true,
				.expires_ms = PIDBOX_EXPIRES_MS, .message_ttl_ms = PIDBOX_TTL_MS };

	if (ch->conf.name)
		q = (struct link_queue){ .name = ch->conf.name, .durable = true,
					 .passive = ch->passive, .quorum = ch->conf.quorum,
					 .max_priority = ch->conf.max_priority,
					 .delivery_limit = ch->conf.delivery_limit };
	return link_queue_declare(c->link, ch->number, &q);
}

static const char *exchange_of(const struct channel *ch)
{
	return !ch->conf.name ? PIDBOX : ch->conf.exchange ? ch->conf.exchange : ch->conf.name;
}

static const char *key_of(const struct channel *ch)
{
	return !ch->conf.name ? "" : ch->conf.key ? ch->conf.key : ch->conf.name;
}

static int send_step(struct consumer *c, struct channel *ch)
{
	const char *queue = ch->conf.name ? ch->conf.name : c->pidbox;
	const char *type = ch->conf.exchange_type ? ch->conf.exchange_type : "direct";

	switch (ch->step) {
	case STEP_OPEN:
		return link_channel_open(c->link, ch->number);
	case STEP_DECLARE:
		return declare_queue(c, ch);
	case STEP_EXCHANGE:
		return link_exchange_declare(c->link, ch->number, exchange_of(ch),
					     ch->conf.name ? type : "fanout",
					     ch->conf.name != NULL);
	case STEP_BIND:
		return link_queue_bind(c->link, ch->number, queue, exchange_of(ch), key_of(ch));
	case STEP_QOS:
		ch->prefetch = ch->wanted;
		return link_qos(c->link, ch->number, (uint16_t)ch->prefetch,
				ch->conf.name && !ch->conf.quorum);
	case STEP_CONSUME:
		return link_consume(c->link, ch->number, queue, queue, ch->conf.name == NULL);
	default:
		return 0;
	}
}

/* Added while the worker ran, and refused by the broker. */
static bool is_given_up(const struct channel *ch)
{
	return ch->added && ch->step == STEP_CLOSED && (ch->off & CONSUMER_DROPPED);
}

static void all_consuming(struct consumer *c)
{
	for (size_t i = 0; i <= c->conf.nqueues; i++)
		if (c->channels[i].step < STEP_RUN && !is_given_up(&c->channels[i]))
			return;
	c->state = CONSUMER_CONSUME;
	c->backoff_ms = 0;
	c->conf.on_consuming(c->conf.ctx);
}

void consumer_next_step(struct consumer *c, struct channel *ch)
{
	if (ch->step >= STEP_RUN)
		return;
	ch->step++;
	if (ch->step == STEP_EXCHANGE && ch->bound_elsewhere)
		ch->step++;
	if (ch->step == STEP_CONSUME && ch->off)
		ch->step = STEP_OFF;
	if (ch->step >= STEP_RUN) {
		ch->delivered_ms = ch->probed_ms = clock_mono_ms();
		consumer_follow_switch(c, ch);	/* it may have moved meanwhile */
		if (c->state == CONSUMER_DECLARE)
			all_consuming(c);
		return;
	}
	send_step(c, ch);
}

/* While a step is under way nothing is to be done: it ends where off says. */
void consumer_follow_switch(struct consumer *c, struct channel *ch)
{
	if (ch->off && ch->step == STEP_RUN) {
		link_cancel(c->link, ch->number, ch->conf.name);
		ch->step = STEP_OFF;
	} else if (!ch->off && ch->step == STEP_OFF) {
		ch->step = STEP_BIND;	/* the window may have another size by now */
		consumer_next_step(c, ch);
	} else if (!ch->off && ch->step == STEP_CLOSED) {
		consumer_start_channel(c, ch);
	}
}

void consumer_start_channel(struct consumer *c, struct channel *ch)
{
	ch->step = STEP_OPEN;
	send_step(c, ch);
}

void consumer_start_channels(struct consumer *c)
{
	c->state = CONSUMER_DECLARE;
	c->deadline_ms = clock_mono_ms() + DECLARE_MS;
	for (size_t i = 0; i <= c->conf.nqueues; i++)
		if (!is_given_up(&c->channels[i]))
			consumer_start_channel(c, &c->channels[i]);
}

void consumer_declare_again(struct consumer *c, struct channel *ch)
{
	ch->step = STEP_DECLARE;
	send_step(c, ch);
}

/* A new channel counts its tags from 1: while deliveries of the old one are not settled, only a new
 * connection will do (false); what was learned holds there, too. */
static bool start_again(struct consumer *c, struct channel *ch)
{
	if (ch->tags.n > 0)
		return false;
	consumer_start_channel(c, ch);
	return true;
}

/* A queue that exists with other arguments is used as it stands. Anything else that closes a
 * channel costs the connection: half a consumer is what nobody notices. */
bool consumer_channel_closed(struct consumer *c, struct channel *ch, const struct link_event *ev)
{
	if (ch && ch->step == STEP_EXCHANGE && ev->code == 406 && !ch->bound_elsewhere) {
		log_warn("exchange %s is of another type and is used as it stands: %s",
			 exchange_of(ch), ev->text);
		ch->bound_elsewhere = true;
		return start_again(c, ch);
	}
	if (ch && ch->added && ch->step < STEP_RUN && (ev->code != 406 || ch->passive)) {
		log_error("queue %s is not consumed from: %d %s", ch->conf.name, ev->code,
			  ev->text);
		ch->off |= CONSUMER_DROPPED;
		ch->step = STEP_CLOSED;
		if (ch->tags.n > 0)
			return false;
		if (c->state == CONSUMER_DECLARE)
			all_consuming(c);
		return true;
	}
	if (!ch || ch->step != STEP_DECLARE || ev->code != 406 || ch->passive)
		return false;
	log_warn(
		"queue %s has other arguments than ours and is used as it stands (priorities may be "
		"off there): %s. To change it, drain it, delete it, and start the worker again",
		ch->conf.name ? ch->conf.name : c->pidbox, ev->text);
	ch->passive = true;
	return start_again(c, ch);
}
