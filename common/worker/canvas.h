/* SPDX-License-Identifier: MIT */
/* canvas: what a task's message says must follow its end (celery-wire 3.2 and 3.5).
 *
 * After success: the callbacks (one is applied as it is; of several each group by itself and the
 * rest as one new group), then the next step of the chain. After failure: the errbacks, as one new
 * group, and the steps that never run. A join's end (joiner.h) uses the same for its body. */
#ifndef COMMON_WORKER_CANVAS_H
#define COMMON_WORKER_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/raw.h"

struct apply;
struct arena;
struct buf;
struct err;
struct signature;

/* The embed of a message; RAW_NONE: absent or null. */
struct canvas {
	struct raw callbacks, errbacks, chain, chord;
};

/* Fast for the embed of a plain task, which holds nulls only. */
int canvas_read(struct raw embed, struct canvas *ret, struct err *e);

/* The task that ended. */
struct canvas_task {
	const char *id, *name, *root_id, *parent_id;	/* all but id may be NULL */
	int priority;			/* what follows inherits; less than 0: nothing */
};

/* Fills a's outbox, and children with comma separated result tuples. */
int canvas_succeed(struct apply *a, const struct canvas *c, const struct canvas_task *t,
		   struct raw result, struct buf *children, struct err *e);
/* error: {exc_type, …}; traceback: a JSON string or null. They go to errbacks of this program that
 * take more than the failed task's id. */
int canvas_fail(struct apply *a, struct raw errbacks, const struct canvas_task *t,
		struct raw error, struct raw traceback, struct err *e);

/* A task that never runs: its FAILURE is stored, and counted where it is part of a chord. */
struct canvas_loss {
	const char *id;
	const char *group_id;		/* NULL: none */
	int group_index;		/* -1: none */
	struct raw chord;		/* RAW_NONE: no part of a chord */
};

struct canvas_losses {
	struct canvas_loss *list;
	size_t n, room;
};

/* Into a's arena: every step that a chain's list still holds; of a chord its body. */
int canvas_lose_chain(struct apply *a, struct raw chain, struct canvas_losses *ret, struct err *e);
void canvas_lose(struct apply *a, const struct signature *s, struct canvas_losses *ret);

#endif
