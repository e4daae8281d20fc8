/* SPDX-License-Identifier: MIT */
#include "common/worker/stores.h"

#include "common/base/err.h"
#include "common/broker/publisher.h"
#include "common/net/http.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

enum { PG_OPEN_MS = 5000, REDIS_MS = 3000, BROKER_OPEN_MS = 2000 };

void stores_init(struct stores *s, const struct conf *conf, const char *name)
{
	*s = (struct stores){ .conf = conf, .name = name };
}

void stores_release(struct stores *s)
{
	pg_close(s->pg);
	redis_close(s->redis);
	publisher_close(s->publisher);
	http_close(s->http);
	*s = (struct stores){ .conf = s->conf, .name = s->name };
}

void stores_drop_broken(struct stores *s)
{
	if (s->pg && !pg_is_alive(s->pg)) {
		pg_close(s->pg);
		s->pg = NULL;
	}
	if (s->redis && !redis_is_alive(s->redis)) {
		redis_close(s->redis);
		s->redis = NULL;
	}
	if (s->publisher && !publisher_is_alive(s->publisher)) {
		publisher_close(s->publisher);
		s->publisher = NULL;
	}
}

int stores_pg(struct stores *s, struct pg **ret, struct err *e)
{
	int r = 0;

	stores_drop_broken(s);
	if (!s->pg)
		r = pg_open(&s->pg, s->conf->fleet.database_url, s->name, PG_OPEN_MS, e);
	*ret = s->pg;
	return r;
}

int stores_redis(struct stores *s, struct redis **ret, struct err *e)
{
	int r = 0;

	stores_drop_broken(s);
	if (!s->redis)
		r = redis_open(&s->redis, s->conf->fleet.redis_url, REDIS_MS, e);
	*ret = s->redis;
	return r;
}

int stores_publisher(struct stores *s, struct publisher **ret, struct err *e)
{
	int r = 0;

	stores_drop_broken(s);
	if (!s->publisher)
		r = publisher_open(&s->publisher, s->conf->fleet.broker_url, s->name, 0,
				   BROKER_OPEN_MS, e);
	*ret = s->publisher;
	return r;
}

int stores_http(struct stores *s, struct http **ret, struct err *e)
{
	int r = 0;

	if (!s->http)
		r = http_open(&s->http, "jobfleet/" JOBFLEET_VERSION, e);
	*ret = s->http;
	return r;
}
