/* SPDX-License-Identifier: MIT */
/* jobfleet-confidence: how far each figure can be trusted. Limits stand in queues.conf. */
#include "common/worker/worker.h"
#include "workers/confidence/update.h"

static const struct task TASKS[] = {
	{ "backend.tasks.salary_data_tasks.update_confidence_scores",
	  PARAMS("location", "occupation?=null"), update_confidence_scores,
	  .queue = "confidence_scores", .soft_ms = 1500000, .hard_ms = 1800000, .max_retries = 2,
	  .retry_backoff_ms = 300000 },
};

int main(int argc, char **argv)
{
	return worker_main(argc, argv, "confidence", TASKS, COUNT(TASKS));
}
