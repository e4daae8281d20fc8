/* SPDX-License-Identifier: MIT */
/* expiry: the end of a task whose message expired in its queue (dead-lettered by the broker).
 *
 * It ends as REVOKED "expired", as Celery's worker ends what it receives too late: a final ledger
 * row, and the result by way of jobfleet.result_backlog. One with a final row already is left as it
 * is. A part of a chord goes back to its queue without the expiration property but with its
 * `expires` in the past: the worker that receives it counts the part. */
#ifndef DISPATCHER_EXPIRY_H
#define DISPATCHER_EXPIRY_H

struct err;
struct message;
struct pg;
struct publisher;

/* 0 = done, the message may be acked. p may be NULL (away): -ERR_BROKER for a part of a chord. */
int expiry_settle(struct message *m, const char *queue, const char *node, struct pg *pg,
		  struct publisher *p, struct err *e);

#endif
