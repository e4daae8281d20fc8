/* SPDX-License-Identifier: MIT */
/* tasks: the handlers of the conformance worker, by file. Each is a task_fn: run.h (common/worker)
 * says what it gets and returns, main.c's table under which name and with which parameters. */
#ifndef TESTS_WORKERS_CONFORMANCE_TASKS_H
#define TESTS_WORKERS_CONFORMANCE_TASKS_H

#include "common/worker/run.h"

/* values.c: answers made of the arguments or of the message */
task_fn values_add, values_multiply, values_sum, values_identity, values_repeat, values_large,
	values_bytes, values_message, values_sleep, values_progress;

/* faults.c: every way to fail or to die */
task_fn faults_fail, faults_retry, faults_exit, faults_kill, faults_memory, faults_stubborn;

/* canvas.c: canvases built inside, and other ends */
task_fn canvas_replace, canvas_replace_by, canvas_build, canvas_ignore, canvas_reject;

/* marks.c: effects that are counted from outside */
task_fn marks_database, marks_redis, marks_steps, marks_spawn, marks_errback;

#endif
