/* SPDX-License-Identifier: MIT */
/* collect: the tasks of the collection program; jobfleet.run_pipeline stands in stages.h.
 *
 * jobfleet.collect_jobs(query, location?, page?, num_pages?, source?, strategy?, priority?,
 * max_retries?, retry_count?, run_id?, results?, refresh?, country?, language?, date_posted?,
 * employment_types?, remote?) answers {status, run_id, source, collection_ids, job_count, new_jobs,
 * pages, api_calls_used, fresh, unchanged, stopped, sources, …}; status is success, partial (parked
 * or failed on the way, or some questions refused: errors), or parked (nothing was called: reason,
 * retry_after_s). sources has the same of each source. order.h has the arguments' forms, plan.h
 * says which sources are asked what.
 * A question that was answered well within its source's fresh_for costs no call: the stored
 * answer's id is in collection_ids, its page counts in fresh. refresh=true asks all the same.
 * strategy: on_demand and batch ask all questions; scheduled spreads a quota over its month
 * (rota.h); incremental asks for what came since the last success (watermark.h). Both of these call
 * again when an answer has reached three quarters of fresh_for, since what comes round at that very
 * distance would else find its own last answers.
 * A source that is down (circuit open, key refused, quota used up, last try failed) gives way to
 * its `backup`. Of several sources one that fails does not stop the others: the task is retried for
 * it, and ends partial with the last try.
 * A source without its key: development collects the sample data ("demo": true), production parks
 * the source with an alert.
 *
 * jobfleet.pick_up_raw() takes in what was kept in files, and lets old copies expire (copies.h). */
#ifndef WORKERS_COLLECTION_COLLECT_H
#define WORKERS_COLLECTION_COLLECT_H

#include <cjson/cJSON.h>

struct err;
struct order;
struct run;

int collect_jobs(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);
/* The same for an order that was read; run_id NULL: its own, else the task's. */
int collect_order(struct run *run, const struct order *order, const char *run_id,
		  cJSON **ret_result, struct err *e);
int collect_pick_up(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
