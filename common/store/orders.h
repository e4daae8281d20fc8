/* SPDX-License-Identifier: MIT */
/* orders (store): revokes and pauses as data, in PostgreSQL and Redis, so that they survive every
 * restart and the loss of either.
 *
 * PostgreSQL: jobfleet.revokes, jobfleet.pauses; each change takes a number of jobfleet.order_seq.
 * Redis: <prefix>revokes, a sorted set (score: the number of the change), <prefix>pauses, a hash,
 * and <prefix>orders, the last number. A number is never less than the server's time in
 * milliseconds, so that numbers go on growing after a loss of data.
 * Writing goes to both; one of them is enough for an answer: a dispatcher tells the other
 * (workers/dispatcher/level.h). Revokes are forgotten with the ledger (ledger_keep).
 * Limits: names and values of 255 bytes; Redis keeps the last 50,000 revokes. */
#ifndef COMMON_STORE_ORDERS_H
#define COMMON_STORE_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct redis;

enum { ORDERS_MAX = 50000 };

enum order_kind {
	ORDER_REVOKE_ID,		/* value = task id */
	ORDER_REVOKE_STAMP,		/* name = stamp, value = its value */
	ORDER_PAUSE_QUEUE, ORDER_PAUSE_TASK,	/* name */
	ORDER_PAUSE_FLEET,
};

struct order {
	enum order_kind kind;
	const char *name, *value, *reason, *by;	/* "" or NULL where not used */
	bool on;			/* pauses: false = resumed */
	int64_t at_ms;			/* since the epoch; 0 in orders_write = now. The newest holds */
};

/* pg or redis may be NULL (away); both NULL or failing is the error. 0 = persisted somewhere. A
 * resume also makes the parked messages due (jobfleet.pending, reason 'paused').
 * -ERR_INVALID: too long, or without what it is about. */
int orders_write(struct pg *pg, struct redis *redis, const char *prefix, const struct order *o,
		 struct err *e);

typedef void order_fn(void *ctx, const struct order *o);
/* Everything changed since *seq (0 = everything that holds), from PostgreSQL; moves *seq. */
int orders_read_pg(struct pg *pg, int64_t *seq, order_fn *fn, void *ctx, struct err *e);
/* The same from Redis, moving *counter. 1 = read whole: *counter was 0, or Redis has lost data. */
int orders_read_redis(struct redis *redis, const char *prefix, int64_t *counter, order_fn *fn,
		      void *ctx, struct err *e);

/* For dispatchers: numbers the revokes that have none yet; parks what is due in jobfleet.pending
 * but paused; and makes parked messages due that nothing pauses any more (a pause can end while a
 * message is being parked). */
int orders_number(struct pg *pg, struct err *e);
int orders_park_due(struct pg *pg, struct err *e);
int orders_release_parked(struct pg *pg, struct err *e);

#endif
