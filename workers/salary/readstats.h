/* SPDX-License-Identifier: MIT */
/* readstats: the reads of the last READS_STATS_HOURS hours, added up from what reads.h counts.
 *
 * Plain data, some 6 KiB. Percentiles come from the histogram, so they are as exact as its buckets.
 * */
#ifndef SALARY_READSTATS_H
#define SALARY_READSTATS_H

#include <stddef.h>
#include <stdint.h>

#include "workers/salary/reads.h"
#include "workers/salary/request.h"

struct conf;
struct err;
struct redis;

struct readstats {
	int64_t outcomes[STRATEGY_COUNT][READ_OUTCOME_COUNT];
	int64_t times[STRATEGY_COUNT][READS_BUCKETS];
	int64_t dropped;		/* lines that found READS_WAITING_MAX waiting */
};

/* Errors: redis'. Fields that nobody of us wrote are left out. */
int readstats_load(struct redis *redis, const struct conf *conf, int64_t now_us,
		   struct readstats *ret, struct err *e);

/* s: one strategy, or STRATEGY_COUNT for all. */
int64_t readstats_hits(const struct readstats *stats, enum strategy s);	/* stale ones too */
int64_t readstats_misses(const struct readstats *stats, enum strategy s);
int64_t readstats_timed(const struct readstats *stats, enum strategy s);
/* The time that a share (0.99) of the timed answers kept to, in ms; 0 without any. */
double readstats_ms(const struct readstats *stats, enum strategy s, double share);

#endif
