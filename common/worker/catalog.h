/* SPDX-License-Identifier: MIT */
/* catalog: the tasks of this program with the options that hold: queues.conf over the task table
 * over the fleet's defaults. Read-only between reloads; a reload swaps the whole catalog. */
#ifndef COMMON_WORKER_CATALOG_H
#define COMMON_WORKER_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/conf.h"
#include "common/worker/run.h"

struct catalog_task {
	const struct task *task;
	const char *queue;
	int priority;			/* of messages we enqueue; MESSAGE_NO_PRIORITY */
	int64_t soft_ms, hard_ms;	/* 0 = none */
	int max_retries;		/* 0 = never */
	int64_t backoff_ms, backoff_max_ms;
	bool backoff_fixed;
	enum conf_retry_on retry_on;
	bool ledger, redeliver, ignore_result, track_started;
	bool builtin;			/* Celery's own name (builtin.h) */
	/* Limits of the start (admit.h); see struct conf_task. */
	double rate_per_s;		/* 0 = none */
	bool rate_at_fetch, rate_per_worker;
	int rate_burst, concurrency_limit;
	const char *concurrency_key;	/* "" = none */
	int rate_stamp;			/* the rate that was last seen in force */
	bool rate_known;
	/* What remote control set goes before queues.conf, until the worker ends; -1 = nothing. */
	int64_t control_soft_ms, control_hard_ms;	/* 0 = none */
	double control_rate_per_s;	/* 0 = none */
	int64_t done;			/* settled since the start */
	double run_us;			/* measured: moving average of run times; 0 = not yet */
};

struct catalog {
	struct catalog_task *tasks;
	size_t n;
};

void catalog_init(struct catalog *c, const struct conf *conf, const char *program,
		  const struct task *tasks, size_t n);
void catalog_release(struct catalog *c);
/* Overrides and measurements of the old one stay. */
void catalog_inherit(struct catalog *c, const struct catalog *old);
int64_t catalog_soft_ms(const struct catalog_task *t);
int64_t catalog_hard_ms(const struct catalog_task *t);
double catalog_rate(const struct catalog_task *t);	/* a second; 0 = none */
struct catalog_task *catalog_find(const struct catalog *c, const char *name);	/* NULL: not ours */
/* Milliseconds to the next attempt: exponential with full jitter (AWS Architecture Blog,
 * "Exponential Backoff And Jitter"), or the fixed distance; retry_after_ms > 0 is a lower bound. */
int64_t catalog_backoff_ms(const struct catalog_task *t, int retries, int64_t retry_after_ms);

#endif
