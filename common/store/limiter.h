/* SPDX-License-Identifier: MIT */
/* limiter: how many events a second the whole fleet may make of one kind.
 *
 * GCRA (generic cell rate algorithm, ITU-T I.371): one theoretical arrival time per name, in Redis,
 * moved by one Lua script on the server's clock, so hosts need not agree on the time. A caller
 * that may wait reserves its slot at once and does not ask again.
 * Without Redis (r NULL, or the call fails) a bucket of the same rate in this process stands in:
 * the fleet's rate is then at most the rate times its processes. Up to 64 names a process; the
 * bucket that has been full longest makes room.
 * Key: <prefix>limit:<name>; it expires when the bucket is full again. */
#ifndef COMMON_STORE_LIMITER_H
#define COMMON_STORE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

struct redis;

enum limiter_answer {
	LIMITER_REFUSED,	/* nothing is taken; *ret_wait_ms from now there would be a slot */
	LIMITER_TAKEN,		/* the slot is *ret_wait_ms from now (0: go), at most max_wait_ms */
};

/* rate_per_s <= 0 is no limit. burst: events that may come at once after a pause, at least 1.
 * *ret_local (may be NULL): the local bucket answered. Never fails. */
enum limiter_answer limiter_take(struct redis *r, const char *prefix, const char *name,
				 double rate_per_s, int burst, int64_t max_wait_ms,
				 int64_t *ret_wait_ms, bool *ret_local);

#endif
