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
 * monitor_cache_performance(): moves the hits counted in Redis into the table and reports
 * {"status", "total_hits", "total_misses", "hit_rate" (per cent), "active_entries",
 *  "expired_entries", "by_data_type": {…}, "response_time_ms": {"p50", "p95", "p99", "samples"},
 * "warnings"}. Warns, and raises the alert cache_hit_rate, when fewer than 70 % of at least 100
 * reads were hits. */
#ifndef SALARY_UPKEEP_H
#define SALARY_UPKEEP_H

#include <cjson/cJSON.h>

struct err;
struct run;

int cleanup_expired_cache(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);
int monitor_cache_performance(struct run *run, const cJSON *args, cJSON **ret_result,
			      struct err *e);

#endif
