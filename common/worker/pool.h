/* SPDX-License-Identifier: MIT */
/* pool: the children of a worker, as its parent sees them.
 *
 * Up to SLOT_COUNT short tasks are handed to a child at once, long ones go one at a time. What a
 * child has not started is taken back when the task before it turns out long. Limits (soft:
 * SIGUSR1, hard: SIGKILL) and deaths belong to the slot that is RUNNING.
 * A delivery that was handed over comes back by exactly one of the callbacks. */
#ifndef COMMON_WORKER_POOL_H
#define COMMON_WORKER_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/store/ledger.h"
#include "common/worker/child.h"

struct delivery;
struct pool;

struct pool_done {
	enum child_verdict verdict;
	enum ledger_outcome outcome;
	int64_t delay_ms, run_us;
	const char *reason;		/* borrowed; may be NULL */
};

struct pool_conf {
	void *loop;
	struct slot_row *slots;
	int max_tasks_per_child;	/* 0 = no recycling */
	void *ctx;
	void (*on_done)(void *ctx, struct delivery *d, const struct pool_done *done);
	/* The child died while it ran d; hard: by its hard limit. cause says how, for people. */
	void (*on_lost)(void *ctx, struct delivery *d, bool hard, const char *cause);
	void (*on_untouched)(void *ctx, struct delivery *d);	/* never started */
	void (*fork)(void *ctx, int row);		/* ask the zygote */
};

struct pool *pool_new(const struct pool_conf *conf);
void pool_free(struct pool *p);
void pool_resize(struct pool *p, int children);
void pool_forked(struct pool *p, int row, pid_t pid, int fd, int pidfd);
void pool_exited(struct pool *p, int row, int status);
void pool_tell_conf(struct pool *p, const char *path);	/* now, and every child to come */

/* The child that should get the next task: an idle one, or for a short task one whose work is all
 * short and that has a slot free; -1 = none. */
int pool_room(const struct pool *p, bool is_short);
void pool_hand(struct pool *p, int child, struct delivery *d, const char *queue, int64_t soft_ms,
	       int64_t hard_ms, bool is_short);
bool pool_runs(const struct pool *p, const char *task_id);

/* About every 20 ms while anything runs: limits, take-backs. */
void pool_tick(struct pool *p);
void pool_flush(struct pool *p);	/* at the end of each loop turn */
size_t pool_busy(const struct pool *p);	/* deliveries handed over */
int pool_children(const struct pool *p);	/* alive */
int pool_ready(const struct pool *p);	/* as many as wanted? */
pid_t pool_pid(const struct pool *p, int i);	/* 0 = not there */
/* No new forks; idle children quit, busy ones when they are done. */
void pool_stop(struct pool *p);
/* The zygote is gone: no pool_exited comes any more, a child's end of file is its end. */
void pool_orphan(struct pool *p);
void pool_kill(struct pool *p);		/* SIGKILL to all */

#endif
