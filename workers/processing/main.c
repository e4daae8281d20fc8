/* SPDX-License-Identifier: MIT */
/* jobfleet-processing: raw collections into normalised, checked, de-duplicated postings. */
#include "common/worker/worker.h"
#include "workers/processing/lexicon.h"
#include "workers/processing/pipeline.h"
#include "workers/processing/revector.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

static const struct task TASKS[] = {
	{
		.name = "jobfleet.process_collection",
		.params = PARAMS("collection_id", "reprocess?=false"),
		.fn = process_collection,
		.soft_ms = 9 * MINUTE_MS,
		.hard_ms = 10 * MINUTE_MS,
		.retry_backoff_ms = 2 * SECOND_MS,
		.retry_backoff_max_ms = 5 * MINUTE_MS,
	},
	{
		.name = "jobfleet.reprocess",
		.params =
			PARAMS("collection_id?", "failed?=false", "pending?=false", "limit?=1000",
			       "outdated?=false", "after?"),
		.fn = reprocess,
	},
	{
		.name = "jobfleet.embed_postings",
		.params = PARAMS("processing_id"),
		.fn = embed_postings,
		.soft_ms = 9 * MINUTE_MS,
		.hard_ms = 10 * MINUTE_MS,
		.max_retries = 20,
		.retry_backoff_ms = 10 * SECOND_MS,
		.retry_backoff_max_ms = 10 * MINUTE_MS,
	},
	{
		.name = "jobfleet.check_quality",
		.params = PARAMS("hours?=24"),
		.fn = check_quality,
	},
};

int main(int argc, char **argv)
{
	lexicon_prepare();	/* before the fork: children share its pages */
	return worker_main(argc, argv, "processing", TASKS, COUNT(TASKS));
}
