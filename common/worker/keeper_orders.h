/* SPDX-License-Identifier: MIT */
/* keeper_orders: the keeper's part of revokes and pauses: it looks for changes in Redis (by its
 * counter, every 200 ms) and in PostgreSQL (by sequence, every 500 ms) and sends them to the
 * parent, unasked: FRAME_ORDER, and once FRAME_ORDERS_LOADED when all that holds was sent.
 *
 * Both stores are told of every order, so one is enough to be loaded when the other is away; with
 * both away the parent waits (worker.c says how long). A store that is away is asked again after
 * 1 s, or four times as long as it took to fail. */
#ifndef COMMON_WORKER_KEEPER_ORDERS_H
#define COMMON_WORKER_KEEPER_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct frame;
struct frame_port;
struct stores;

/* Begins as zeros. */
struct keeper_orders {
	int64_t seq, counter;		/* seen so far */
	int64_t redis_ms, pg_ms;	/* monotonic: when each is asked next */
	int redis, pg;			/* last answer: 0 none yet, 1 good, -1 away */
	bool loaded;
};

/* Milliseconds until a store is to be asked. */
int keeper_orders_due_ms(const struct keeper_orders *k);
/* Asks those that are due and puts what changed into port. */
void keeper_orders_poll(struct keeper_orders *k, struct stores *stores, struct frame_port *port);
/* FRAME_ORDER_WRITE, behind its number: an order of the parent's, persisted. */
int keeper_orders_write(struct stores *stores, struct frame *f, struct err *e);

#endif
