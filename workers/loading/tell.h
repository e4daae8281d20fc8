/* SPDX-License-Identifier: MIT */
/* tell: who hears of a load, with its commit and not without it.
 *
 * NOTIFY jobfleet_loaded with {"processing_id", "collection_id", "run_id", "inserted", "updated",
 * "job_ids"}: TELL_NOTIFY_IDS at most, as a notification holds 8,000 bytes. All of them are
 * SELECT job_id FROM processed_job_data WHERE processing_id = … AND load_status = 'loaded'.
 * Each task that load_subscribers (queues.conf) names is called with kwargs {run_id, processing_id,
 * job_ids, part, parts}: TELL_TASK_IDS ids a call, none where nothing was inserted or updated. One
 * whose queue nobody knows is logged and passed over: a load never waits for its listeners.
 * Beside them jobfleet.settle_load(processing_id), see settle.h, after every load that changed
 * something. */
#ifndef WORKERS_LOADING_TELL_H
#define WORKERS_LOADING_TELL_H

struct err;
struct pg;
struct run;

enum { TELL_NOTIFY_IDS = 100, TELL_TASK_IDS = 1000 };

struct tidings {
	struct pg *pg;			/* in the load's transaction, with load_staging */
	const char *processing_id, *collection_id, *run_id;
	int inserted, updated;
};

int tell(struct run *run, const struct tidings *t, struct err *e);

#endif
