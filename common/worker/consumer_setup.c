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

	if (ch->conf)
		q = (struct link_queue){ .name = ch->conf->name, .durable = true,
					 .passive = ch->passive, .quorum = ch->conf->quorum,
					 .max_priority = ch->conf->max_priority };
	return link_queue_declare(c->link, ch->number, &q);
}

static int send_step(struct consumer *c, struct channel *ch)
{
	const char *queue = ch->conf ? ch->conf->name : c->pidbox;

	switch (ch->step) {
	case STEP_OPEN:
		return link_channel_open(c->link, ch->number);
	case STEP_DECLARE:
		return declare_queue(c, ch);
	case STEP_EXCHANGE:
		return link_exchange_declare(c->link, ch->number, ch->conf ? queue : PIDBOX,
					     ch->conf ? "direct" : "fanout", ch->conf != NULL);
	case STEP_BIND:
		return link_queue_bind(c->link, ch->number, queue, ch->conf ? queue : PIDBOX,
				       ch->conf ? queue : "");
	case STEP_QOS:
		ch->prefetch = ch->wanted;
		return link_qos(c->link, ch->number, (uint16_t)ch->prefetch,
				ch->conf && !ch->conf->quorum);
	case STEP_CONSUME:
		return link_consume(c->link, ch->number, queue, queue, ch->conf == NULL);
	default:
		return 0;
	}
}

static void all_consuming(struct consumer *c)
{
	for (size_t i = 0; i <= c->conf.nqueues; i++)
		if (c->channels[i].step != STEP_RUN)
			return;
	c->state = CONSUMER_CONSUME;
	c->backoff_ms = 0;
	c->conf.on_consuming(c->conf.ctx);
}

void consumer_next_step(struct consumer *c, struct channel *ch)
{
	if (ch->step == STEP_RUN)
		return;
	ch->step++;
	if (ch->step == STEP_RUN) {
		ch->delivered_ms = ch->probed_ms = clock_mono_ms();
		if (c->state == CONSUMER_DECLARE)
			all_consuming(c);
		return;
	}
	send_step(c, ch);
}

void consumer_start_channels(struct consumer *c)
{
	c->state = CONSUMER_DECLARE;
	c->deadline_ms = clock_mono_ms() + DECLARE_MS;
	for (size_t i = 0; i <= c->conf.nqueues; i++) {
		c->channels[i].step = STEP_OPEN;
		send_step(c, &c->channels[i]);
	}
}

void consumer_declare_again(struct consumer *c, struct channel *ch)
{
	ch->step = STEP_DECLARE;
	send_step(c, ch);
}

/* A queue that exists with other arguments is used as it stands. Anything else that closes a
 * channel costs the connection: half a consumer is what nobody notices. */
bool consumer_channel_closed(struct consumer *c, struct channel *ch, const struct link_event *ev)
{
	if (!ch || ch->step != STEP_DECLARE || ev->code != 406 || ch->passive)
		return false;
	log_warn("queue %s has other arguments than ours and is used as it stands: %s. To change "
		 "it, drain it, delete it, and start the worker again",
		 ch->conf ? ch->conf->name : c->pidbox, ev->text);
	ch->passive = true;
	ch->step = STEP_OPEN;
	send_step(c, ch);
	return true;
}
