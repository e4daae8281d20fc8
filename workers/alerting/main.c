/* SPDX-License-Identifier: MIT */
/* jobfleet-alerting: tells people and programs of alerts. Limits stand in queues.conf.
 *
 * The task keeps no ledger: it must run while PostgreSQL is away, which may be the very thing that
 * it tells of. What was told is remembered by the notice's id (told.h). */
#include "common/worker/worker.h"
#include "workers/alerting/deliver.h"

static const struct task TASKS[] = {
	{ DELIVER_TASK, PARAMS("notice:object"), deliver_alert, .queue = "alerts",
	  .soft_ms = 50000, .hard_ms = 60000, .max_retries = DELIVER_RETRIES,
	  .retry_backoff_ms = 10000, .retry_backoff_max_ms = 600000, .no_ledger = true,
	  .ignore_result = true },
};

int main(int argc, char **argv)
{
	return worker_main(argc, argv, "alerting", TASKS, COUNT(TASKS));
}
