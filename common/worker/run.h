/* SPDX-License-Identifier: MIT */
/* run: one task's run, as its handler sees it.
 *
 * A handler is plain synchronous C in a child process:
 *
 *	static int add(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
 *
 * args is an object with one entry per declared parameter (defaults filled in, checked; an
 * optional parameter without default that was not given is absent). It returns 0 and may set
 * *ret_result (taken over; NULL = null), or a negative code with e filled: a transient code
 * is retried by itself with backoff (e->retry_after_ms honoured), a permanent one fails the task;
 * e->exc_type becomes the exception class that a Celery client sees.
 *
 * Effects happen once: everything written through run_db and everything run_enqueue'd becomes
 * visible together with the ledger row, in one transaction that the runtime commits after the
 * handler returned 0, and rolls back otherwise. Fetch first, then write: the transaction opens at
 * the first run_db and must not be held over a network wait (it is cut after 5 s idle).
 * Effects elsewhere (foreign APIs) can repeat after a crash: give them run_idempotency_key, or
 * make each a step. Nothing here may be used after the handler returned. */
#ifndef COMMON_WORKER_RUN_H
#define COMMON_WORKER_RUN_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct conf;
struct err;
struct http;
struct message;
struct pg;
struct redis;
struct run;

typedef int task_fn(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#define TASK_MAX_PARAMS 24

/* One row of a program's task table. Zero means the fleet's default; queues.conf's task block
 * wins over the table. A parameter is "name" (required), "name?" (optional), "name?=JSON"
 * (default), each also with a type: "name:int", "name:list?", "name:str?=\"x\"" (str, int, number,
 * bool, list, object; an optional one may be null); "*" as last one: any further keyword arguments
 * are accepted. A call that does not fit fails with the TypeError that names the parameter. */
struct task {
	const char *name;
	const char *params[TASK_MAX_PARAMS];
	task_fn *fn;
	const char *queue;		/* NULL: the program's first queue in queues.conf */
	int64_t soft_ms, hard_ms;
	int max_retries;		/* 0: fleet.max_retries; -1: never */
	int64_t retry_backoff_ms, retry_backoff_max_ms;	/* 1 s, 10 min */
	bool no_ledger;			/* at least once: cheap, for tasks whose repeat does no harm */
	bool no_redeliver;		/* an interrupted run goes to the dead letters instead */
	bool ignore_result;
	bool track_started;
	const char *plain;		/* a queue on which a bare JSON object is a call (plain.h) */
};
#define PARAMS(...) { __VA_ARGS__ }

const char *run_id(const struct run *run);
const char *run_task(const struct run *run);
int run_retries(const struct run *run);
const struct conf *run_conf(const struct run *run);
const struct message *run_message(const struct run *run);	/* NULL with --run */
/* Stable over retries and redeliveries of this task, different for each name. */
const char *run_idempotency_key(struct run *run, const char *name);

/* PostgreSQL. run_db: in this run's transaction, opened by the first call. run_db_read: the same
 * connection without a transaction of its own (inside one if it is open). The handle stays the
 * runtime's: never commit, roll back or close it; savepoints are fine. */
int run_db(struct run *run, struct pg **ret, struct err *e);
int run_db_read(struct run *run, struct pg **ret, struct err *e);
int run_redis(struct run *run, struct redis **ret, struct err *e);
/* Cancelled by revoke, soft limit or shutdown of the process; bounded by the task's hard limit. */
int run_http(struct run *run, struct http **ret, struct err *e);

/* A follow-up task, published after the commit (with the transaction: if and only if it commits).
 * args and kwargs are raw JSON or NULL; queue NULL = by queues.conf; priority -1 = the task's;
 * delay_ms 0 = at once. ret_id (char[37]) may be NULL; the id is the same in every repeat. */
struct run_enqueue {
	const char *task, *args, *kwargs, *queue;
	int priority;
	int64_t delay_ms;
};
int run_enqueue(struct run *run, const struct run_enqueue *what, char *ret_id, struct err *e);

/* Steps: parts of a long task that a repeat skips. begin: 1 = done in an earlier run (*ret_saved is
 * what was saved then, may be NULL), 0 = do it now. commit: commits all effects and follow-ups so
 * far together with the step row; saved (may be NULL) is kept for the repeats. */
int run_step_begin(struct run *run, const char *name, cJSON **ret_saved, struct err *e);
int run_step_commit(struct run *run, const char *name, const cJSON *saved, struct err *e);

/* Visible to Celery clients as state PROGRESS {current, total, step}; at most 5 a second go out. */
void run_progress(struct run *run, int64_t done, int64_t total, const char *step);

/* True once the soft limit struck, the task was revoked, or the worker must go at once. Long loops
 * ask it and return run_cancel_error. */
bool run_cancelled(const struct run *run);
int run_cancel_error(const struct run *run, struct err *e);
int64_t run_left_ms(const struct run *run);	/* to the soft limit, else the hard one; INT64_MAX none */

/* Returned by a handler that wants to be run again in delay_ms, counting as a retry. */
int run_retry(struct run *run, int64_t delay_ms, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The error that the handler is about to return ends the task, as if its retries were used up: one
 * of a transient code becomes a dead letter. Limits still only make it wait. */
void run_last_try(struct run *run);

/* Canvas: signatures built inside a task, published with its commit as everything else.
 *
 *	struct signature *sum = run_chord(run,
 *		run_group(run, run_sig(run, "t.add", "[1, 2]", NULL),
 *			  run_sig(run, "t.add", "[3, 4]", NULL), NULL),
 *		run_sig(run, "t.xsum", NULL, NULL));
 *
 *	run_set(run, sum, "priority", "5");
 *	return run_apply(run, sum, &id, e);
 *
 * args, kwargs and the values of options are raw JSON, NULL = none; options are Celery's
 * (celery-wire 3.1: queue, countdown, eta, expires, priority, task_id, headers, time_limit …).
 * Signatures belong to the run, each to one other at most; none may be changed after its apply.
 * What is wrong in one is said by run_apply and run_replace. */
struct signature;
struct signature *run_sig(struct run *run, const char *task, const char *args,
			  const char *kwargs);
/* One that came as an argument; json is the signature's text. */
int run_sig_read(struct run *run, const char *json, struct signature **ret, struct err *e);
struct signature *run_chain(struct run *run, ...) __attribute__((sentinel));	/* steps, NULL */
struct signature *run_group(struct run *run, ...) __attribute__((sentinel));	/* members, NULL */
void run_add(struct run *run, struct signature *to, struct signature *step);	/* chain, group */
struct signature *run_chord(struct run *run, struct signature *group, struct signature *body);
void run_set(struct run *run, struct signature *s, const char *option, const char *json);
void run_set_immutable(struct signature *s);	/* takes no results of others as arguments */
void run_link(struct run *run, struct signature *s, struct signature *callback);
void run_link_error(struct run *run, struct signature *s, struct signature *errback);
/* *ret_id (may be NULL; borrowed from the run): where the result will stand; a group's own id. */
int run_apply(struct run *run, struct signature *s, const char **ret_id, struct err *e);

/* Other ends than a result or an error; a handler returns what these return, at once.
 * replace: s takes this task's place: its id, its chain, chord, callbacks and group; of a group
 * the list of its results is the task's. Effects and follow-ups so far hold.
 * ignore: nothing is stored, and nothing follows. Effects and follow-ups so far hold.
 * reject: nothing of this run holds. requeue gives the message back to the broker (nothing counts
 * how often); else it becomes a dead letter, and nothing is stored. */
int run_replace(struct run *run, struct signature *s, struct err *e);
int run_ignore(struct run *run, struct err *e);
int run_reject(struct run *run, bool requeue, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Outside a worker (--run on the command line, unit tests of handlers): a run against scratch
 * services. message and ledger are absent; run_close commits when keep is true. */
int run_open(struct run **ret, const struct conf *conf, const struct task *task, const char *id,
	     struct err *e);
int run_close(struct run *run, bool keep, struct err *e);

#endif
