/* SPDX-License-Identifier: MIT */
/* upkeep: the tasks that keep the cache tidy and watched.
 *
 * cleanup_expired_cache(): afterwards Redis and salary_data_cache agree. Rows whose time is over,
 * or whose key Redis has dropped, become inactive; inactive rows whose entry stands in Redis, and
 * whose time isn't over, active again; entries without a row go (they can be fetched again), unless
 * they were put since they were looked at. All of it in batches of a thousand, each on its own.
 * Without Redis only the table is tidied. Then retention (public.cleanup_salary_data in
 * sql/014_salary.sql): rows inactive for 30 days, figures that newer ones replaced long ago, old
 * reads and changes. When the soft limit comes near the rest is left to the next run ("complete" is
 * false). Answer: {"status", "expired", "vanished", "restored", "untracked_deleted", "rows_deleted"
 * (of the tracking table), "removed" (by retention: {table: rows}), "active", "complete",
 * "warnings"}.
 *
 * monitor_cache_performance(): moves the reads counted in Redis into the tables (reads.h) and
 * reports
 * {"status", "total_hits", "total_misses", "hit_rate" (per cent) of answers since there is a table;
 *  "active_entries", "expired_entries"; "by_data_type": {kind: {hits, misses, hit_rate, …, and what
 *  it takes in Redis: entries, size_bytes, plain_bytes, compression_ratio}};
 *  "by_strategy": {strategy: {hits, stale, misses, hit_rate, response_time_ms and the same sizes}};
 *  "recent": the reads of the last "hours" of all; "response_time_ms": {"p50", "p95", "p99",
 *  "samples"} of the same; "in_redis": the sizes of all, "whole" false when only some were weighed;
 *  "oldest_entry_hours", "reads_dropped", "aims" (aims.h), "warnings"}.
 * Without Redis the recent figures are zeros.
 * Warns, and raises the alert cache_hit_rate, when fewer than 70 % of the recent reads were hits,
 * or of all there ever were while the recent ones are fewer than 100; under 100 nothing is judged.
 * The alert is resolved by the next run that sees 70 %. */
#ifndef SALARY_UPKEEP_H
#define SALARY_UPKEEP_H

#include <cjson/cJSON.h>

struct err;
struct run;

int cleanup_expired_cache(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);
int monitor_cache_performance(struct run *run, const cJSON *args, cJSON **ret_result,
			      struct err *e);

#endif
