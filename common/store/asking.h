/* SPDX-License-Identifier: MIT */
/* asking: of equal questions under way at once one task has the lease and the others wait.
 *
 * A row of jobfleet.asking a question, as a lock of a session would not pass a pgbouncer and one of
 * Redis would be gone with it. Who dies with a lease holds up the others until it ends.
 * Errors: pg's. */
#ifndef COMMON_STORE_ASKING_H
#define COMMON_STORE_ASKING_H

#include <stdint.h>

struct err;
struct pg;

/* 1 = this task asks, for at most so long; 0 = another one is asking. Again by the same task: 1. */
int asking_lease(struct pg *p, const char *question, const char *task_id, int64_t ms,
		 struct err *e);
int asking_release(struct pg *p, const char *question, const char *task_id, struct err *e);
/* Takes away leases that ended long ago: of tasks that never came back. */
int asking_prune(struct pg *p, struct err *e);

#endif
