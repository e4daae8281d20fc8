/* SPDX-License-Identifier: MIT */
/* keys: the keys of Redis that a glob meets, by SCAN, so that Redis is never held up.
 *
 * They are shown in batches as SCAN finds them, so any number of them takes no memory here. A key
 * may be shown twice, and keys that come or go meanwhile may be missed, as SCAN says. */
#ifndef SALARY_KEYS_H
#define SALARY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct redis;
struct redis_reply;

#define KEYS_BATCH 1000			/* about so many a batch; SCAN decides */

/* Redis' glob: 1 to 255 bytes, none of them a control character; -ERR_INVALID says what would be
 * right. Brackets and backslashes are closed. */
int keys_check_pattern(const char *pattern, struct err *e);
/* Whether the glob meets the key, as Redis would say. */
bool keys_match(const char *pattern, const char *key);

/* see() gets n keys, borrowed for the call, n from 1; a negative code of it ends the walk and is
 * returned. */
int keys_scan(struct redis *redis, const char *pattern,
	      int (*see)(void *ctx, const char *const *keys, size_t n, struct err *e), void *ctx,
	      struct err *e);

/* The first bytes of each key's value ("" for none, and for what is no string), REDIS_STRING each.
 * */
int keys_heads(struct redis *redis, const char *const *keys, size_t n, struct redis_reply **ret,
	       struct err *e);
#define KEYS_HEAD_BYTES 48

/* Runs a script over n keys that answers an array with one item a key. */
int keys_eval(struct redis *redis, const char *script, const char *const *keys, size_t n,
	      struct redis_reply **ret, struct err *e);

/* The keys as a JSON array of texts, for a statement; malloc'ed. */
char *keys_json(const char *const *keys, size_t n);

#endif
