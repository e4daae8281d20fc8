/* SPDX-License-Identifier: MIT */
/* buffer: deliveries that wait for a child, by queue and priority, and which of them is next.
 *
 * CONF_ORDER_PRIORITY  the highest priority over all queues, then whoever came first
 * CONF_ORDER_STRICT    the first queue that has any, within it the highest priority
 * CONF_ORDER_WEIGHTED  queues in turns by weight (smooth weighted round robin, as nginx balances
 *                      upstreams), within one the highest priority
 * The deliveries belong to the buffer while they are in it. */
#ifndef COMMON_WORKER_BUFFER_H
#define COMMON_WORKER_BUFFER_H

#include "common/base/conf.h"
#include "common/worker/delivery.h"

enum { BUFFER_MAX_QUEUES = 64, BUFFER_FIRST = 0 };

struct buffer_queue {
	struct delivery_list by_priority[DELIVERY_PRIORITIES];
	unsigned filled;		/* a bit for each priority that has any */
	size_t n;
	int weight, credit;
};

struct buffer {
	enum conf_order order;
	struct buffer_queue queue[BUFFER_MAX_QUEUES];
	int used;			/* queues that ever had any */
	size_t n, bytes;
	uint64_t next_seq;
};

void buffer_init(struct buffer *b, enum conf_order order);
void buffer_set_weight(struct buffer *b, int queue, int weight);
void buffer_put(struct buffer *b, struct delivery *d);
/* Came back unstarted: before those that came after it. With seq BUFFER_FIRST and the highest
 * priority it is next, whatever the order. */
void buffer_put_front(struct buffer *b, struct delivery *d);
struct delivery *buffer_next(const struct buffer *b);	/* stays in the buffer; NULL: none */
void buffer_take(struct buffer *b, struct delivery *d);	/* what buffer_next answered */
struct delivery *buffer_pop(struct buffer *b, int queue);	/* any of that queue, highest first */
typedef void buffer_each_fn(void *ctx, struct delivery *d);
void buffer_each(const struct buffer *b, buffer_each_fn *fn, void *ctx);

#endif
