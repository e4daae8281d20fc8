/* SPDX-License-Identifier: MIT */
/* jobfleet-drill: tasks that leave traces to be counted, for `jobfleet drill` and tests/drill. */
#include "common/worker/worker.h"
#include "workers/drill/tasks.h"

/* A drill kills and cuts for minutes: what fails by that may try as often as it takes. */
enum { TRIES = 1000, BACKOFF_MS = 200, BACKOFF_MOST_MS = 2000 };

#define TASK(name, fn, ...) \
	{ "drill." name, PARAMS("run", "root", "n:int?=1", "work_ms:int?=0", __VA_ARGS__), fn, \
	  .queue = "drill", .max_retries = TRIES, .retry_backoff_ms = BACKOFF_MS, \
	  .retry_backoff_max_ms = BACKOFF_MOST_MS }

static const struct task TASKS[] = {
	TASK("short", single_once, NULL),
	TASK("long", single_long, NULL),
	TASK("scheduled", single_once, NULL),
	TASK("retried", single_retried, NULL),
	TASK("steps", single_steps, NULL),
	TASK("spawn", follow_spawn, NULL),
	TASK("pipeline", follow_pipeline, "stage:int?=1"),
	TASK("chain", follow_chain, NULL),
	TASK("group", follow_group, NULL),
	TASK("chord", follow_chord, NULL),
	TASK("member", follow_member, "i:int", "word?=\"member\""),
	{ "drill.link", PARAMS("value:int", "run", "root", "i:int"), follow_link, .queue = "drill",
	  .max_retries = TRIES, .retry_backoff_ms = BACKOFF_MS,
	  .retry_backoff_max_ms = BACKOFF_MOST_MS },
	{ "drill.sum", PARAMS("numbers:list", "run", "root"), follow_sum, .queue = "drill",
	  .max_retries = TRIES, .retry_backoff_ms = BACKOFF_MS,
	  .retry_backoff_max_ms = BACKOFF_MOST_MS },
};

int main(int argc, char **argv)
{
	return worker_main(argc, argv, "drill", TASKS, COUNT(TASKS));
}
