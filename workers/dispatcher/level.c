/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/level.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/orders.h"
#include "common/worker/orders.h"
#include "workers/dispatcher/peers.h"

#define RELEASE_MS 5000

/* Orders that the other side may lack, copied. */
struct todo {
	struct order *orders;
	size_t n, room;
};

struct side {
	struct orders *holds;
	int64_t seen; /* number of the last change read */
	struct todo todo;
	struct side *other;
};

struct level {
	struct side pg, redis;
	int64_t release_ms; /* monotonic */
};

static void clear_todo(struct todo *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free((char *)t->orders[i].name);
		free((char *)t->orders[i].value);
	}
	free(t->orders);
	*t = (struct todo){ 0 };
}

static void forget(struct side *s)
{
	orders_free(s->holds);
	s->holds = orders_new();
	s->seen = 0;
	clear_todo(&s->todo);
}

static void note(void *ctx, const struct order *o)
{
	struct side *s = ctx;
	struct todo *t = &s->todo;

	orders_apply(s->holds, o);
	if (orders_knows(s->other->holds, o))
		return;
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 16;
		t->orders = mem_realloc(t->orders, t->room * sizeof *t->orders);
	}
	t->orders[t->n] = *o;
	t->orders[t->n].name = mem_strdup(o->name);
	t->orders[t->n++].value = mem_strdup(o->value);
}

/* What one side said is written to the other, unless that has said the same meanwhile. */
static int pass_on(struct side *from, struct pg *pg, struct redis *redis, const char *prefix,
		   struct err *e)
{
	size_t written = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < from->todo.n; i++) {
		struct order *o = &from->todo.orders[i];

		if (orders_knows(from->other->holds, o))
			continue;
		o->by = o->reason = "";
		r = orders_write(pg, redis, prefix, o, e);
		if (r >= 0)
			orders_apply(from->other->holds, o);
		written += r >= 0;
	}
	if (written)
		log_info("orders brought to %s n=%zu", pg ? "PostgreSQL" : "Redis", written);
	clear_todo(&from->todo);
	return r;
}

static int read_redis(struct level *l, struct redis *redis, const char *prefix, struct err *e)
{
	bool began = l->redis.seen > 0;
	int r = orders_read_redis(redis, prefix, &l->redis.seen, note, &l->redis, e);

	if (r <= 0 || !began)
		return r;
	log_warn("Redis has lost revokes and pauses, it gets them again");
	forget(&l->redis);
	l->pg.seen = 0;
	r = orders_read_redis(redis, prefix, &l->redis.seen, note, &l->redis, e);
	return r;
}

static int compare(struct level *l, struct pg *pg, struct redis *redis, const char *prefix,
		   struct err *e)
{
	int r = read_redis(l, redis, prefix, e);

	if (r >= 0)
		r = orders_read_pg(pg, &l->pg.seen, note, &l->pg, e);
	if (r >= 0)
		r = pass_on(&l->pg, NULL, redis, prefix, e);
	if (r >= 0)
		r = pass_on(&l->redis, pg, NULL, prefix, e);
	if (r < 0) { /* what was not passed on is found again */
		forget(&l->pg);
		forget(&l->redis);
	}
	return r < 0 ? r : 0;
}

static int release_parked(struct level *l, struct pg *pg, struct err *e)
{
	if (clock_mono_ms() < l->release_ms)
		return 0;
	l->release_ms = clock_mono_ms() + RELEASE_MS;
	return orders_release_parked(pg, e);
}

int level_turn(struct level *l, const struct conf *conf, struct peers *peers, struct err *e)
{
	struct pg *pg = peers_database(peers);
	struct redis *redis = peers_redis(peers);
	int r = pg ? orders_number(pg, e) : 0;

	if (r >= 0 && pg && redis)
		r = compare(l, pg, redis, conf->fleet.redis_prefix, e);
	if (r >= 0 && pg)
		r = release_parked(l, pg, e);
	return r;
}

struct level *level_new(void)
{
	struct level *l = mem_zalloc(sizeof *l);

	l->pg.holds = orders_new();
	l->redis.holds = orders_new();
	l->pg.other = &l->redis;
	l->redis.other = &l->pg;
	return l;
}

void level_free(struct level *l)
{
	if (!l)
		return;
	clear_todo(&l->pg.todo);
	clear_todo(&l->redis.todo);
	orders_free(l->pg.holds);
	orders_free(l->redis.holds);
	free(l);
}
