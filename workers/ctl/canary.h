/* SPDX-License-Identifier: MIT */
/* canary: replayed dead letters whose end decides whether the others follow.
 *
 * A canary has ended well when its task's new generation succeeded (or was ignored); badly when it
 * ended in any other way or stands among the dead letters again. The ledger is asked, and Redis for
 * tasks without a ledger. */
#ifndef CTL_CANARY_H
#define CTL_CANARY_H

#include <stddef.h>
#include <stdint.h>

struct ctl;
struct err;

enum canary_state { CANARY_FLIES, CANARY_LIVES, CANARY_DEAD };

struct canary {
	int64_t letter;
	char *task_id;
	int generation;
	enum canary_state state;
	char *why;			/* of CANARY_DEAD: how it ended */
};

/* Looks at all of them until none flies or the time (monotonic ms) is over; how many still fly. */
int canary_watch(struct canary *all, size_t n, struct ctl *c, int64_t deadline_ms, struct err *e);
void canary_release(struct canary *all, size_t n);

#endif
