/* SPDX-License-Identifier: MIT */
/* fetch: the task fetch_salary_data, and the same for refresh.
 *
 * Way: read the request -> cache -> the only one to ask (flight.h) -> sources (network, no
 * transaction) -> one transaction with rows and tracking, the step "stored" -> cache -> answer. A
 * repeat after a crash finds the step done and answers from the tables, so no source is asked twice
 * for one task.
 * A stale answer is given at once and asked anew behind it (revalidate.h). When no source answers,
 * figures whose time is over stand in, marked, and bundled ones only where there are none. When one
 * does not answer that the stored median is from, the stored answer stands, marked, for a year at
 * most: what the others have is no better.
 * The rate of the task is taken only when a source must be asked (rate_limit_at = fetch): a call
 * that finds the bucket empty ends as -ERR_LIMITED with retry_after_ms.
 * update_confidence_scores follows each stored answer, published with its transaction. */
#ifndef SALARY_FETCH_H
#define SALARY_FETCH_H

#include <cjson/cJSON.h>

#include "workers/salary/request.h"

struct err;
struct findings;
struct run;

int fetch_salary_data(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

/* Asks the sources whatever the cache holds, stores, caches, unless another task does so just now:
 * then its answer is this one's. step: its name in this run. *ret_fallback tells that no source
 * answered, or not the one that led, and older figures were left as they are. */
int fetch_refresh(struct run *run, const struct request *r, const char *step, bool *ret_fallback,
		  struct err *e);
/* Stores and caches what was found for a request elsewhere, committed as the step; scores do not
 * follow. */
int fetch_keep(struct run *run, const struct request *r, struct findings *found,
	       const char *step, struct err *e);

#endif
