/* SPDX-License-Identifier: MIT */
/* refresh: the task refresh_salary_cache(cache_pattern="salary_data:*", max_refreshes=25,
 * max_calls=100).
 *
 * Finds cached answers by SCAN (never KEYS; a pattern without wildcard is looked at directly), or,
 * when Redis is away or has been flushed, in the tracking table, and asks their sources again.
 * First come the stale and the popular, in the order of
 *	age / time to be fresh (at most 2) + hit rate * ln(1 + hits) / ln(1 + 1000) (at most 1)
 * so that every stale answer (from 1 up) goes before a fresh one that nobody reads, and one read a
 * thousand times is asked for again from the first day. Reads count as of now: those waiting in
 * Redis are moved first.
 * Budget: no more than max_refreshes answers; no more than max_calls calls (an answer that was
 * begun is finished); and of each source no more than its day's share (quota_share), so that single
 * callers still get theirs. Calls are what the sources' quotas counted meanwhile: with other tasks
 * at work theirs too, so never fewer than its own.
 * Skipped as fresh: what another refresh took up within ten minutes, so that two at once make no
 * call twice. An answer for which no source could be asked keeps what it has, and counts as failed.
 * Each key is a step: a repeat goes on where the last one stopped. What the soft limit leaves no
 * time for remains.
 * Answer: {"status", "pattern", "found_in" ("redis", "tables"), "keys_found", "refreshed",
 * "failed",
 * "skipped_fresh", "remaining", "calls", "processing_time_ms", "warnings"}. A pattern that meets no
 * key of this cache gives 0; one that is no pattern is -ERR_INVALID. */
#ifndef SALARY_REFRESH_H
#define SALARY_REFRESH_H

#include <cjson/cJSON.h>

struct err;
struct run;

int refresh_salary_cache(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
