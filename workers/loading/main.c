/* SPDX-License-Identifier: MIT */
/* jobfleet-loading: processed postings into the main tables, and what keeps those up. */
#include "common/worker/worker.h"
#include "workers/loading/expire.h"
#include "workers/loading/load.h"
#include "workers/loading/settle.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

static const struct task TASKS[] = {
	{
		.name = "jobfleet.load_processed",
		.params = PARAMS("processing_id"),
		.fn = load_processed,
		.soft_ms = 9 * MINUTE_MS,
		.hard_ms = 10 * MINUTE_MS,
		.retry_backoff_ms = 2 * SECOND_MS,
		.retry_backoff_max_ms = 5 * MINUTE_MS,
	},
	{
		.name = "jobfleet.settle_load",
		.params = PARAMS("processing_id"),
		.fn = settle_load,
		.soft_ms = 9 * MINUTE_MS,
		.hard_ms = 10 * MINUTE_MS,
		.ignore_result = true,
	},
	{
		.name = "jobfleet.expire_postings",
		.fn = expire_postings,
		.soft_ms = 29 * MINUTE_MS,
		.hard_ms = 30 * MINUTE_MS,
	},
	{
		.name = "jobfleet.refresh_posting_salaries",
		.params = PARAMS("all:bool?=false"),
		.fn = refresh_posting_salaries,
		.soft_ms = 29 * MINUTE_MS,
		.hard_ms = 30 * MINUTE_MS,
	},
};

int main(int argc, char **argv)
{
	return worker_main(argc, argv, "loading", TASKS, COUNT(TASKS));
}
