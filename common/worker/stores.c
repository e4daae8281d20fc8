/* SPDX-License-Identifier: MIT */
#include "common/worker/stores.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/net/http.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

enum { PG_OPEN_MS = 5000, REDIS_MS = 3000, BROKER_OPEN_MS = 2000 };

int stores_check_urls(const struct conf *conf, struct err *e)
{
	const struct {
		const char *key, *url;
		int (*check)(const char *url, struct err *e);
		const char *example;
	} urls[] = {
		{ "broker_url", conf->fleet.broker_url, publisher_check_url,
		  "amqp://user:password@host:5672/vhost" },
		{ "database_url", conf->fleet.database_url, pg_check_url,
		  "postgresql://user:password@host:5432/jobfleet" },
		{ "database_direct_url", conf->fleet.database_direct_url, pg_check_url,
		  "postgresql://user:password@host:5432/jobfleet" },
		{ "redis_url", conf->fleet.redis_url, redis_check_url,
		  "redis://:password@host:6379/0" },
	};
	char origin[512];
	struct err why = { 0 };

	for (size_t i = 0; i < COUNT(urls); i++) {
		if (urls[i].check(urls[i].url, &why) == 0)
			continue;
		conf_origin(conf, "fleet", NULL, urls[i].key, origin, sizeof origin);
		return err_set(e, ERR_CONFIG, "%s: fleet: %s: %s; a right URL looks like %s, with "
			       "%%2F for a \"/\" and %%40 for an \"@\" in a password", origin,
			       urls[i].key, why.msg, urls[i].example);
	}
	return 0;
}

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
