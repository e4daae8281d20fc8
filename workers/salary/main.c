/* SPDX-License-Identifier: MIT */
/* jobfleet-salary: salary and market data, their cache and its upkeep. Limits, priorities and
 * retries of these tasks stand in queues.conf. */
#include "common/worker/worker.h"
#include "workers/salary/fetch.h"
#include "workers/salary/refresh.h"
#include "workers/salary/sync.h"
#include "workers/salary/upkeep.h"

#define NAME(task) "backend.tasks.salary_data_tasks." task

static const struct task TASKS[] = {
	{ NAME("fetch_salary_data"), PARAMS("request_data"), fetch_salary_data,
	  .queue = "salary_data", .soft_ms = 240000, .hard_ms = 300000, .max_retries = 3,
	  .retry_backoff_ms = 60000 },
	{ NAME("refresh_salary_cache"),
	  PARAMS("cache_pattern:str?=\"salary_data:*\"", "max_refreshes:int?", "max_calls:int?"),
	  refresh_salary_cache, .queue = "salary_data", .soft_ms = 540000, .hard_ms = 600000,
	  .max_retries = 2, .retry_backoff_ms = 120000 },
	{ NAME("cleanup_expired_cache"), PARAMS(NULL), cleanup_expired_cache, .queue = "monitoring",
	  .soft_ms = 240000, .hard_ms = 300000 },
	{ NAME("monitor_cache_performance"), PARAMS(NULL), monitor_cache_performance,
	  .queue = "monitoring", .soft_ms = 50000, .hard_ms = 60000 },
	{ NAME("sync_salary_data"),
	  PARAMS("occupations?", "locations?", "force?=false", "max_calls:int?"),
	  sync_salary_data, .queue = "analytics", .soft_ms = 1500000, .hard_ms = 1560000 },
};

int main(int argc, char **argv)
{
	return worker_main(argc, argv, "salary", TASKS, COUNT(TASKS));
}
