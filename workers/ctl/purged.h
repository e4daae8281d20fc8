/* SPDX-License-Identifier: MIT */
/* purged: the end of a task whose message was purged: REVOKED, "purged".
 *
 * Only tasks that jobfleet.pending keeps safe (state 'sent') are known to us: without an end the
 * dispatcher would send them again. The ledger row comes first and takes the pending row away; it
 * carries a chord's part, which the dispatcher counts. Then the result, in Redis or in the
 * backlog. */
#ifndef CTL_PURGED_H
#define CTL_PURGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl;
struct err;
struct pg_rows;

/* Rows p of jobfleet.pending whose message may be in the queue $1: sent, and nothing newer is known
 * of the task (a parked copy, a retry, the claim of a long task, a dead letter). */
#define PURGED_ROWS \
	"p.queue = $1 AND p.state = 'sent'" \
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.dead_letters d WHERE d.task_id = p.task_id" \
	"  AND d.generation >= p.generation)" \
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.pending o WHERE o.task_id = p.task_id" \
	"  AND o.id <> p.id AND (o.state = 'waiting' OR (o.generation, o.nesting, o.retries, o.hop)" \
	"  > (p.generation, p.nesting, p.retries, p.hop)))"

/* Rows of one queue that were sent before a point in PostgreSQL's time, in slices. */
struct purged {
	const char *queue;
	const char *before;		/* timestamptz as text */
	int64_t last;			/* id of the last one that was seen */
	struct pg_rows *rows;		/* the slice */
	size_t n;
};

/* The next slice: 1 = there is one, 0 = none. */
int purged_next(struct purged *p, struct ctl *c, struct err *e);
const char *purged_id(const struct purged *p, size_t i);
/* Gives the i-th its end: 1 = done, 0 = it had one already. */
int purged_end(const struct purged *p, size_t i, struct ctl *c, struct err *e);
void purged_release(struct purged *p);

#endif
