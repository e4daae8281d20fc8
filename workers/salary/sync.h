/* SPDX-License-Identifier: MIT */
/* sync: the task sync_salary_data(occupations=[…], locations=[…], force=false, max_calls=250).
 *
 * Brings the figures of all sources for all occupations × locations (those of queues.conf when none
 * are named) into the tables and the cache, as if each pair had been fetched, with as few calls as
 * the sources allow (errand.h): a pair's sources are asked on paper first (question.h), what they
 * want of all pairs goes out together, and so on until nothing more is wanted: pairs without a
 * figure for their metro want their state then, and the nation. A fetch of a synced pair is a hit.
 * Skipped, unless force is given: pairs stored in the last 12 hours, and parts of the sources that
 * are still fresh (shelf.h). Killed at any point, a repeat goes on where it was; two at once ask
 * for nothing twice. update_confidence_scores follows for every location that got figures. Answer:
 * {"status", "pairs", "fresh", "synced", "unanswered" (nobody publishes a median), "remaining",
 * "calls", "least_calls" (the fewest that could have brought what was bought), "calls_by_source",
 * "least_calls_by_source", "processing_time_ms", "warnings"}. When BLS may not be asked (quota,
 * parked) or max_calls is reached, what is left is remaining, told in warnings; another source in
 * trouble is told and done without, as by a fetch. Nothing at all synced or fresh because BLS fails
 * is its error, retried by the runtime. */
#ifndef SALARY_SYNC_H
#define SALARY_SYNC_H

#include <cjson/cJSON.h>

struct err;
struct run;

int sync_salary_data(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
