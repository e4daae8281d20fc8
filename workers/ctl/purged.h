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
