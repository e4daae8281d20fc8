/* SPDX-License-Identifier: MIT */
#include "workers/salary/bundle.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/findings.h"

void bundle_init(struct bundle *b, const struct request *r)
{
	*b = (struct bundle){ .now_s = clock_wall_ms() / 1000 };
	for (int k = 0; k < CACHE_KIND_COUNT; k++)
		cachekey_make(cache_kind_name((enum cache_kind)k), r, b->keys[k]);
}

void bundle_release(struct bundle *b)
{
	for (int k = 0; k < CACHE_KIND_COUNT; k++)
		cache_doc_release(&b->docs[k]);
}

static void put_back(const struct bundle *b, struct redis *redis, enum cache_kind k)
{
	const struct cache_doc *d = &b->docs[k];
	bool compress = strcmp(json_str(d->meta, "strategy", ""),
			       strategy_name(STRATEGY_CONSERVATIVE)) != 0;
	struct err e;

	if (cache_put_back(redis, b->keys[k], d, b->now_s, compress, &e) < 0)
		log_warn("answer not put back into the cache: %s", e.msg);
}

static int look_up_tables(struct bundle *b, struct run *run, enum cache_kind k, bool any,
			  int64_t limit_s, struct err *e)
{
	struct pg *pg;
	int r = run_db_read(run, &pg, e);

	/* Seen from the epoch no entry has ended. */
	return r < 0 ? r
		     : cache_get_tables(pg, k, b->keys[k], any ? 0 : b->now_s, any ? -1 : limit_s,
					&b->docs[k], e);
}

static int look_up_one(struct bundle *b, struct run *run, struct redis *redis, enum cache_kind k,
		       bool any, int64_t limit_s, struct err *e)
{
	int r = redis ? cache_get(redis, b->keys[k], b->now_s, any ? -1 : limit_s, &b->docs[k], e)
		      : CACHE_MISS;

	if (r > 0 || k == CACHE_CONFIDENCE)
		return r > 0 ? r : CACHE_MISS;
	r = look_up_tables(b, run, k, any, limit_s, e);
	if (r > 0 && redis)
		put_back(b, redis, k);
	return r;
}

static bool is_wanted(const struct request *r, enum cache_kind k)
{
	return k == CACHE_SALARY || (k == CACHE_MARKET ? r->want_market : r->want_confidence);
}

static int64_t limit_of(const struct bundle *b, const struct request *r, enum cache_kind k,
			enum bundle_age age, int64_t since_s)
{
	int64_t limit_s = cache_age_limit_s(r->strategy, k, r->max_age_s);

	if (age == BUNDLE_STORED_SINCE || (age == BUNDLE_SINCE && limit_s <= b->now_s - since_s))
		limit_s = b->now_s - since_s + 1;
	return limit_s;
}

/* What another strategy keeps fresh for a week is not fresh to who reads by the hour. */
static bool is_old_for(const struct request *r, enum cache_kind k, const struct cache_doc *d,
		       int64_t now_s)
{
	return r->max_age_s < 0 && now_s - d->stored_at_s >= cache_nominal_s(r->strategy, k) &&
		strcmp(json_str(d->meta, "strategy", ""), strategy_name(r->strategy)) != 0;
}

int bundle_look_up(struct bundle *b, struct run *run, struct redis *redis, const struct request *r,
		   enum bundle_age age, int64_t since_s, struct err *e)
{
	int answer = CACHE_FRESH;

	bundle_release(b);
	b->now_s = clock_wall_ms() / 1000;
	for (int i = 0; i < CACHE_KIND_COUNT; i++) {
		enum cache_kind k = (enum cache_kind)i;
		int got;

		if (!is_wanted(r, k))
			continue;
		got = look_up_one(b, run, redis, k, age == BUNDLE_ANY,
				  limit_of(b, r, k, age, since_s), e);
		if (k != CACHE_CONFIDENCE && got <= 0)
			return got;
		if (k != CACHE_CONFIDENCE &&
		    (got == CACHE_STALE || is_old_for(r, k, &b->docs[k], b->now_s)))
			answer = CACHE_STALE;
	}
	return answer;
}

struct cache_life bundle_life(const struct bundle *b, const struct request *r,
			      const struct findings *f, enum cache_kind k)
{
	return cache_life(r->strategy, k, cache_verdict(f, k), cache_freshness(f, k), b->keys[k],
			  b->now_s);
}

void bundle_fill(struct bundle *b, struct redis *redis, const struct request *r,
		 const struct findings *f)
{
	struct err e;

	for (int i = 0; redis && i < CACHE_KIND_COUNT; i++) {
		enum cache_kind k = (enum cache_kind)i;

		if (cache_put(redis, b->keys[k], b->docs[k].meta, b->docs[k].rows, b->now_s,
			      bundle_life(b, r, f, k), r->strategy != STRATEGY_CONSERVATIVE,
			      &e) < 0) {
			log_warn("answer not cached: %s", e.msg);
			return;
		}
	}
}

/* One a kind of data: the newest of the question that was asked. */
static const char SQL_SCORES[] =
	"SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c.data_type), '[]') FROM"
	" (SELECT DISTINCT ON (data_type) * FROM confidence_scores WHERE location = $1"
	" AND occupation = $2 AND industry IS NOT DISTINCT FROM nullif($3, '')"
	" ORDER BY data_type, year DESC, quarter DESC NULLS LAST) c";

int bundle_read_scores(struct bundle *b, struct run *run, const struct request *r, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t n = run_db_read(run, &pg, e);

	if (n >= 0)
		n = pg_run(pg, SQL_SCORES,
			   PG_PARAMS(PG_TEXT(r->area.label), PG_TEXT(r->occupation.name),
				     PG_TEXT(r->industry)),
			   &rows, e);
	if (n < 0)
		return (int)n;
	b->docs[CACHE_CONFIDENCE].rows = mem_strdup(n == 1 ? pg_text(rows, 0, 0) : "[]");
	pg_rows_free(rows);
	return 0;
}
