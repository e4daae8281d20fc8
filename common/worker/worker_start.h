/* SPDX-License-Identifier: MIT */
/* worker_start: from the command line to a running worker; reload. */
#ifndef COMMON_WORKER_WORKER_START_H
#define COMMON_WORKER_WORKER_START_H

#include "common/worker/slot.h"

struct worker;

enum { WORKER_KEEPER_ROW = SLOT_MAX_CHILDREN };	/* not a row of the pool */

int worker_run(struct worker *w);	/* worker.c: the loop; the exit code */
void worker_reload(struct worker *w);
int worker_max_tasks(const struct worker *w);
int64_t worker_max_memory(const struct worker *w);	/* bytes; 0 = no bound */

#endif
