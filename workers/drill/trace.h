/* SPDX-License-Identifier: MIT */
/* trace: what a task of the drill leaves for the accounting (sql/020_audit.sql).
 *
 * A part is one effect of the root task that the producer meant: "done", "step 2", "link 3". Every
 * task carries its run and root as arguments. */
#ifndef DRILL_TRACE_H
#define DRILL_TRACE_H

#include <cjson/cJSON.h>
#include <stdint.h>

struct err;
struct run;

/* Notes at once, in a transaction of its own, that a handler has begun. */
int trace_begin(struct run *run, const cJSON *args, const char *part, struct err *e);

/* The effect, in the run's transaction: there if and only if the task was settled. */
int trace_effect(struct run *run, const cJSON *args, const char *part, int64_t value,
		 struct err *e);

/* Spends that time, unless the run is cancelled. */
void trace_work(struct run *run, const cJSON *args);

#endif
