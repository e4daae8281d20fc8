/* SPDX-License-Identifier: MIT */
/* consumer: the parent's consuming connection, one channel a queue and one for remote control.
 *
 *	DOWN --backoff--> CONNECT --login--> DECLARE --every queue consumes--> CONSUME
 *	  ^------------------ any fault, any deadline: full teardown -----------'
 *
 * It never publishes: a connection that published under a broker alarm is no longer read, acks
 * included. Every 10 s a passive declare asks each queue: messages ready, window open, not paused,
 * yet nothing delivered means teardown. Acks are put together (tagwin.h) and leave within 3 ms.
 * Deliveries carry the connection's generation; settling one of an older one does nothing. */
#ifndef COMMON_WORKER_CONSUMER_H
#define COMMON_WORKER_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct consumer;
struct delivery;
struct link_event;

struct consumer_queue_conf {
	const char *name;		/* outlives the consumer */
	int max_priority;
	bool quorum;
	int delivery_limit;		/* quorum: 0 = none */
	const char *exchange, *key;	/* bound to it; NULL: a direct exchange of the queue's name */
	const char *exchange_type;	/* NULL: direct */
};

enum { CONSUMER_MAX_QUEUES = 64 };

/* Why a queue is not consumed from; each is switched by itself. */
enum consumer_off {
	CONSUMER_LOADING = 1,		/* revokes and pauses are not known yet */
	CONSUMER_PAUSED = 2,		/* by an operator */
	CONSUMER_DROPPED = 4,		/* by cancel_consumer, until add_consumer */
	CONSUMER_RELIEVED = 8,		/* every child is busy for long: others may take it */
	CONSUMER_DRAINING = 16,		/* the worker leaves; holds over a new connection, too */
};

struct consumer_conf {
	void *loop;			/* uv_loop_t */
	const char *url, *node;
	int heartbeat_s;
	size_t max_message;
	const struct consumer_queue_conf *queues;	/* copied */
	size_t nqueues;
	bool loading;			/* starts with CONSUMER_LOADING on every queue */
	void *ctx;
	void (*on_delivery)(void *ctx, int queue, uint64_t generation,
			    const struct link_event *ev);	/* also LINK_PART */
	void (*on_control)(void *ctx, const struct link_event *ev);
	void (*on_consuming)(void *ctx);	/* every queue consumes, again after each loss */
	void (*on_lost)(void *ctx);		/* whatever was delivered comes again */
	/* RabbitMQ has no such queue any more: what was delivered from it does not come again */
	void (*on_deleted)(void *ctx, int queue);
};

struct consumer *consumer_new(const struct consumer_conf *conf);
void consumer_free(struct consumer *c);
/* A few times a second: deadlines, backoff, heartbeats, liveness. */
void consumer_tick(struct consumer *c);
/* At the end of each loop turn: acks and the output buffer. Returns the milliseconds after which it
 * wants to be called again, or -1. */
int consumer_flush(struct consumer *c);

bool consumer_is_consuming(const struct consumer *c);
/* Inside the deadline of its state: what the watchdog asks. */
bool consumer_is_healthy(const struct consumer *c);
const char *consumer_state(const struct consumer *c);	/* for status lines */

/* False: its connection is gone, the broker delivers it again. */
bool consumer_owns(const struct consumer *c, const struct delivery *d);
void consumer_ack(struct consumer *c, const struct delivery *d);
void consumer_give_back(struct consumer *c, const struct delivery *d);
void consumer_set_prefetch(struct consumer *c, int queue, int count);
int consumer_prefetch(const struct consumer *c, int queue);
/* One more queue, declared and consumed from at once; its index, or -1: there are too many. */
int consumer_add(struct consumer *c, const struct consumer_queue_conf *queue);
void consumer_switch(struct consumer *c, int queue, enum consumer_off why, bool off);
unsigned consumer_off(const struct consumer *c, int queue);	/* bits of enum consumer_off */
/* Stops deliveries (drain); acks still go. */
void consumer_cancel(struct consumer *c);
/* Says goodbye to the broker; true once it answered or there is no connection. */
bool consumer_leave(struct consumer *c);

#endif
