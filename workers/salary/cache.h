/* SPDX-License-Identifier: MIT */
/* cache: answers kept in Redis under their contract keys (cachekey.h), and their tracking.
 *
 * A document is JSON text `[meta, rows]`: meta says what was asked and when (stored_at), rows
 * travel as raw text and are never parsed, so their figures stay exact. How it becomes bytes says
 * cacheentry.h, how long it lives cachelife.h. Keys carry no prefix: they are a contract with
 * callers, like Celery's own keys.
 * salary_data_cache tracks every document: ttl_seconds is how long it is fresh, expires_at when
 * Redis drops it, is_active whether Redis has it, metadata the document's meta with fresh_until
 * (epoch seconds) and keep_seconds. Hits and misses come there by way of reads.h.
 * With Redis away, or after it lost an entry, the tables answer: rows stored together with the
 * tracking row, as long as Redis would have kept them.
 * The clock is always a parameter, so that years can be simulated on this very code. */
#ifndef SALARY_CACHE_H
#define SALARY_CACHE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "workers/salary/cachelife.h"
#include "workers/salary/request.h"

struct err;
struct pg;
struct redis;

struct cache_doc {
	cJSON *meta;
	char *rows;			/* raw JSON array */
	int64_t stored_at_s, fresh_until_s, keep_until_s;	/* epoch */
	int64_t size;			/* bytes as kept in Redis; 0 from the tables */
	bool from_tables;
};
void cache_doc_release(struct cache_doc *d);

const char *cache_kind_name(enum cache_kind k);	/* data_type; also the key's first part */

/* CACHE_STALE: past fresh_until_s, still kept; whoever takes it sees to it that it is asked anew.
 * */
enum cache_answer { CACHE_MISS, CACHE_FRESH, CACHE_STALE };

/* An answer of max_age_s or older is a miss, fresh or not (-1: any age that is kept); a longer
 * max_age_s makes no stale entry fresh. An entry that can't be read is a miss. Returns enum
 * cache_answer (*ret filled but for a miss) or redis' error. */
int cache_get(struct redis *redis, const char *key, int64_t now_s, int64_t max_age_s,
	      struct cache_doc *ret, struct err *e);
/* The same from salary_benchmarks or market_data. Errors: pg's. */
int cache_get_tables(struct pg *pg, enum cache_kind kind, const char *key, int64_t now_s,
		     int64_t max_age_s, struct cache_doc *ret, struct err *e);

/* Stored at meta's stored_at (now_s without one), its life counted from now_s. -ERR_TOO_BIG, or
 * redis' error. */
int cache_put(struct redis *redis, const char *key, const cJSON *meta, const char *rows,
	      int64_t now_s, struct cache_life life, bool compress, struct err *e);
/* What the tables answered goes back into Redis for what is left of its life, unless another entry
 * stands there by now. */
int cache_put_back(struct redis *redis, const char *key, const struct cache_doc *d, int64_t now_s,
		   bool compress, struct err *e);
/* The tracking row; in the transaction that stores the rows. */
int cache_track(struct pg *pg, enum cache_kind kind, const char *key, const cJSON *meta,
		struct cache_life life, struct err *e);

/* SQL, of a row c of salary_data_cache: seconds that it is kept from when it was stored to
 * expires_at. A row that another program wrote has no keep_seconds: it lives as its ttl_seconds
 * says. */
#define CACHE_SQL_KEEP \
	"CASE jsonb_typeof(c.metadata -> 'keep_seconds') WHEN 'number'" \
	" THEN (c.metadata ->> 'keep_seconds')::float8 ELSE c.ttl_seconds END"

#endif
