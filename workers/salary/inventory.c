/* SPDX-License-Identifier: MIT */
#include "workers/salary/inventory.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "workers/salary/cache.h"
#include "workers/salary/cacheentry.h"
#include "workers/salary/keys.h"

struct count {
	struct redis *redis;
	struct pg *pg;
	struct inventory inv;
	enum cache_kind kind;
	int64_t seen;			/* of this kind */
};

static const char LENGTHS[] =
	"local lengths = {}"
	" for i, key in ipairs(KEYS) do"
	"  local n = redis.pcall('STRLEN', key)"
	"  lengths[i] = type(n) == 'number' and n or 0 end"
	" return lengths";
static const char SQL_STRATEGIES[] =
	"SELECT coalesce(c.metadata ->> 'strategy', '') FROM jsonb_array_elements_text($1::jsonb)"
	" WITH ORDINALITY AS k (name, n) LEFT JOIN salary_data_cache c ON c.cache_key = k.name"
	" ORDER BY k.n";

static int find_strategies(struct pg *pg, const char *const *keys, size_t n, struct pg_rows **ret,
			   struct err *e)
{
	char *names = keys_json(keys, n);
	int64_t r = pg_run(pg, SQL_STRATEGIES, PG_PARAMS(PG_TEXT(names)), ret, e);

	free(names);
	return r < 0 ? (int)r : 0;
}

static void add(struct inventory_part *p, int64_t bytes, int64_t plain)
{
	p->entries++;
	p->bytes += bytes;
	p->plain_bytes += plain;
}

static void weigh(struct count *c, const struct redis_reply *head, int64_t bytes,
		  const char *strategy)
{
	int64_t plain = cacheentry_plain_size(head->str, head->len, bytes),
		*oldest = &c->inv.oldest_stored_at_s;
	struct cacheentry_head h;

	if (plain < 0 || !cacheentry_read_head(head->str, head->len, &h))
		return;
	add(&c->inv.kinds[c->kind], bytes, plain);
	if (*oldest == 0 || h.stored_at_s < *oldest)
		*oldest = h.stored_at_s;
	for (int s = 0; s < STRATEGY_COUNT; s++)
		if (strcmp(strategy, strategy_name((enum strategy)s)) == 0)
			add(&c->inv.strategies[s], bytes, plain);
}

static int see_keys(void *ctx, const char *const *keys, size_t n, struct err *e)
{
	struct count *c = ctx;
	struct redis_reply *heads = NULL, *lengths = NULL;
	struct pg_rows *strategies = NULL;
	int r;

	if (c->seen >= INVENTORY_MOST) {
		c->inv.whole = false;
		return 0;
	}
	c->seen += (int64_t)n;
	r = keys_heads(c->redis, keys, n, &heads, e);
	if (r >= 0)
		r = keys_eval(c->redis, LENGTHS, keys, n, &lengths, e);
	if (r >= 0)
		r = find_strategies(c->pg, keys, n, &strategies, e);
	for (size_t i = 0; r >= 0 && i < n; i++)
		weigh(c, heads->items[i], lengths->items[i]->integer, pg_text(strategies, i, 0));
	pg_rows_free(strategies);
	redis_reply_free(lengths);
	redis_reply_free(heads);
	return r;
}

int inventory_take(struct redis *redis, struct pg *pg, struct inventory *ret, struct err *e)
{
	struct count c = { .redis = redis, .pg = pg, .inv = { .whole = true } };
	char pattern[64];
	int r = 0;

	for (int k = 0; r >= 0 && k < CACHE_KIND_COUNT; k++) {
		c.kind = (enum cache_kind)k;
		c.seen = 0;
		snprintf(pattern, sizeof pattern, "%s:*", cache_kind_name(c.kind));
		r = keys_scan(redis, pattern, see_keys, &c, e);
	}
	if (r >= 0)
		*ret = c.inv;
	return r;
}

struct inventory_part inventory_sum(const struct inventory *inv)
{
	struct inventory_part sum = { 0 };

	for (int k = 0; k < CACHE_KIND_COUNT; k++) {
		sum.entries += inv->kinds[k].entries;
		sum.bytes += inv->kinds[k].bytes;
		sum.plain_bytes += inv->kinds[k].plain_bytes;
	}
	return sum;
}

double inventory_ratio(const struct inventory_part *p)
{
	return p->bytes > 0 ? (double)p->plain_bytes / (double)p->bytes : 0;
}
