/* SPDX-License-Identifier: MIT */
/* collect: the tasks of the collection program.
 *
 * jobfleet.collect_jobs(query, location?, page?, num_pages?, source?, strategy?, priority?,
 * max_retries?, retry_count?, run_id?, results?, country?, language?, date_posted?, remote?)
 * answers {status, run_id, source, collection_ids, job_count, new_jobs, pages, api_calls_used,
 * stopped, …}; status is success, partial (parked on the way, or some questions refused: errors),
 * or parked (nothing was called: reason, retry_after_s). order.h has the arguments' forms.
 * A source without its key: development collects the sample data ("demo": true), production parks
 * the source.
 *
 * jobfleet.run_pipeline(query, location?, results?, source?, priority?, …) starts collection,
 * processing and loading under one run id, its own task id, and answers it at once.
 *
 * jobfleet.pick_up_raw() takes in what was kept in files. */
#ifndef WORKERS_COLLECTION_COLLECT_H
#define WORKERS_COLLECTION_COLLECT_H

#include <cjson/cJSON.h>

struct err;
struct run;

int collect_jobs(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);
int collect_pipeline(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);
int collect_pick_up(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
