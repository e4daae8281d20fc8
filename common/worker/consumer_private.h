/* SPDX-License-Identifier: MIT */
/* What consumer.c (connection, deliveries, acks) and consumer_setup.c (from login to consuming)
 * share. */
#ifndef COMMON_WORKER_CONSUMER_PRIVATE_H
#define COMMON_WORKER_CONSUMER_PRIVATE_H

#include "common/broker/link.h"
#include "common/worker/consumer.h"
#include "common/worker/tagwin.h"
#include "common/worker/watch.h"

enum consumer_state { CONSUMER_DOWN, CONSUMER_CONNECT, CONSUMER_DECLARE, CONSUMER_CONSUME,
		      CONSUMER_LEAVING };

/* What a channel is doing; each answer of the broker takes it to the next. */
enum step { STEP_CLOSED, STEP_OPEN, STEP_DECLARE, STEP_EXCHANGE, STEP_BIND, STEP_QOS, STEP_CONSUME,
	    STEP_RUN, STEP_OFF };

struct channel {
	struct consumer_queue_conf conf;	/* name NULL: remote control */
	uint16_t number;
	unsigned off;			/* enum consumer_off */
	enum step step;
	bool passive;			/* the queue has other arguments: used as it stands */
	bool bound_elsewhere;		/* so does the exchange */
	bool added;			/* while it ran: its failure is no reason to reconnect */
	struct tagwin tags;
	int prefetch, wanted;
	bool probing;
	int64_t delivered_ms, probed_ms, tuned_ms;
};

struct consumer {
	struct consumer_conf conf;
	enum consumer_state state;
	int64_t deadline_ms, backoff_ms;
	struct link *link;
	struct watch watch;
	unsigned host;
	uint64_t generation;
	/* Remote control first, so that queues can be added behind. */
	struct channel channels[CONSUMER_MAX_QUEUES + 1];
	char *pidbox, *url;
	int64_t ack_since_ms;
	bool cancelled, left;
};

/* Opens every channel and takes its first step. */
void consumer_start_channels(struct consumer *c);
void consumer_start_channel(struct consumer *c, struct channel *ch);
/* The broker answered the channel's step: take the next one. */
void consumer_next_step(struct consumer *c, struct channel *ch);
/* Consumes or stops to, as off says. */
void consumer_follow_switch(struct consumer *c, struct channel *ch);
/* The queue is gone: declares it again. */
void consumer_declare_again(struct consumer *c, struct channel *ch);
/* True: the close was an answer to a declare, and the queue will be used as it stands. */
bool consumer_channel_closed(struct consumer *c, struct channel *ch, const struct link_event *ev);

#endif
