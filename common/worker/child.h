/* SPDX-License-Identifier: MIT */
/* child: the process that runs tasks, one at a time, in plain blocking C.
 *
 * FRAME_TASK   u32 slot, u32 serial, u32 flags, i64 soft_ms, i64 hard_ms (0 = none), str queue,
 *              bytes props, bytes body
 * FRAME_DONE   u32 slot, u32 serial, u32 verdict, u32 outcome, i64 delay_ms, i64 run_us, str reason
 * FRAME_CONF   str path: settings were reloaded */
#ifndef COMMON_WORKER_CHILD_H
#define COMMON_WORKER_CHILD_H

#include <stddef.h>

#include "common/worker/slot.h"

struct conf;
struct task;

enum { CHILD_ASK_LEDGER = 1 };		/* flags: delivered before, the ledger may know it */

enum child_verdict {
	CHILD_SETTLED,
	CHILD_AGAIN,			/* run it again in delay_ms; reason says why */
	CHILD_DEAD,			/* not decoded, or not served: nothing was settled, dead-letter it */
};

/* What every process of one worker knows. Borrowed for ever. */
struct program {
	const char *name;		/* "salary" */
	const char *process;		/* "jobfleet-salary" */
	const char *node;		/* "salary@host" */
	int parent;			/* pid of the worker itself */
	const struct task *tasks;
	size_t ntasks;
	struct conf *conf;
	struct slot_row *slots;
};

/* Serves fd until it closes; the exit code. */
int child_main(struct program *program, int row, int fd);

#endif
