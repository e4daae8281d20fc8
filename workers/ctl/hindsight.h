/* SPDX-License-Identifier: MIT */
/* hindsight: tasks of which Redis remembers an end that PostgreSQL does not know.
 *
 * So it is after PostgreSQL was put back to an earlier state, while RabbitMQ and Redis were not:
 * what ended since has a final result and no ledger row. Of those, what stands open in PostgreSQL
 * again runs twice (or, once sent, is left alone by the dispatcher); the others' effects on the
 * database are gone. Results expire (result_expires), and tasks that keep no ledger look just the
 * same.
 * Only our own workers' results count (they carry jobfleet_generation). */
#ifndef CTL_HINDSIGHT_H
#define CTL_HINDSIGHT_H

#include <stdbool.h>
#include <stddef.h>

struct account_filter;
struct ctl;
struct err;
struct suspects;

struct hindsight_item {
	char *id, *status, *done;	/* done: ISO time, or "" */
	bool open;			/* PostgreSQL has it open: it runs again */
};

struct hindsight {
	struct hindsight_item *items;
	size_t n;
	bool cut;			/* more than HINDSIGHT_MAX were left out */
};

enum { HINDSIGHT_MAX = 20000 };

/* Those of the suspects that ended come here from there. all: also every result in Redis that the
 * ledger does not know, of tasks that ended since (ISO time or NULL). */
int hindsight_take(struct hindsight *ret, struct suspects *s, struct ctl *c,
		   const struct account_filter *f, bool all, const char *since, struct err *e);
void hindsight_release(struct hindsight *h);

#endif
