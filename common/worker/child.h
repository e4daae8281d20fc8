/* SPDX-License-Identifier: MIT */
/* child: the process that runs tasks, one at a time, in plain blocking C.
 *
 * FRAME_TASK   u32 slot, u32 serial, u32 flags, i64 soft_ms, i64 hard_ms (0 = none), str queue,
 *              bytes props, bytes body
 * FRAME_DONE   u32 slot, u32 serial, u32 verdict, u32 outcome, i64 delay_ms, i64 run_us,
 *              str reason, str event_text, str event_trace (what the task's events say: repr of
 *              the result or of the exception, at most 1024 characters; NULL unless CHILD_EVENTS
 *              was set), i64 rss_kib (resident size after the task; 0 = not read: it is read every
 *              16 tasks and after each that ran over 10 ms)
 * FRAME_CONF   str path: settings were reloaded */
#ifndef COMMON_WORKER_CHILD_H
#define COMMON_WORKER_CHILD_H

#include <stddef.h>

#include "common/worker/slot.h"

struct conf;
struct task;

/* flags of FRAME_TASK */
enum {
	CHILD_ASK_LEDGER = 1,		/* delivered before: the ledger may know it */
	CHILD_EVENTS = 2,		/* somebody listens: say what the events need */
};

enum child_verdict {
	CHILD_SETTLED,
	CHILD_AGAIN,			/* run it again in delay_ms; reason says why */
	CHILD_UNENDED,			/* the same, but by its own fault: counted as a start */
	CHILD_DEAD,			/* not decoded, or not served: nothing was settled, dead-letter it */
	CHILD_REQUEUE,			/* the task rejected it: give it back to the broker */
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
