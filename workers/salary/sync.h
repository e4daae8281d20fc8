/* SPDX-License-Identifier: MIT */
/* sync: the task sync_salary_data(occupations=[…], locations=[…], force=false, max_calls=60).
 *
 * Brings the OEWS figures of all occupations × locations into salary_benchmarks with as few calls
 * as the service allows: 7 series a pair, 7 pairs a call with a key, 3 without. Pairs without a
 * figure for their metro are asked for their state, those left for the nation; pairs that share a
 * wider area share its series. Pairs stored within the last week are skipped unless force is given.
 * Each call is a step with its rows: a repeat goes on after the last one. update_confidence_scores
 * follows for every location that got figures.
 * Answer: {"status", "pairs", "fresh", "synced", "unanswered", "remaining", "calls",
 * "processing_time_ms", "warnings"}; when the source may not be asked (quota, parked) or max_calls
 * is reached, what is left is remaining, told in warnings. Nothing at all synced or fresh is the
 * source's error, retried by the runtime. */
#ifndef SALARY_SYNC_H
#define SALARY_SYNC_H

#include <cjson/cJSON.h>

struct err;
struct run;

int sync_salary_data(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
