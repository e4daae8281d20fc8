/* SPDX-License-Identifier: MIT */
/* inventory: what stands in the cache: how many entries, how big, how much smaller than plain, by
 * kind and, for the answers that the tracking table knows, by strategy.
 *
 * Entries are weighed by their first bytes, which tell the size of what is packed; none is
 * unpacked. At most INVENTORY_MOST of a kind are looked at; whole says whether that was all. Plain
 * data. */
#ifndef SALARY_INVENTORY_H
#define SALARY_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "workers/salary/cachelife.h"
#include "workers/salary/request.h"

struct err;
struct pg;
struct redis;

#define INVENTORY_MOST 50000

struct inventory_part {
	int64_t entries, bytes, plain_bytes;
};

struct inventory {
	struct inventory_part kinds[CACHE_KIND_COUNT], strategies[STRATEGY_COUNT];
	int64_t oldest_stored_at_s;	/* 0 = no entry */
	bool whole;
};

/* Errors: redis', pg's. */
int inventory_take(struct redis *redis, struct pg *pg, struct inventory *ret, struct err *e);

struct inventory_part inventory_sum(const struct inventory *inv);
/* plain bytes / bytes; 0 without entries. */
double inventory_ratio(const struct inventory_part *p);

#endif
