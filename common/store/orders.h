/* SPDX-License-Identifier: MIT */
/* orders (store): revokes and pauses as data, in PostgreSQL and Redis, so that they survive every
 * restart and the loss of either.
 *
 * PostgreSQL: jobfleet.revokes, jobfleet.pauses; each change takes a number of jobfleet.order_seq.
 * Redis: hashes <prefix>revokes and <prefix>pauses and the counter <prefix>orders.
 * Writing goes to both; one of them is enough for an answer (the other is told by whoever finds the
 * difference). Revokes are forgotten with the ledger (ledger_keep). Limits: 50,000 revokes. */
#ifndef COMMON_STORE_ORDERS_H
#define COMMON_STORE_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct redis;

enum order_kind {
	ORDER_REVOKE_ID,		/* value = task id */
	ORDER_REVOKE_STAMP,		/* name = stamp, value = its value */
	ORDER_PAUSE_QUEUE, ORDER_PAUSE_TASK,	/* name */
	ORDER_PAUSE_FLEET,
};

struct order {
	enum order_kind kind;
	const char *name, *value, *reason, *by;	/* "" where not used */
	bool on;			/* pauses: false = resumed */
};

/* pg or redis may be NULL (away); both NULL or failing is the error. 0 = persisted somewhere. A
 * resume also makes the parked messages due (jobfleet.pending, reason 'paused'). */
int orders_write(struct pg *pg, struct redis *redis, const char *prefix, const struct order *o,
		 struct err *e);

typedef void order_fn(void *ctx, const struct order *o);
/* Everything changed since *seq (0 = everything that holds), from PostgreSQL; moves *seq. */
int orders_read_pg(struct pg *pg, int64_t *seq, order_fn *fn, void *ctx, struct err *e);
/* The same from Redis; whole, when its counter moved. */
int orders_read_redis(struct redis *redis, const char *prefix, int64_t *counter, order_fn *fn,
		      void *ctx, struct err *e);

#endif
