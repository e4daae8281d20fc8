/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/peers.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

#define OPEN_MS 3000
#define DATABASE_MS 10000		/* for what is done between two questions for the database */
#define REDIS_CALL_MS 3000
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS 3000
#define WINDOW 512

struct peer_state {
	void *handle;	     /* of the kind that PEERS says; NULL = away */
	char *url;	     /* the handle's */
	int64_t retry_at_ms; /* monotonic */
	int backoff_ms;	     /* 0 = last attempt went well */
	unsigned count;
};

struct peers {
	const struct conf *conf;
	char *node;
	struct err refusal;
	struct peer_state states[PEER_COUNT];
};

static int open_database(void **ret, const char *url, const char *node, struct err *e)
{
	struct pg *pg;
	int r = pg_open(&pg, url, node, OPEN_MS, e);

	if (r < 0)
		return r;
	r = migrate_check(pg, e);
	if (r == 0)
		r = pg_limit_locks(pg, PEERS_LOCK_MS, e);
	if (r == 0)
		r = pg_listen(pg, "jobfleet_pending", e);
	if (r < 0)
		pg_close(pg);
	else
		*ret = pg;
	return r;
}

static int open_broker(void **ret, const char *url, const char *node, struct err *e)
{
	struct publisher *publisher;
	int r = publisher_open(&publisher, url, node, WINDOW, OPEN_MS, e);

	if (r == 0)
		*ret = publisher;
	return r;
}

static int open_redis(void **ret, const char *url, const char *node, struct err *e)
{
	struct redis *redis;
	int r = redis_open(&redis, url, REDIS_CALL_MS, e);

	(void)node;
	if (r == 0)
		*ret = redis;
	return r;
}

static void close_database(void *handle)
{
	pg_close(handle);
}
static void close_broker(void *handle)
{
	publisher_close(handle);
}
static void close_redis(void *handle)
{
	redis_close(handle);
}
static bool database_is_alive(const void *handle)
{
	return pg_is_alive(handle);
}
static bool broker_is_alive(const void *handle)
{
	return publisher_is_alive(handle);
}
static bool redis_alive(const void *handle)
{
	return redis_is_alive(handle);
}

static const struct {
	const char *name;
	size_t url_at; /* in struct conf_fleet */
	int (*open)(void **ret, const char *url, const char *node, struct err *e);
	void (*close)(void *handle);
	bool (*is_alive)(const void *handle);
} PEERS[PEER_COUNT] = {
	[PEER_DATABASE] = { "PostgreSQL", offsetof(struct conf_fleet, database_direct_url),
			    open_database, close_database, database_is_alive },
	[PEER_BROKER] = { "RabbitMQ", offsetof(struct conf_fleet, broker_url), open_broker,
			  close_broker, broker_is_alive },
	[PEER_MAILBOX] = { "RabbitMQ (mailbox)", offsetof(struct conf_fleet, broker_url),
			   open_broker, close_broker, broker_is_alive },
	[PEER_REDIS] = { "Redis", offsetof(struct conf_fleet, redis_url), open_redis, close_redis,
			 redis_alive },
};

static const char *url_of(const struct peers *p, enum peer which)
{
	const char *url;

	memcpy(&url, (const char *)&p->conf->fleet + PEERS[which].url_at, sizeof url);
	return url;
}

static void shut(struct peers *p, enum peer which)
{
	struct peer_state *s = &p->states[which];

	if (s->handle)
		PEERS[which].close(s->handle);
	s->handle = NULL;
}

/* The wait doubles, and each is drawn from its upper half so that dispatchers do not come back
 * in step. */
static void back_off(struct peer_state *s)
{
	s->backoff_ms = s->backoff_ms ? s->backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (s->backoff_ms > BACKOFF_MOST_MS)
		s->backoff_ms = BACKOFF_MOST_MS;
	s->retry_at_ms = clock_mono_ms() + s->backoff_ms / 2 +
		arc4random_uniform((uint32_t)s->backoff_ms / 2 + 1);
}

void peers_drop(struct peers *p, enum peer which, const struct err *why)
{
	struct peer_state *s = &p->states[which];

	if (!s->handle)
		return;
	shut(p, which);
	back_off(s);
	log_warn("%s is away, trying again reason=\"%s\"", PEERS[which].name,
		 why && why->msg[0] ? why->msg : "connection lost");
}

static void try_open(struct peers *p, enum peer which)
{
	struct peer_state *s = &p->states[which];
	bool first_failure = s->backoff_ms == 0;
	struct err e = { 0 };
	void *handle;

	if (PEERS[which].open(&handle, url_of(p, which), p->node, &e) < 0) {
		back_off(s);
		if (e.code == ERR_SCHEMA && s->count == 0)
			p->refusal = e;
		if (first_failure)
			log_warn("%s is away, trying again reason=\"%s\"", PEERS[which].name,
				 e.msg);
		return;
	}
	s->handle = handle;
	s->backoff_ms = 0;
	s->count++;
	mem_replace(&s->url, mem_strdup(url_of(p, which)));
	log_info("%s is there", PEERS[which].name);
}

static void *usable(struct peers *p, enum peer which)
{
	struct peer_state *s = &p->states[which];

	if (s->handle && !PEERS[which].is_alive(s->handle))
		peers_drop(p, which, NULL);
	if (!s->handle && clock_mono_ms() >= s->retry_at_ms)
		try_open(p, which);
	return s->handle;
}

struct pg *peers_database(struct peers *p)
{
	struct pg *pg = usable(p, PEER_DATABASE);

	if (pg)
		pg_set_deadline(pg, clock_mono_ms() + DATABASE_MS);
	return pg;
}

struct publisher *peers_broker(struct peers *p)
{
	return usable(p, PEER_BROKER);
}

struct publisher *peers_mailbox(struct peers *p)
{
	return usable(p, PEER_MAILBOX);
}

struct redis *peers_redis(struct peers *p)
{
	return usable(p, PEER_REDIS);
}

bool peers_is_up(const struct peers *p, enum peer which)
{
	return p->states[which].handle && PEERS[which].is_alive(p->states[which].handle);
}

const struct err *peers_refusal(const struct peers *p)
{
	return p->refusal.code == ERR_NONE ? NULL : &p->refusal;
}

unsigned peers_count(const struct peers *p, enum peer which)
{
	return p->states[which].count;
}

const char *peers_node(const struct peers *p)
{
	return p->node;
}

const char *peers_name(enum peer which)
{
	return PEERS[which].name;
}

void peers_open(struct peers **ret, const struct conf *conf, const char *node)
{
	struct peers *p = mem_zalloc(sizeof *p);

	p->conf = conf;
	p->node = mem_strdup(node);
	*ret = p;
}

void peers_use(struct peers *p, const struct conf *conf)
{
	p->conf = conf;
	for (int i = 0; i < PEER_COUNT; i++)
		if (p->states[i].handle && strcmp(p->states[i].url, url_of(p, i)) != 0)
			shut(p, i);
}

void peers_close(struct peers *p)
{
	if (!p)
		return;
	for (int i = 0; i < PEER_COUNT; i++) {
		shut(p, i);
		free(p->states[i].url);
	}
	free(p->node);
	free(p);
}
