/* SPDX-License-Identifier: MIT */
#include "workers/salary/candidates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "workers/salary/cache.h"
#include "workers/salary/cacheentry.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/keys.h"

#define MOST_AGE 2.0
#define MANY_HITS 1000.0
#define PAGE "1000"

struct search {
	struct pg *pg;
	struct redis *redis;
	const char *pattern;
	int64_t now_s;
	struct candidates found;
};

double candidates_urgency(int64_t age_s, int64_t fresh_s, int64_t hits, int64_t misses)
{
	double age = fresh_s > 0 ? (double)age_s / (double)fresh_s : MOST_AGE;
	double reads = (double)(hits + misses);
	double popular =
		reads > 0 ? (double)hits / reads * log1p((double)hits) / log1p(MANY_HITS) : 0;

	return (age < 0 ? 0 : age > MOST_AGE ? MOST_AGE : age) + (popular > 1 ? 1 : popular);
}

static int by_key(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static int by_urgency(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->urgency != y->urgency)
		return x->urgency < y->urgency ? 1 : -1;
	return strcmp(x->key, y->key);
}

/* SCAN may show a key twice. */
static void drop_doubles(struct candidates *c)
{
	size_t kept = 0;

	qsort(c->items, c->count, sizeof *c->items, by_key);
	for (size_t i = 0; i < c->count; i++)
		if (kept > 0 && strcmp(c->items[kept - 1].key, c->items[i].key) == 0)
			free(c->items[i].key);
		else
			c->items[kept++] = c->items[i];
	c->found -= c->count - kept;
	c->count = kept;
}

static void keep_most_urgent(struct candidates *c)
{
	if (c->count == 0)
		return;
	drop_doubles(c);
	qsort(c->items, c->count, sizeof *c->items, by_urgency);
	while (c->count > CANDIDATES_KEPT)
		free(c->items[--c->count].key);
}

static void add(struct candidates *c, const char *key, double urgency)
{
	if (c->count >= 2 * CANDIDATES_KEPT)
		keep_most_urgent(c);
	c->items = mem_realloc(c->items, (c->count + 1) * sizeof *c->items);
	c->items[c->count++] = (struct candidate){ mem_strdup(key), urgency };
	c->found++;
}

static bool is_answer(const char *key)
{
	return strncmp(key, CACHEKEY_SALARY ":", sizeof CACHEKEY_SALARY) == 0 &&
		strlen(key) < CACHEKEY_SIZE;
}

/* ---- in Redis ---- */

static const char SQL_READS[] =
	"SELECT coalesce(c.cache_hits, 0), coalesce(c.cache_misses, 0)"
	" FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY AS k (name, n)"
	" LEFT JOIN salary_data_cache c ON c.cache_key = k.name ORDER BY k.n";

static int count_reads(struct pg *pg, const char *const *keys, size_t n, struct pg_rows **ret,
		       struct err *e)
{
	char *names = keys_json(keys, n);
	int64_t r = pg_run(pg, SQL_READS, PG_PARAMS(PG_TEXT(names)), ret, e);

	free(names);
	return r < 0 ? (int)r : 0;
}

static int see_keys(void *ctx, const char *const *keys, size_t n, struct err *e)
{
	struct search *s = ctx;
	struct redis_reply *heads = NULL;
	struct pg_rows *reads = NULL;
	int r = keys_heads(s->redis, keys, n, &heads, e);

	if (r >= 0)
		r = count_reads(s->pg, keys, n, &reads, e);
	for (size_t i = 0; r >= 0 && i < pg_rows_count(reads); i++) {
		struct cacheentry_head h;

		if (is_answer(keys[i]) &&
		    cacheentry_read_head(heads->items[i]->str, heads->items[i]->len, &h))
			add(&s->found, keys[i],
			    candidates_urgency(s->now_s - h.stored_at_s,
					       h.fresh_until_s - h.stored_at_s,
					       pg_int(reads, i, 0), pg_int(reads, i, 1)));
	}
	pg_rows_free(reads);
	redis_reply_free(heads);
	return r;
}

static int find_in_redis(struct search *s, struct err *e)
{
	if (!strpbrk(s->pattern, "*?[\\"))
		return see_keys(s, &s->pattern, 1, e);
	return keys_scan(s->redis, s->pattern, see_keys, s, e);
}

/* ---- in the tracking table ---- */

static const char SQL_PAGE[] =
	"SELECT cache_key, ttl_seconds, cache_hits, cache_misses, extract(epoch FROM now()"
	"  - (c.expires_at - make_interval(secs => " CACHE_SQL_KEEP ")))::bigint"
	" FROM salary_data_cache c WHERE data_type = '" CACHEKEY_SALARY "' AND cache_key > $1"
	" AND expires_at > now() ORDER BY cache_key LIMIT " PAGE;

static int find_in_tables(struct search *s, struct err *e)
{
	char *after = mem_strdup("");
	int64_t r;
	size_t n;

	s->found.from_tables = true;
	do {
		struct pg_rows *rows = NULL;

		r = pg_run(s->pg, SQL_PAGE, PG_PARAMS(PG_TEXT(after)), &rows, e);
		n = pg_rows_count(rows);
		for (size_t i = 0; i < n; i++)
			if (is_answer(pg_text(rows, i, 0)) &&
			    keys_match(s->pattern, pg_text(rows, i, 0)))
				add(&s->found, pg_text(rows, i, 0),
				    candidates_urgency(pg_int(rows, i, 4), pg_int(rows, i, 1),
						       pg_int(rows, i, 2), pg_int(rows, i, 3)));
		if (n > 0)
			mem_replace(&after, mem_strdup(pg_text(rows, n - 1, 0)));
		pg_rows_free(rows);
	} while (r >= 0 && n > 0);
	free(after);
	return r < 0 ? (int)r : 0;
}

int candidates_find(struct pg *pg, struct redis *redis, const char *pattern, int64_t now_s,
		    struct candidates *ret, struct err *e)
{
	struct search s = { .pg = pg, .redis = redis, .pattern = pattern, .now_s = now_s };
	int r = redis ? find_in_redis(&s, e) : 0;

	if ((r >= 0 && s.found.count == 0) || (r < 0 && redis && !redis_is_alive(redis))) {
		candidates_release(&s.found);
		r = find_in_tables(&s, e);
	}
	if (r < 0) {
		candidates_release(&s.found);
		return r;
	}
	keep_most_urgent(&s.found);
	*ret = s.found;
	return 0;
}

void candidates_release(struct candidates *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->items[i].key);
	free(c->items);
	*c = (struct candidates){ 0 };
}
