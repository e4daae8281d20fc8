/* SPDX-License-Identifier: MIT */
#include "common/worker/health.h"

#include <stdarg.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/health_private.h"

/* ---- the report ---- */

struct component *health_add(struct health_report *r, const char *name, bool required,
			     enum health_state state, int64_t proof_us, const char *reason, ...)
{
	struct component *c;
	va_list args;

	r->components = mem_realloc(r->components, (r->n + 1) * sizeof *r->components);
	c = &r->components[r->n++];
	*c = (struct component){ .state = state, .required = required, .proof_us = proof_us };
	snprintf(c->name, sizeof c->name, "%s", name);
	va_start(args, reason);
	vsnprintf(c->reason, sizeof c->reason, reason, args);
	va_end(args);
	return c;
}

void health_report_release(struct health_report *r)
{
	free(r->components);
	*r = (struct health_report){ 0 };
}

enum health_state health_worst(const struct health_report *r)
{
	enum health_state worst = HEALTH_OK;

	for (size_t i = 0; i < r->n; i++) {
		const struct component *c = &r->components[i];

		if (c->state == HEALTH_FAILED && c->required)
			return HEALTH_FAILED;
		if (c->state >= HEALTH_DEGRADED)
			worst = HEALTH_DEGRADED;
	}
	return worst;
}

const char *health_state_name(enum health_state s)
{
	static const char *const names[HEALTH_STATES] = { "ok", "unknown", "degraded", "failed" };

	return names[s];
}

static void put_time(struct buf *out, int64_t us)
{
	char text[CLOCK_ISO_SIZE];

	if (us == 0) {
		buf_puts(out, "null");
		return;
	}
	clock_iso(us, text);
	buf_put_json_string(out, text);
}

void health_put_json(const struct health_report *r, struct buf *out)
{
	buf_printf(out, "{\"status\": \"%s\", \"at\": ", health_state_name(health_worst(r)));
	put_time(out, r->taken_us);
	buf_puts(out, ", \"components\": {");
	for (size_t i = 0; i < r->n; i++) {
		const struct component *c = &r->components[i];

		buf_puts(out, i ? ",\n" : "\n");
		buf_put_json_string(out, c->name);
		buf_printf(out, ": {\"state\": \"%s\", \"reason\": ", health_state_name(c->state));
		buf_put_json_string(out, c->reason);
		buf_puts(out, ", \"last_proof\": ");
		put_time(out, c->proof_us);
		buf_printf(out, ", \"required\": %s}", c->required ? "true" : "false");
	}
	buf_puts(out, "}}\n");
}

/* ---- the services ---- */

struct health *health_new(const struct conf *conf, const char *name)
{
	struct health *h = mem_zalloc(sizeof *h);

	h->conf = conf;
	h->name = name;
	return h;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	pg_close(h->pg);
	redis_close(h->redis);
	publisher_close(h->publisher);
	free(h);
}

struct pg *health_database(struct health *h)
{
	return h->pg;
}

struct publisher *health_broker(struct health *h)
{
	return h->publisher;
}

static int ask_database(struct health *h, struct err *e)
{
	int64_t r = 0;

	if (h->pg && !pg_is_alive(h->pg)) {
		pg_close(h->pg);
		h->pg = NULL;
	}
	if (!h->pg)
		r = pg_open(&h->pg, h->conf->fleet.database_url, h->name, HEALTH_MS, e);
	if (r < 0)
		return (int)r;
	pg_set_deadline(h->pg, clock_mono_ms() + HEALTH_MS);
	return migrate_check(h->pg, e);
}

static int ask_redis(struct health *h, struct err *e)
{
	int r = 0;

	if (h->redis && !redis_is_alive(h->redis)) {
		redis_close(h->redis);
		h->redis = NULL;
	}
	if (!h->redis)
		r = redis_open(&h->redis, h->conf->fleet.redis_url, HEALTH_MS, e);
	return r < 0 ? r : redis_cmd(h->redis, NULL, e, "PING", NULL);
}

/* A question about a queue that may be missing: what counts is that there is an answer. */
static int ask_broker(struct health *h, struct err *e)
{
	const char *queue = h->conf->nqueues > 0 ? h->conf->queues[0].name : "failed_operations";
	int64_t ready, consumers;
	int r = 0;

	if (h->publisher && !publisher_is_alive(h->publisher)) {
		publisher_close(h->publisher);
		h->publisher = NULL;
	}
	if (!h->publisher)
		r = publisher_open(&h->publisher, h->conf->fleet.broker_url, h->name, 1, HEALTH_MS,
				   e);
	if (r == 0)
		r = publisher_queue_depth(h->publisher, queue, &ready, &consumers, HEALTH_MS, e);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

static int64_t look_at(struct health *h, struct health_report *r, const char *name,
		       int (*ask)(struct health *h, struct err *e))
{
	int64_t began_us = clock_mono_us(), took_us;
	struct err e = { 0 };
	int code = ask(h, &e);

	took_us = clock_mono_us() - began_us;
	if (code < 0)
		health_add(r, name, true, HEALTH_FAILED, 0, "%s", e.msg);
	else
		health_add(r, name, true, HEALTH_OK, clock_wall_us(), "answered in %.1f ms",
			   (double)took_us / 1000);
	return code;
}

/* When it last worked is known only to who asks again and again. */
static void remember(struct health *h, struct health_report *r)
{
	for (size_t i = 0; i < HEALTH_SERVICES && i < r->n; i++) {
		if (r->components[i].proof_us)
			h->proof_us[i] = r->components[i].proof_us;
		else
			r->components[i].proof_us = h->proof_us[i];
	}
}

void health_look(struct health *h, struct health_report *ret)
{
	struct component *broker;
	bool database;

	*ret = (struct health_report){ .taken_us = clock_wall_us() };
	database = look_at(h, ret, "database", ask_database) >= 0;
	look_at(h, ret, "redis", ask_redis);
	look_at(h, ret, "broker", ask_broker);
	remember(h, ret);
	broker = &ret->components[2];
	if (broker->state == HEALTH_OK && publisher_is_blocked(h->publisher)) {
		broker->state = HEALTH_DEGRADED;
		snprintf(broker->reason, sizeof broker->reason,
			 "it has an alarm (memory or disk) and takes no messages");
	}
	health_programs(h, ret, database);
	health_sources(h, ret, database);
	health_host(h, ret);
	health_data(h, ret, database);
}
