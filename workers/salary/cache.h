/* SPDX-License-Identifier: MIT */
/* cache: answers kept in Redis under their contract keys (cachekey.h), and their tracking.
 *
 * A document is JSON text `[meta, rows]`: meta says what was asked and when, rows travel as raw
 * text and are never parsed, so their figures stay exact. Documents are zstd frames but for the
 * conservative strategy, which keeps plain text; reading tells them apart by zstd's magic number.
 * Keys carry no prefix: they are a contract with callers, like Celery's own keys.
 * Times to live:            salary   market   confidence
 *	standard             24 h     7 d      1 h
 *	aggressive           7 d      30 d     24 h
 *	conservative         1 h      24 h     30 min
 * Bundled fallback figures live 10 minutes, so that the sources are soon asked again.
 * salary_data_cache tracks every document: when it ends and how it serves. Hits are counted in the
 * Redis hash <prefix>salary_cache:hits and moved to the table by the monitor; a miss is counted
 * with the write that follows it.
 * With Redis away the tables answer: rows stored with the tracking row that has not ended. */
#ifndef SALARY_CACHE_H
#define SALARY_CACHE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "workers/salary/request.h"

struct err;
struct pg;
struct redis;
struct run;

enum cache_kind { CACHE_SALARY, CACHE_MARKET, CACHE_CONFIDENCE, CACHE_KIND_COUNT };

#define CACHE_FALLBACK_TTL_S 600
#define CACHE_MAX_BYTES (4 << 20)
/* Counters stand under the fleet's own prefix: hits by key (hash), the latest answer times (list),
 * and hits that the monitor is moving to the table (hash). */
enum cache_counter { CACHE_HITS, CACHE_TIMES_US, CACHE_HITS_TAKEN };
#define CACHE_COUNTER_SIZE 128
void cache_counter_key(enum cache_counter c, const char *prefix, char out[CACHE_COUNTER_SIZE]);

struct cache_doc {
	cJSON *meta;
	char *rows;			/* raw JSON array */
	int64_t stored_at_s, size;	/* epoch; bytes as kept in Redis */
	bool from_tables;
};
void cache_doc_release(struct cache_doc *d);

const char *cache_kind_name(enum cache_kind k);	/* data_type; also the key's first part */
int64_t cache_ttl_s(enum strategy s, enum cache_kind k);

/* 1 hit (*ret filled), 0 miss, or older than max_age_s (-1: any age). -ERR_REDIS … as redis. A
 * document that cannot be read counts as a miss. */
int cache_get(struct redis *redis, const char *key, int64_t max_age_s, struct cache_doc *ret,
	      struct err *e);
/* The same from salary_benchmarks or market_data. */
int cache_get_tables(struct pg *pg, enum cache_kind kind, const char *key, int64_t max_age_s,
		     struct cache_doc *ret, struct err *e);
int cache_put(struct redis *redis, const char *key, const cJSON *meta, const char *rows,
	      int64_t ttl_s, bool compress, struct err *e);
/* The tracking row, counting one miss; in the run's transaction. */
int cache_track(struct pg *pg, enum cache_kind kind, const char *key, const cJSON *meta,
		int64_t ttl_s, struct err *e);
/* One more hit, and how long the answer took; best effort. */
void cache_count_hit(struct redis *redis, const char *prefix, const char *key, int64_t took_us);

#endif
