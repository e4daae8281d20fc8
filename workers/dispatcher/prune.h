/* SPDX-License-Identifier: MIT */
/* prune: takes away what is no longer needed, a little at a time.
 *
 * Gone are: sent rows of pending once their task has its final ledger row; and by age (the ledger's
 * days, which are the duplicate window) sent rows, ledger, steps, starts, undelivered results and
 * revokes of what waits no more, and joins that have ended; and unique keys that are free.
 * Fires of schedules are kept longer (PRUNE_FIRES_DAYS): they are the schedules' history.
 * Rows that another transaction holds are passed over, so any number of dispatchers can do this. */
#ifndef DISPATCHER_PRUNE_H
#define DISPATCHER_PRUNE_H

#include <stdint.h>

struct err;
struct pg;

#define PRUNE_FIRES_DAYS 90
#define PRUNE_CALLS_DAYS 2 /* calls to sources by the minute */

/* Where one process is on its way round; begins as zeros. */
struct prune {
	int64_t seen_id; /* sent rows up to this one were looked at in this round */
	int64_t next_ms; /* monotonic; nothing to do before */
	unsigned table;
};

/* One small batch. 1 = much of it went, there may be more; 0 = the next turn can wait. */
int prune_turn(struct prune *p, struct pg *pg, int ledger_days, struct err *e);

#endif
