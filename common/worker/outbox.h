/* SPDX-License-Identifier: MIT */
/* outbox: messages that become visible with one commit, and the chords that begin with them.
 *
 * Filled while a task runs and settles. Then, in this order: outbox_store (rows of
 * jobfleet.pending in the transaction, claimed for us for 5 s and 1 ms for each), the commit,
 * outbox_start (chord sizes in Redis: before the first of their parts goes out), outbox_publish
 * (pipelined, confirmed, marked sent). What is not confirmed stays a row that the relay publishes.
 * Without a ledger there is no row: publish first, then store whatever was not confirmed.
 * Ownership: items copy what they are given. */
#ifndef COMMON_WORKER_OUTBOX_H
#define COMMON_WORKER_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct message;
struct pg;
struct stores;

enum { OUTBOX_MAX = 100000 };

struct outbox_item {
	char *id, *task, *queue;
	char *exchange;			/* "" = the default one; the relay knows no other */
	char *props, *body;
	size_t props_len, body_len;
	int generation, nesting, retries;
	int64_t delay_ms;		/* > 0: the relay's, when it is due */
	bool stored, sent;
};

struct outbox_join {
	char *id, *body;		/* raw JSON of the body's signature */
	char *tree;			/* nested result tuple to be saved (celery-wire 2.6), or NULL */
	int64_t size;
};

struct outbox {
	struct outbox_item *items;
	struct outbox_join *joins;
	size_t n, room, njoins, unstored;	/* unstored: of the newest, not yet in a transaction */
	size_t unstored_joins;
	size_t bytes;
};

void outbox_init(struct outbox *o);
void outbox_release(struct outbox *o);

/* -ERR_TOO_BIG over OUTBOX_MAX messages or 1 GiB. */
int outbox_add(struct outbox *o, const struct message *m, const char *queue, const char *exchange,
	       int64_t delay_ms, struct err *e);
int outbox_add_join(struct outbox *o, const char *id, int64_t size, const char *body,
		    const char *tree, struct err *e);
/* Forgets what is not in a transaction yet, back to the state of this mark. */
struct outbox_mark {
	size_t n, njoins;
};
struct outbox_mark outbox_mark(const struct outbox *o);
void outbox_forget(struct outbox *o, struct outbox_mark to);
void outbox_forget_unstored(struct outbox *o);
bool outbox_has_unstored(const struct outbox *o);
bool outbox_has_delayed(const struct outbox *o);

int outbox_store(struct outbox *o, struct pg *pg, struct err *e);
/* The transaction of the last outbox_store is no more: its newest n messages and joins are as they
 * were before. */
void outbox_unstore(struct outbox *o, size_t n, size_t njoins);
int outbox_start(struct outbox *o, struct stores *stores, struct err *e);
/* Returns how many due ones are unconfirmed; they were left to the relay if they are stored. */
size_t outbox_publish(struct outbox *o, struct stores *stores);

#endif
