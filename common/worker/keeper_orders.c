/* SPDX-License-Identifier: MIT */
#include "common/worker/keeper_orders.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/store/orders.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/frame.h"
#include "common/worker/stores.h"

enum { REDIS_MS = 200, PG_MS = 500, AWAY_MS = 1000, PG_CALL_MS = 3000, SLOWNESS = 4 };

int keeper_orders_due_ms(const struct keeper_orders *k)
{
	int64_t next = k->redis_ms < k->pg_ms ? k->redis_ms : k->pg_ms;
	int64_t left = next - clock_mono_ms();

	return left > 0 ? (int)left : 0;
}

static void put_order(void *ctx, const struct order *o)
{
	struct frame_port *port = ctx;

	frame_begin(port, FRAME_ORDER);
	frame_put_u32(port, o->kind);
	frame_put_str(port, o->name);
	frame_put_str(port, o->value);
	frame_put_u32(port, o->on);
	frame_put_i64(port, o->at_ms);
	frame_end(port);
}

/* A store that lets us wait for its failure is asked less often: others wait for us meanwhile. */
static int64_t next_ms(int64_t asked_ms, int r, int pace_ms)
{
	int64_t now = clock_mono_ms(), slow = (now - asked_ms) * SLOWNESS;

	return now + (r >= 0 ? pace_ms : slow > AWAY_MS ? slow : AWAY_MS);
}

static void ask_redis(struct keeper_orders *k, struct stores *stores, struct frame_port *port)
{
	int64_t asked_ms = clock_mono_ms();
	struct redis *redis;
	int r = stores_redis(stores, &redis, NULL);

	if (r >= 0)
		r = orders_read_redis(redis, stores->conf->fleet.redis_prefix, &k->counter,
				      put_order, port, NULL);
	k->redis = r < 0 ? -1 : 1;
	k->redis_ms = next_ms(asked_ms, r, REDIS_MS);
}

static void ask_pg(struct keeper_orders *k, struct stores *stores, struct frame_port *port)
{
	int64_t asked_ms = clock_mono_ms();
	struct pg *pg;
	int r = stores_pg(stores, &pg, NULL);

	if (r >= 0) {
		pg_set_deadline(pg, clock_mono_ms() + PG_CALL_MS);
		r = orders_read_pg(pg, &k->seq, put_order, port, NULL);
		pg_set_deadline(pg, 0);
	}
	k->pg = r < 0 ? -1 : 1;
	k->pg_ms = next_ms(asked_ms, r, PG_MS);
}

void keeper_orders_poll(struct keeper_orders *k, struct stores *stores, struct frame_port *port)
{
	int64_t now = clock_mono_ms();

	if (now >= k->redis_ms)
		ask_redis(k, stores, port);
	if (now >= k->pg_ms)
		ask_pg(k, stores, port);
	if (!k->loaded && k->redis && k->pg && (k->redis > 0 || k->pg > 0)) {
		k->loaded = true;
		frame_begin(port, FRAME_ORDERS_LOADED);
		frame_end(port);
	}
}

int keeper_orders_write(struct stores *stores, struct frame *f, struct err *e)
{
	struct order o = { .kind = (enum order_kind)frame_get_u32(f) };
	struct redis *redis = NULL;
	struct pg *pg = NULL;

	o.name = frame_get_str(f);
	o.value = frame_get_str(f);
	o.reason = frame_get_str(f);
	o.by = frame_get_str(f);
	o.on = frame_get_u32(f) != 0;
	if (stores_pg(stores, &pg, NULL) < 0)
		pg = NULL;
	if (stores_redis(stores, &redis, NULL) < 0)
		redis = NULL;
	return orders_write(pg, redis, stores->conf->fleet.redis_prefix, &o, e);
}
