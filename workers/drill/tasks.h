/* SPDX-License-Identifier: MIT */
/* tasks: the handlers of the drill, by file. Each is a task_fn (common/worker/run.h); main.c's
 * table says their names and parameters, jobfleet.drill_parts which effects each leaves. All
 * answer n, but for link and sum, whose answers are made of what came before. */
#ifndef DRILL_TASKS_H
#define DRILL_TASKS_H

#include "common/worker/run.h"

/* single.c: what a task does by itself. once: short and scheduled ones. */
task_fn single_once, single_long, single_retried, single_steps;

/* follow.c: what a task lets others do. Those that follow: member, link, sum. */
task_fn follow_spawn, follow_pipeline, follow_chain, follow_group, follow_chord;
task_fn follow_member, follow_link, follow_sum;

#endif
