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
	const char *reason;		/* borrowed, as the next two; may be NULL */
	const char *event_text, *event_trace;	/* NULL unless CHILD_EVENTS was set */
	int64_t rss_kib;		/* of the child; 0 = not read this time */
};

struct pool_loss {
	bool hard;			/* killed by its hard limit */
	int terminated;			/* killed by pool_terminate, which named this signal; 0 = not */
	const char *cause;
};

struct pool_conf {
	void *loop;
	const char *program;		/* whose restarts the board counts; borrowed */
	struct slot_row *slots;
	int max_tasks_per_child;	/* 0 = no recycling */
	int64_t max_child_kib;		/* resident; a child that a task left larger is replaced; 0 = none */
	void *ctx;
	/* The child began; within about 20 ms, and always before one of the ends below. */
	void (*on_started)(void *ctx, struct delivery *d, pid_t pid);
	void (*on_done)(void *ctx, struct delivery *d, const struct pool_done *done);
	/* The child died while it ran d. cause says how, for people. */
	void (*on_lost)(void *ctx, struct delivery *d, const struct pool_loss *loss);
	void (*on_untouched)(void *ctx, struct delivery *d);	/* never started */
	void (*fork)(void *ctx, int row);		/* ask the zygote */
};

struct pool *pool_new(const struct pool_conf *conf);
void pool_free(struct pool *p);
void pool_resize(struct pool *p, int children);
void pool_forked(struct pool *p, int row, pid_t pid, int fd, int pidfd);	/* as zygote_event */
void pool_not_forked(struct pool *p, int row);		/* it is asked for again after a while */
void pool_exited(struct pool *p, int row, int status);
void pool_tell_conf(struct pool *p, const char *path);	/* now, and every child to come */

/* The child that should get the next task: an idle one, or for a short task one whose work is all
 * short and that has a slot free; -1 = none. */
int pool_room(const struct pool *p, bool is_short);
struct pool_hand {
	const char *queue;
	int64_t soft_ms, hard_ms;	/* 0 = none */
	uint32_t flags;			/* of child.h */
	bool is_short;
};
void pool_hand(struct pool *p, int child, struct delivery *d, const struct pool_hand *how);
bool pool_runs(const struct pool *p, const char *task_id);

/* Every delivery that was handed over; started_us: monotonic, 0 = not begun yet. */
typedef void pool_each_fn(void *ctx, struct delivery *d, pid_t pid, int64_t started_us);
void pool_each(const struct pool *p, pool_each_fn *fn, void *ctx);
/* Ends a task that runs: its child is killed, and on_lost says so. signal is only reported: a child
 * ignores what a terminal or systemd sends to the whole group. false: it does not run here. */
bool pool_terminate(struct pool *p, const char *task_id, int signal);
/* How long every child has been running one task, the shortest of them; 0 = some child is free. */
int64_t pool_stuck_ms(const struct pool *p);
int pool_idle(const struct pool *p);	/* children without work */

/* About every 20 ms while anything runs: limits, take-backs. */
void pool_tick(struct pool *p);
void pool_flush(struct pool *p);	/* at the end of each loop turn */
size_t pool_busy(const struct pool *p);	/* deliveries handed over */
bool pool_is_limited(const struct pool *p);	/* some task runs, inside its hard limit */
int pool_children(const struct pool *p);	/* alive */
int pool_ready(const struct pool *p);	/* as many as wanted? */
pid_t pool_pid(const struct pool *p, int i);	/* 0 = not there */
/* The zygote is gone: no pool_exited comes any more, a child's end of file is its end. */
void pool_orphan(struct pool *p);
void pool_kill(struct pool *p);		/* SIGKILL to all */

#endif
