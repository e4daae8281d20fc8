/* SPDX-License-Identifier: MIT */
/* pipeline: the tasks of the processing program.
 *
 * jobfleet.process_collection(collection_id, reprocess=false): one raw collection into
 * processed_job_data, in one transaction with its log row, the collection's status and the loading
 * task. The collection's row is locked, so the same collection processed twice at once has one
 * effect: the second finds it done and answers status "already_processed". reprocess does it again.
 *
 * jobfleet.reprocess(collection_id=null, failed=false, pending=false, limit=1000, outdated=false,
 * after=null): enqueues process_collection at low priority for one collection, for the failed and
 * partial ones, for those that nobody took up for ten minutes, or (outdated) for all that were last
 * processed by the rules of another version: those in batches of limit, each enqueuing the next.
 *
 * jobfleet.check_quality(hours=24): figures of the last hours beside their thresholds; raises an
 * alert for each that is missed. */
#ifndef WORKERS_PROCESSING_PIPELINE_H
#define WORKERS_PROCESSING_PIPELINE_H

#include "common/worker/run.h"

task_fn process_collection, reprocess, check_quality;

#endif
