/* SPDX-License-Identifier: MIT */
/* load: jobfleet.load_processed(processing_id): one processing into the main tables, in one
 * transaction: staged by COPY, merged by sets (merge.h), statuses set, NOTIFY jobfleet_loaded with
 * {"processing_id", "collection_id", "inserted", "updated", "job_ids"} (LOAD_NOTIFY_IDS at most).
 * The log row is locked, so loading twice at once has one effect: the second answers status
 * "already_loaded". Answers {inserted, updated, unchanged, duplicates, failed}. */
#ifndef WORKERS_LOADING_LOAD_H
#define WORKERS_LOADING_LOAD_H

#include "common/worker/run.h"

enum { LOAD_NOTIFY_IDS = 100 };	/* a notification holds 8,000 bytes */

task_fn load_processed;

#endif
