/* SPDX-License-Identifier: MIT */
/* load: jobfleet.load_processed(processing_id): one processing into the main tables, in one
 * transaction of 300 s at most: staged by binary COPY (staging.h), merged by sets (merge.h),
 * statuses set, listeners told (tell.h).
 * The log row is locked, so loading twice at once has one effect: the second answers status
 * "already_loaded". Answers {inserted, updated, unchanged, duplicates, failed}. */
#ifndef WORKERS_LOADING_LOAD_H
#define WORKERS_LOADING_LOAD_H

#include "common/worker/run.h"

task_fn load_processed;

#endif
