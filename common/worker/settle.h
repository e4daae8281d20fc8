/* SPDX-License-Identifier: MIT */
/* settle: how an attempt ends, in the order that keeps every promise:
 *
 *	1  one commit: effects, follow-ups as pending rows, the ledger row last
 *	2  follow-ups published and confirmed, or left to the relay
 *	3  the result in Redis, or in the backlog
 *	4  failure of the steps behind it, its part of a chord (settle_canvas.h)
 *	5  the caller tells the parent, which acks
 *
 * Die anywhere before 5 and the message comes again; whoever runs it finds the ledger row (or its
 * absence) and goes on from there. A twin collides with the row and delivers what it finds. */
#ifndef COMMON_WORKER_SETTLE_H
#define COMMON_WORKER_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/ledger.h"

struct err;
struct run;

struct settle {
	bool again;			/* could not be settled now: run it again in delay_ms */
	bool unended;			/* again, and for its own sake: such starts are counted */
	int64_t delay_ms;
	enum ledger_outcome outcome;
	struct err *why;		/* of again, borrowed from the caller; may be NULL */
	bool wants_event;		/* fill the next two */
	char *event_text;		/* repr of the result or the exception; owned, may be NULL */
	char *event_trace;
};

void settle_release(struct settle *s);

/* result: raw JSON. */
void settle_success(struct run *run, const char *result, struct settle *ret);
/* Retry, park or fail, as the error's code, the task's options and the attempts say. */
void settle_error(struct run *run, const struct err *error, struct settle *ret);
/* A verdict over an attempt that cannot end by itself (limit, death, unknown task): never retried;
 * dead_cause != NULL puts the message into the dead letters, too. */
void settle_verdict(struct run *run, const struct err *error, const char *dead_cause,
		    struct settle *ret);
void settle_revoked(struct run *run, const char *reason, struct settle *ret);
/* Ends without a result (Celery's Ignore, Task.replace, Reject): effects and follow-ups hold, of
 * a rejected one only its dead letter does. requeued: nothing at all, not even a ledger row. */
void settle_ignored(struct run *run, struct settle *ret);
void settle_replaced(struct run *run, struct settle *ret);
void settle_rejected(struct run *run, const struct err *error, struct settle *ret);
void settle_requeued(struct run *run);
/* Is the attempt settled already? 1 = yes: its outcome was delivered again and *ret is filled. */
int settle_found(struct run *run, struct settle *ret, struct err *e);

#endif
