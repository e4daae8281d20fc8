/* SPDX-License-Identifier: MIT */
/* stages: one run of the whole pipeline under one id, from its order to its last loaded posting.
 *
 * The task collects by itself, then looks how far processing and loading are
 * (jobfleet.pipeline_state) until nothing waits any more. It looks for some seconds; a run that
 * takes longer gives its child back and comes again in two seconds (as a limited task does, which
 * counts as no retry), so that runs that wait keep no other collection from starting. After
 * STAGES_MAX_S it answers what there is, as partial. */
#ifndef WORKERS_COLLECTION_STAGES_H
#define WORKERS_COLLECTION_STAGES_H

#include <cjson/cJSON.h>

struct err;
struct run;

enum { STAGES_MAX_S = 1800 };

/* jobfleet.run_pipeline; its answer is collect_jobs' and the members of pipeline_state:
 * {"status", "run_id", "collection_ids", "answers", "collected", "processed", "refused",
 * "loaded", "duplicates", "failed_to_load", "errors", "dead_letters", "timings": {"collection_s",
 * "processing_s", "loading_s", "all_s"}, "sources", …}. */
int stages_run(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
