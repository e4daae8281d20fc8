/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/watch.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/dispatcher/claims.h"
#include "workers/dispatcher/orphans.h"
#include "workers/dispatcher/peers.h"
#include "workers/dispatcher/putback.h"
#include "workers/dispatcher/silent.h"
#include "workers/dispatcher/stuck.h"

enum { SLOWNESS = 20, SETTLE_MS = 5000 };

/* While PostgreSQL was away nobody could report: first all get the time to. */
static bool reports_are_fresh(const struct watch *w, const struct conf *conf)
{
	return clock_mono_ms() - w->back_ms > 3000 * conf->fleet.heartbeat_s + SETTLE_MS;
}

static int look_unserved(struct watch *w, const struct conf *conf, struct pg *pg,
			 struct peers *peers, struct err *e)
{
	struct publisher *p = peers_broker(peers);

	return p && !publisher_is_blocked(p) ? unserved_look(&w->unserved, conf, pg, p, e) : 0;
}

static int look_silent(struct watch *w, const struct conf *conf, struct pg *pg,
		       struct peers *peers, struct err *e)
{
	(void)peers;
	return reports_are_fresh(w, conf) ? silent_look(pg, conf->fleet.heartbeat_s, e) : 0;
}

static int look_claims(struct watch *w, const struct conf *conf, struct pg *pg,
		       struct peers *peers, struct err *e)
{
	(void)w;
	(void)peers;
	return claims_look(pg, conf->fleet.lease_ms, e);
}

static int look_stuck(struct watch *w, const struct conf *conf, struct pg *pg,
		      struct peers *peers, struct err *e)
{
	(void)w;
	(void)conf;
	(void)peers;
	return stuck_look(pg, e);
}

/* Parts may lie in any queue; while one has messages, nobody knows. */
static int look_orphans(struct watch *w, const struct conf *conf, struct pg *pg,
			struct peers *peers, struct err *e)
{
	(void)peers;
	return w->unserved.all_empty && reports_are_fresh(w, conf) ?
		       orphans_look(pg, conf->fleet.join_timeout_ms, e) : 0;
}

static int look_putback(struct watch *w, const struct conf *conf, struct pg *pg,
			struct peers *peers, struct err *e)
{
	struct redis *redis = peers_redis(peers);

	(void)w;
	return redis ? putback_look(pg, redis, conf->fleet.redis_prefix, e) : 0;
}

static const struct {
	int (*look)(struct watch *w, const struct conf *conf, struct pg *pg, struct peers *peers,
		    struct err *e);
	int pace_ms;
} KINDS[WATCH_KINDS] = {
	{ look_putback, 5000 }, { look_unserved, 4000 }, { look_silent, 5000 },
	{ look_claims, 5000 },	{ look_stuck, 5000 },	 { look_orphans, 5000 },
};

int watch_turn(struct watch *w, const struct conf *conf, struct peers *peers, struct err *e)
{
	int64_t now = clock_mono_ms();
	struct pg *pg = peers_database(peers);
	int r = 0;

	if (pg && w->connection != peers_count(peers, PEER_DATABASE)) {
		w->connection = peers_count(peers, PEER_DATABASE);
		w->back_ms = now;
	}

	for (int n = 0; pg && n < WATCH_KINDS; n++) {
		unsigned i = w->kind++ % WATCH_KINDS;

		if (now < w->next_ms[i])
			continue;
		r = KINDS[i].look(w, conf, pg, peers, e);
		/* one that takes long must not keep the others and the relay from their work */
		w->next_ms[i] = now + KINDS[i].pace_ms + SLOWNESS * (clock_mono_ms() - now);
		break;
	}
	return r;
}

void watch_release(struct watch *w)
{
	unserved_release(&w->unserved);
}
