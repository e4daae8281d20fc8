/* SPDX-License-Identifier: MIT */
/* account: how many tasks are where: what was accepted against what became of it.
 *
 * Counted is what our own doors know of: the rows of jobfleet.pending, the ledger, the dead
 * letters, what workers say that they hold, and this host's spool; the depth of each queue is
 * RabbitMQ's own word. A message that another client published, or `jobfleet enqueue` sent
 * straight to RabbitMQ, has no row before a worker has it: what a queue holds beyond our own is
 * counted apart.
 * The tables are read in one snapshot; the rules are jobfleet.audit_places'. */
#ifndef CTL_ACCOUNT_H
#define CTL_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

struct ctl;
struct err;

/* In the order in which they are shown; their names are those of jobfleet.audit_places. */
enum account_place {
	ACCOUNT_DONE,
	ACCOUNT_FAILED,
	ACCOUNT_DEAD,
	ACCOUNT_REVOKED,
	ACCOUNT_WAITING,
	ACCOUNT_SCHEDULED,
	ACCOUNT_RUNNING,
	ACCOUNT_DELIVERED,
	ACCOUNT_BROKER,		/* "sent": of which some may be missing */
	ACCOUNT_SPOOLED,
	ACCOUNT_REPLACED,
	ACCOUNT_LOOSE,
	ACCOUNT_PLACES
};

/* NULL = all */
struct account_filter {
	const char *since;	/* timestamptz as text */
	const char *task;	/* a name, or its last part */
	const char *queue;
};

struct account_queue {
	char *name;
	int64_t sent;			/* our own that nobody holds */
	int64_t ready, consumers;	/* -1 = there is no such queue */
	int64_t serving;		/* live workers of it */
};

struct account {
	int64_t n[ACCOUNT_PLACES];
	struct account_queue *queues;	/* those of queues.conf, and those with sent rows */
	size_t nqueues;
	int64_t put_backs;		/* how often the database was put back, in the last week */
	char *stood_at, *lost_until;	/* from when until when something may be gone; "" */
};

int account_take(struct account *ret, struct ctl *c, const struct account_filter *f,
		 struct err *e);
void account_release(struct account *a);

/* Asks RabbitMQ again. */
int account_ask_queue(struct account_queue *q, struct ctl *c, struct err *e);
struct account_queue *account_queue(struct account *a, const char *name);	/* NULL = none */
const char *account_place_key(enum account_place place);	/* "done", "in_broker", … */
const char *account_place_title(enum account_place place);

#endif
