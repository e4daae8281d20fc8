/* SPDX-License-Identifier: MIT */
/* keys: walks the keys of Redis that a glob meets, by SCAN, so that Redis is never held up.
 *
 * Every key is shown once, though SCAN may repeat it; keys that come or go meanwhile may be missed,
 * as SCAN says. At most KEYS_MAX are shown. */
#ifndef SALARY_KEYS_H
#define SALARY_KEYS_H

struct err;
struct redis;

#define KEYS_MAX 100000

/* Returns how many were shown. see() ends the walk with a negative code, which is returned.
 * -ERR_INVALID for an empty pattern or one over 255 bytes. */
int keys_walk(struct redis *redis, const char *pattern,
	      int (*see)(void *ctx, const char *key, struct err *e), void *ctx, struct err *e);

#endif
