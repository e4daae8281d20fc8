/* SPDX-License-Identifier: MIT */
#include "workers/salary/cache.h"

#include <zstd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

#define LEVEL 3
#define TIMES_KEPT "999"
#define H 3600
#define D 86400

static const int64_t TTL_S[STRATEGY_COUNT][CACHE_KIND_COUNT] = {
	[STRATEGY_STANDARD] = { 24 * H, 7 * D, 1 * H },
	[STRATEGY_AGGRESSIVE] = { 7 * D, 30 * D, 24 * H },
	[STRATEGY_CONSERVATIVE] = { 1 * H, 24 * H, 30 * 60 },
};
static const char *const KINDS[CACHE_KIND_COUNT] = { "salary_data", "market_data",
						     "confidence_scores" };

const char *cache_kind_name(enum cache_kind k)
{
	return KINDS[k];
}

int64_t cache_ttl_s(enum strategy s, enum cache_kind k)
{
	return TTL_S[s][k];
}

void cache_doc_release(struct cache_doc *d)
{
	cJSON_Delete(d->meta);
	free(d->rows);
	*d = (struct cache_doc){ 0 };
}

/* The text of a stored value, unpacked where it is packed; NULL if it is not what we wrote. */
static char *unpack(const char *bytes, size_t len, size_t *ret_len)
{
	unsigned long long size;
	char *text;

	if (len < 4 || memcmp(bytes, "\x28\xb5\x2f\xfd", 4) != 0) {
		*ret_len = len;
		return mem_dup(bytes, len);
	}
	size = ZSTD_getFrameContentSize(bytes, len);
	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
	    size > CACHE_MAX_BYTES)
		return NULL;
	text = mem_zalloc(size + 1);
	if (ZSTD_isError(ZSTD_decompress(text, size, bytes, len))) {
		free(text);
		return NULL;
	}
	*ret_len = size;
	return text;
}

static bool read_doc(const char *text, size_t len, struct cache_doc *ret)
{
	struct cache_doc d = { .size = (int64_t)len };
	char *parts[2];
	bool good;

	if (json_split_array(text, len, parts, 2, NULL) != 2)
		return false;
	good = json_parse(parts[0], strlen(parts[0]), &d.meta, NULL) == 0 &&
		cJSON_IsObject(d.meta) && *parts[1] == '[';
	free(parts[0]);
	d.rows = parts[1];
	d.stored_at_s = json_int(d.meta, "stored_at", 0);
	if (good)
		*ret = d;
	else
		cache_doc_release(&d);
	return good;
}

static bool is_fresh(const struct cache_doc *d, int64_t max_age_s)
{
	return max_age_s < 0 || clock_wall_ms() / 1000 - d->stored_at_s < max_age_s;
}

int cache_get(struct redis *redis, const char *key, int64_t max_age_s, struct cache_doc *ret,
	      struct err *e)
{
	struct redis_reply *reply = NULL;
	struct cache_doc d = { 0 };
	size_t len = 0;
	char *text = NULL;
	bool found;
	int r = redis_cmd(redis, &reply, e, "GET", key, NULL);

	if (r < 0)
		return r;
	if (reply->type == REDIS_STRING && reply->len <= CACHE_MAX_BYTES)
		text = unpack(reply->str, reply->len, &len);
	found = text && read_doc(text, len, &d) && is_fresh(&d, max_age_s);
	d.size = (int64_t)reply->len;
	free(text);
	redis_reply_free(reply);
	if (found)
		*ret = d;
	else
		cache_doc_release(&d);
	return found;
}

#define SQL_TABLES(table) \
	"SELECT coalesce(jsonb_agg(to_jsonb(b) ORDER BY b.data_source), '[]'), c.metadata" \
	" FROM salary_data_cache c LEFT JOIN " table " b ON b.cache_key = c.cache_key" \
	" AND b.updated_at >= c.expires_at - make_interval(secs => c.ttl_seconds)" \
	" WHERE c.cache_key = $1 AND c.is_active AND c.expires_at > now()" \
	" GROUP BY c.id"

int cache_get_tables(struct pg *pg, enum cache_kind kind, const char *key, int64_t max_age_s,
		     struct cache_doc *ret, struct err *e)
{
	static const char SALARY[] = SQL_TABLES("salary_benchmarks"),
			  MARKET[] = SQL_TABLES("market_data");
	struct cache_doc d = { .from_tables = true };
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, kind == CACHE_SALARY ? SALARY : MARKET, PG_PARAMS(PG_TEXT(key)),
			   &rows, e);
	bool found = false;

	if (n < 0)
		return (int)n;
	if (n == 1 &&
	    json_parse(pg_text(rows, 0, 1), strlen(pg_text(rows, 0, 1)), &d.meta, e) == 0) {
		d.rows = mem_strdup(pg_text(rows, 0, 0));
		d.stored_at_s = json_int(d.meta, "stored_at", 0);
		found = is_fresh(&d, max_age_s) && json_int(d.meta, "count", -1) >= 0 &&
			(kind != CACHE_SALARY || strcmp(d.rows, "[]") != 0);
	}
	pg_rows_free(rows);
	if (found)
		*ret = d;
	else
		cache_doc_release(&d);
	return found;
}

static char *pack(char *owned_text, size_t *len)
{
	size_t bound = ZSTD_compressBound(*len), n;
	char *bytes = mem_alloc(bound);

	n = ZSTD_compress(bytes, bound, owned_text, *len, LEVEL);
	if (ZSTD_isError(n)) {
		free(bytes);
		return owned_text;
	}
	free(owned_text);
	*len = n;
	return bytes;
}

int cache_put(struct redis *redis, const char *key, const cJSON *meta, const char *rows,
	      int64_t ttl_s, bool compress, struct err *e)
{
	char *head = json_print(meta), *text = mem_printf("[%s,%s]", head, rows), ttl[24];
	size_t len = strlen(text);
	int r;

	free(head);
	if (len > CACHE_MAX_BYTES) {
		free(text);
		return err_set(e, ERR_TOO_BIG, "an answer of %zu bytes is not cached", len);
	}
	if (compress)
		text = pack(text, &len);
	snprintf(ttl, sizeof ttl, "%lld", (long long)ttl_s);
	r = redis_run(redis, (const char *const[]){ "SETEX", key, ttl, text },
		      (const size_t[]){ 5, strlen(key), strlen(ttl), len }, 4, NULL, e);
	free(text);
	return r;
}

static const char SQL_TRACK[] =
	"INSERT INTO salary_data_cache AS c (cache_key, data_type, redis_key, ttl_seconds, cache_misses,"
	" hit_rate, is_active, expires_at, metadata)"
	" VALUES ($1, $2, $1, $3, 1, 0, true, now() + make_interval(secs => $3::int), $4)"
	" ON CONFLICT (cache_key) DO UPDATE SET data_type = excluded.data_type,"
	" redis_key = excluded.redis_key, ttl_seconds = excluded.ttl_seconds,"
	" cache_misses = c.cache_misses + 1, is_active = true, expires_at = excluded.expires_at,"
	" metadata = excluded.metadata,"
	" hit_rate = round(100.0 * c.cache_hits / (c.cache_hits + c.cache_misses + 1), 2)";

int cache_track(struct pg *pg, enum cache_kind kind, const char *key, const cJSON *meta,
		int64_t ttl_s, struct err *e)
{
	char *text = json_print(meta);
	int64_t n =
		pg_run(pg, SQL_TRACK,
		       PG_PARAMS(PG_TEXT(key), PG_TEXT(KINDS[kind]), PG_INT(ttl_s), PG_TEXT(text)),
		       NULL, e);

	free(text);
	return n < 0 ? (int)n : 0;
}

void cache_counter_key(enum cache_counter c, const char *prefix, char out[CACHE_COUNTER_SIZE])
{
	static const char *const NAMES[] = {
		[CACHE_HITS] = "hits",
		[CACHE_TIMES_US] = "times_us",
		[CACHE_HITS_TAKEN] = "hits_taken",
	};

	snprintf(out, CACHE_COUNTER_SIZE, "%.90ssalary_cache:%s", prefix, NAMES[c]);
}

void cache_count_hit(struct redis *redis, const char *prefix, const char *key, int64_t took_us)
{
	char hits[CACHE_COUNTER_SIZE], times[CACHE_COUNTER_SIZE], took[24];
	struct err e;

	cache_counter_key(CACHE_HITS, prefix, hits);
	cache_counter_key(CACHE_TIMES_US, prefix, times);
	snprintf(took, sizeof took, "%lld", (long long)took_us);
	if (redis_cmd(redis, NULL, &e, "HINCRBY", hits, key, "1", NULL) >= 0 &&
	    redis_cmd(redis, NULL, &e, "LPUSH", times, took, NULL) >= 0)
		(void)redis_cmd(redis, NULL, &e, "LTRIM", times, "0", TIMES_KEPT, NULL);
}
