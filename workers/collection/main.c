/* SPDX-License-Identifier: MIT */
/* jobfleet-collection: fetches postings from provider APIs and keeps every raw answer. */
#include "common/worker/worker.h"
#include "workers/collection/collect.h"
#include "workers/collection/stages.h"

enum { MINUTE_MS = 60 * 1000 };

static const struct task TASKS[] = {
	{
		.name = "jobfleet.collect_jobs",
		.params = PARAMS("query", "location?", "page?=1", "num_pages?", "source?",
				 "strategy?", "priority?", "max_retries?", "retry_count?=0",
				 "run_id?", "results?", "refresh?", "country?", "language?", "date_posted?",
				 "employment_types?", "remote?", "job_ids?"),
		.fn = collect_jobs,
		.plain = "job_collection_requests",
		.soft_ms = 15 * MINUTE_MS,
		.hard_ms = 16 * MINUTE_MS,
		.retry_backoff_ms = 2000,
		.retry_backoff_max_ms = 5 * MINUTE_MS,
	},
	{
		.name = "jobfleet.run_pipeline",
		.params = PARAMS("query", "location?", "results?", "source?", "priority?",
				 "num_pages?", "strategy?", "refresh?", "country?", "language?",
				 "date_posted?",
				 "employment_types?", "remote?"),
		.fn = stages_run,
	},
	{
		.name = "jobfleet.pick_up_raw",
		.fn = collect_pick_up,
	},
};

int main(int argc, char **argv)
{
	return worker_main(argc, argv, "collection", TASKS, COUNT(TASKS));
}
