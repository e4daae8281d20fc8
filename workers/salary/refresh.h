/* SPDX-License-Identifier: MIT */
/* refresh: the task refresh_salary_cache(cache_pattern="salary_data:*", max_refreshes=25).
 *
 * Finds cached answers by SCAN (never KEYS) and asks their sources again, those first that are
 * oldest for their time to live and most asked for: order by age / ttl + ln(1 + hits). No more than
 * max_refreshes a run; the rest is reported as remaining. An answer for which only bundled figures
 * were found keeps what it has. Each key is a step: a repeat goes on where the last one stopped.
 * Answer: {"status", "pattern", "keys_found", "refreshed", "failed", "remaining",
 * "processing_time_ms", "warnings"}. A pattern that meets no key of this cache gives 0. */
#ifndef SALARY_REFRESH_H
#define SALARY_REFRESH_H

#include <cjson/cJSON.h>

struct err;
struct run;

int refresh_salary_cache(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
