/* SPDX-License-Identifier: MIT */
/* pending: messages that must be published later; the dispatcher's relay publishes what is due.
 *
 * Unique on (ledger key, hop): inserting the same row again does nothing, so a repeated settle
 * repeats nothing. A republish carries hop + 1. Due times are PostgreSQL's clock. */
#ifndef COMMON_STORE_PENDING_H
#define COMMON_STORE_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct message;
struct pg;

#define PENDING_NEVER INT64_MAX		/* due infinity: until somebody releases it */

struct pending_row {
	const char *task_id;
	int generation, nesting, retries, hop;
	const char *kind;		/* outbox, eta, retry, parked, claim */
	const char *task, *queue;
	const void *props, *body;
	size_t props_len, body_len;
	int64_t due_us;			/* absolute wall time; 0 = now + delay_ms */
	int64_t delay_ms;		/* or PENDING_NEVER */
	int64_t claim_ms;		/* we publish it ourselves within this time; 0 = the relay's */
	const char *reason;
};

/* Key, hop, task, props and body from m; props_out (caller's buf) receives the encoded props. */
struct buf;
int pending_from_message(struct pending_row *row, const struct message *m, const char *kind,
			 const char *queue, struct buf *props_out, struct err *e);

/* In p's transaction, or alone. 0 = inserted or already there. */
int pending_insert(struct pg *p, const struct pending_row *row, struct err *e);
/* The same for many of them in few statements. delay_ms and claim_ms as above; due_us and reason
 * are not looked at. */
int pending_insert_many(struct pg *p, const struct pending_row *rows, size_t n, struct err *e);
/* Published and confirmed. Not synchronous: losing it costs one duplicate message, no effect. */
int pending_mark_sent(struct pg *p, const struct pending_row *rows, size_t n, struct err *e);
/* The same for workers that are not ours: no ledger row of theirs would ever end it. */
int pending_forget(struct pg *p, const struct pending_row *rows, size_t n, struct err *e);

#endif
