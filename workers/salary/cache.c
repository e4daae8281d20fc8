/* SPDX-License-Identifier: MIT */
#include "workers/salary/cache.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "workers/salary/cacheentry.h"

static const char *const KINDS[CACHE_KIND_COUNT] = { "salary_data", "market_data",
						     "confidence_scores" };

const char *cache_kind_name(enum cache_kind k)
{
	return KINDS[k];
}

void cache_doc_release(struct cache_doc *d)
{
	cJSON_Delete(d->meta);
	free(d->rows);
	*d = (struct cache_doc){ 0 };
}

static enum cache_answer judge(const struct cache_doc *d, int64_t now_s, int64_t max_age_s)
{
	if (now_s >= d->keep_until_s || (max_age_s >= 0 && now_s - d->stored_at_s >= max_age_s))
		return CACHE_MISS;
	return now_s < d->fresh_until_s ? CACHE_FRESH : CACHE_STALE;
}

static enum cache_answer give(struct cache_doc *d, int64_t now_s, int64_t max_age_s,
			      struct cache_doc *ret)
{
	enum cache_answer answer = d->meta ? judge(d, now_s, max_age_s) : CACHE_MISS;

	if (answer == CACHE_MISS)
		cache_doc_release(d);
	else
		*ret = *d;
	return answer;
}

/* Leaves d without meta when the bytes are no entry of ours. */
static void read_entry(const char *bytes, size_t len, struct cache_doc *d)
{
	struct cacheentry_head head;
	char *parts[2], *text = cacheentry_unpack(bytes, len, &head, &len);
	int n = text ? json_split_array(text, len, parts, 2, NULL) : 0;

	free(text);
	if (n != 2) {
		for (int i = 0; i < n; i++)
			free(parts[i]);
		return;
	}
	*d = (struct cache_doc){
		.rows = parts[1], .stored_at_s = head.stored_at_s,
		.fresh_until_s = head.fresh_until_s, .keep_until_s = head.keep_until_s,
	};
	if (*parts[1] != '[' || json_parse(parts[0], strlen(parts[0]), &d->meta, NULL) < 0 ||
	    !cJSON_IsObject(d->meta))
		cache_doc_release(d);
	free(parts[0]);
}

int cache_get(struct redis *redis, const char *key, int64_t now_s, int64_t max_age_s,
	      struct cache_doc *ret, struct err *e)
{
	struct redis_reply *reply = NULL;
	struct cache_doc d = { 0 };
	int r = redis_cmd(redis, &reply, e, "GET", key, NULL);

	if (r < 0)
		return r;
	if (reply->type == REDIS_STRING)
		read_entry(reply->str, reply->len, &d);
	d.size = (int64_t)reply->len;
	redis_reply_free(reply);
	return give(&d, now_s, max_age_s, ret);
}

/* Questions that differ in the year alone share rows, whose cache_key is that of the last one:
 * hence the ids that were noted. Rows and tracking row were written, or found unchanged, in one
 * transaction, so they bear one time, which expires_at tells back; a row updated later by a sync
 * counts too. */
#define SQL_TABLES(table) \
	"SELECT coalesce(jsonb_agg(to_jsonb(b) ORDER BY b.data_source) FILTER (WHERE b.id IS NOT NULL)," \
	" '[]'), c.metadata, count(b.id), c.ttl_seconds, (" CACHE_SQL_KEEP ")::bigint" \
	" FROM salary_data_cache c LEFT JOIN LATERAL (SELECT r.* FROM jsonb_array_elements(" \
	"CASE WHEN c.metadata ? 'rows' THEN c.metadata -> 'rows' ELSE '[]' END) v" \
	" JOIN " table " r ON" \
	" r.id = (jsonb_populate_record(NULL::" table ", jsonb_build_object('id', v))).id" \
	" UNION ALL SELECT r.* FROM " table " r WHERE r.cache_key = c.cache_key" \
	" AND NOT c.metadata ? 'rows') b ON" \
	" jobfleet.salary_checked('" table "', b.id::text, b.updated_at)" \
	" >= c.expires_at - make_interval(secs => " CACHE_SQL_KEEP ")" \
	" WHERE c.cache_key = $1 GROUP BY c.id"

static void read_row(const struct pg_rows *rows, struct cache_doc *d)
{
	const char *meta = pg_text(rows, 0, 1);

	if (json_parse(meta, strlen(meta), &d->meta, NULL) < 0)
		return;
	d->rows = mem_strdup(pg_text(rows, 0, 0));
	d->stored_at_s = json_int(d->meta, "stored_at", 0);
	d->fresh_until_s = json_int(d->meta, "fresh_until", d->stored_at_s + pg_int(rows, 0, 3));
	d->keep_until_s = d->stored_at_s + pg_int(rows, 0, 4);
	/* Rows that were erased since, or that another program tracks: not the whole answer. */
	if (json_int(d->meta, "count", INT64_MAX) > pg_int(rows, 0, 2))
		cache_doc_release(d);
}

int cache_get_tables(struct pg *pg, enum cache_kind kind, const char *key, int64_t now_s,
		     int64_t max_age_s, struct cache_doc *ret, struct err *e)
{
	static const char SALARY[] = SQL_TABLES("salary_benchmarks"),
			  MARKET[] = SQL_TABLES("market_data");
	struct cache_doc d = { 0 };
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, kind == CACHE_SALARY ? SALARY : MARKET, PG_PARAMS(PG_TEXT(key)),
			   &rows, e);

	if (n < 0)
		return (int)n;
	if (n == 1)
		read_row(rows, &d);
	d.from_tables = true;
	pg_rows_free(rows);
	return give(&d, now_s, max_age_s, ret);
}

static int put(struct redis *redis, const char *key, const struct cache_doc *d, int64_t now_s,
	       bool compress, bool only_absent, struct err *e)
{
	struct cacheentry_head head = { d->stored_at_s, d->fresh_until_s, d->keep_until_s };
	char *meta = json_print(d->meta), *text = mem_printf("[%s,%s]", meta, d->rows), seconds[24];
	size_t len = strlen(text), size = 0;
	char *bytes = cacheentry_pack(&head, text, len, compress, &size);
	const char *words[] = { "SET", key, bytes, "EX", seconds, "NX" };
	int r;

	free(meta);
	free(text);
	if (!bytes)
		return err_set(e, ERR_TOO_BIG, "an answer of %zu bytes is not cached", len);
	snprintf(seconds, sizeof seconds, "%lld", (long long)(d->keep_until_s - now_s));
	r = redis_run(redis, words,
		      (const size_t[]){ 3, strlen(key), size, 2, strlen(seconds), 2 },
		      only_absent ? 6 : 5, NULL, e);
	free(bytes);
	return r;
}

int cache_put(struct redis *redis, const char *key, const cJSON *meta, const char *rows,
	      int64_t now_s, struct cache_life life, bool compress, struct err *e)
{
	struct cache_doc d = {
		.meta = (cJSON *)meta, .rows = (char *)rows,
		.stored_at_s = json_int(meta, "stored_at", now_s),
		.fresh_until_s = now_s + life.fresh_s, .keep_until_s = now_s + life.keep_s,
	};

	return put(redis, key, &d, now_s, compress, false, e);
}

int cache_put_back(struct redis *redis, const char *key, const struct cache_doc *d, int64_t now_s,
		   bool compress, struct err *e)
{
	return d->keep_until_s > now_s ? put(redis, key, d, now_s, compress, true, e) : 0;
}

static const char SQL_TRACK[] =
	"INSERT INTO salary_data_cache AS c (cache_key, data_type, redis_key, ttl_seconds, is_active,"
	" expires_at, metadata)"
	" VALUES ($1, $2, $1, $3, true, now() + make_interval(secs => $4::int), $5)"
	" ON CONFLICT (cache_key) DO UPDATE SET data_type = excluded.data_type,"
	" redis_key = excluded.redis_key, ttl_seconds = excluded.ttl_seconds, is_active = true,"
	" expires_at = excluded.expires_at, metadata = excluded.metadata";

int cache_track(struct pg *pg, enum cache_kind kind, const char *key, const cJSON *meta,
		struct cache_life life, struct err *e)
{
	cJSON *all = mem_check(cJSON_Duplicate(meta, true));
	char *text;
	int64_t n;

	json_set_num(all, "fresh_until",
		     (double)(json_int(meta, "stored_at", 0) + life.fresh_s));
	json_set_num(all, "keep_seconds", (double)life.keep_s);
	text = json_print(all);
	n = pg_run(pg, SQL_TRACK,
		   PG_PARAMS(PG_TEXT(key), PG_TEXT(KINDS[kind]), PG_INT(life.fresh_s),
			     PG_INT(life.keep_s), PG_TEXT(text)),
		   NULL, e);
	free(text);
	cJSON_Delete(all);
	return n < 0 ? (int)n : 0;
}
