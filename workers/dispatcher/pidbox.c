/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/pidbox.h"

#include <poll.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/link.h"
#include "common/store/orders.h"
#include "common/worker/control_decode.h"
#include "workers/dispatcher/peers.h"

#define SETUP_MS 5000
#define BACKOFF_MS 1000
#define CHANNEL 1
#define PREFETCH 50
#define MAX_BODY (1 << 20)
#define MAX_OUTPUT (1 << 20)
#define USER_TIMEOUT_MS 10000
#define HEARTBEAT_S 10
#define IDS_MAX 10000

enum step {
	STEP_LOGIN,
	STEP_OPEN,
	STEP_DECLARE,
	STEP_EXCHANGE,
	STEP_BIND,
	STEP_QOS,
	STEP_CONSUME,
	STEP_RUN
};

struct pidbox {
	const char *node;
	char *queue, *url; /* the link's */
	const struct conf *conf;
	struct peers *peers; /* during a turn */
	struct link *link;
	enum step step;
	unsigned host;
	bool said;			/* that it cannot listen */
	int64_t deadline_ms, retry_ms;	/* monotonic */
	struct err problem;
};

/* ---- orders ---- */

static int persist(struct pidbox *p, enum order_kind kind, const char *name, const char *value)
{
	struct order o = { .kind = kind, .name = name, .value = value, .by = "pidbox",
			   .on = true };
	struct err e = { 0 };
	int r = orders_write(peers_database(p->peers), peers_redis(p->peers),
			     p->conf->fleet.redis_prefix, &o, &e);

	if (r >= 0)
		log_info("revoked %s%s%s", name, *name ? "=" : "", value);
	else if (e.code == ERR_INVALID)
		log_warn("a revoke means nothing: %s", e.msg);
	else
		p->problem = e;
	return p->problem.code ? -(int)p->problem.code : 0;
}

static int revoke_ids(struct pidbox *p, const cJSON *ids)
{
	const cJSON *id;
	int r = 0, n = 0;

	if (cJSON_IsString(ids))
		return persist(p, ORDER_REVOKE_ID, "", ids->valuestring);
	cJSON_ArrayForEach(id, ids)
		if (r >= 0 && cJSON_IsString(id) && n++ < IDS_MAX)
			r = persist(p, ORDER_REVOKE_ID, "", id->valuestring);
	return r;
}

static int revoke_stamp(struct pidbox *p, const char *name, const cJSON *values)
{
	const cJSON *value;
	int r = 0;

	if (cJSON_IsString(values))
		return persist(p, ORDER_REVOKE_STAMP, name, values->valuestring);
	cJSON_ArrayForEach(value, values)
		if (r >= 0 && cJSON_IsString(value))
			r = persist(p, ORDER_REVOKE_STAMP, name, value->valuestring);
	return r;
}

/* {"stamp": value or values}, or ["stamp=value", …] as `celery control` sends it. */
static int revoke_stamps(struct pidbox *p, const cJSON *headers)
{
	const cJSON *h;
	int r = 0;

	cJSON_ArrayForEach(h, headers) {
		const char *equals = cJSON_IsString(h) ? strchr(h->valuestring, '=') : NULL;
		char *name;

		if (r < 0)
			break;
		if (cJSON_IsObject(headers)) {
			r = revoke_stamp(p, h->string, h);
		} else if (equals) {
			name = mem_strndup(h->valuestring, (size_t)(equals - h->valuestring));
			r = persist(p, ORDER_REVOKE_STAMP, name, equals + 1);
			free(name);
		}
	}
	return r;
}

static int take(struct pidbox *p, const struct link_event *ev)
{
	struct control_call call;
	struct err e = { 0 };
	int r = 0;

	if (!ev->body || control_decode(&call, ev->body, ev->body_len, ev->props, ev->props_len,
					&e) < 0) {
		log_warn("a remote control message means nothing: %s", e.msg);
		return 0;
	}
	if (control_is_for(&call, p->node, NULL) <= 0)
		r = 0;
	else if (strcmp(call.method, "revoke") == 0 || strcmp(call.method, "terminate") == 0)
		r = revoke_ids(p, json_get(call.arguments, "task_id"));
	else if (strcmp(call.method, "revoke_by_stamped_headers") == 0)
		r = revoke_stamps(p, json_get(call.arguments, "headers"));
	control_call_release(&call);
	return r;
}

/* ---- the connection ---- */

static int send_step(struct pidbox *p)
{
	struct link_queue q = { .name = p->queue, .expires_ms = PIDBOX_EXPIRES_MS,
				.message_ttl_ms = PIDBOX_EXPIRES_MS };

	switch (p->step) {
	case STEP_OPEN:
		return link_channel_open(p->link, CHANNEL);
	case STEP_DECLARE:
		return link_queue_declare(p->link, CHANNEL, &q);
	case STEP_EXCHANGE:
		return link_exchange_declare(p->link, CHANNEL, "celery.pidbox", "fanout", false);
	case STEP_BIND:
		return link_queue_bind(p->link, CHANNEL, p->queue, "celery.pidbox", "");
	case STEP_QOS:
		return link_qos(p->link, CHANNEL, PREFETCH, false);
	case STEP_CONSUME:
		return link_consume(p->link, CHANNEL, p->queue, p->queue, false);
	default:
		return 0;
	}
}

static void next_step(struct pidbox *p)
{
	if (p->step == STEP_RUN)
		return;
	p->step++;
	if (p->step == STEP_RUN) {
		log_info("listening for remote control queue=%s", p->queue);
		p->said = false;
	}
	send_step(p);
}

static void on_event(void *ctx, const struct link_event *ev)
{
	struct pidbox *p = ctx;

	switch (ev->kind) {
	case LINK_OPENED:
	case LINK_CHANNEL_OPENED:
	case LINK_DECLARED:
	case LINK_CONSUMING:
	case LINK_OK:
		next_step(p);
		break;
	case LINK_DELIVERY:
		if (!p->problem.code && take(p, ev) >= 0)
			link_ack(p->link, CHANNEL, ev->tag, false);
		break;
	case LINK_CHANNEL_CLOSED:
	case LINK_CANCELLED:
		err_set(&p->problem, ERR_BROKER, "RabbitMQ ended it: %s", ev->text);
		break;
	default:
		break;
	}
}

/* What was not acked comes again with the next connection. */
static void go_down(struct pidbox *p, const char *why)
{
	link_close(p->link);
	p->link = NULL;
	p->host++;
	p->retry_ms = clock_mono_ms() + BACKOFF_MS;
	err_clear(&p->problem);
	if (!p->said)
		log_warn("cannot listen for remote control, trying again reason=\"%s\"", why);
	p->said = true;
}

static void start(struct pidbox *p)
{
	struct link_options o = { .url = p->conf->fleet.broker_url, .host = p->host,
				  .name = p->node, .heartbeat_s = HEARTBEAT_S,
				  .max_body = MAX_BODY, .max_output = MAX_OUTPUT,
				  .user_timeout_ms = USER_TIMEOUT_MS };
	struct err e = { 0 };

	mem_replace(&p->url, mem_strdup(o.url));
	p->step = STEP_LOGIN;
	p->deadline_ms = clock_mono_ms() + SETUP_MS;
	if (link_start(&p->link, &o, on_event, p, &e) < 0)
		go_down(p, e.msg);
}

int pidbox_turn(struct pidbox *p, const struct conf *conf, struct peers *peers, struct err *e)
{
	struct err why = { 0 };
	int r;

	(void)e;
	p->conf = conf;
	p->peers = peers;
	if (p->link && strcmp(p->url, conf->fleet.broker_url) != 0)
		go_down(p, "the broker has another URL now");
	if (!p->link && clock_mono_ms() >= p->retry_ms)
		start(p);
	if (!p->link)
		return 0;
	r = link_io(p->link, &why);
	if (r >= 0)
		r = link_tick(p->link, &why);
	if (r >= 0)
		r = link_flush(p->link, &why);
	if (r >= 0 && p->problem.code)
		r = err_set(&why, p->problem.code, "%s", p->problem.msg);
	if (r >= 0 && p->step < STEP_RUN && clock_mono_ms() > p->deadline_ms)
		r = err_set(&why, ERR_TIMEOUT, "the broker does not answer");
	if (r < 0)
		go_down(p, why.msg);
	return 0;
}

int pidbox_fd(const struct pidbox *p, short *ret_events)
{
	if (!p->link)
		return -1;
	*ret_events = link_poll_events(p->link);
	return link_fd(p->link);
}

struct pidbox *pidbox_new(const char *node)
{
	struct pidbox *p = mem_zalloc(sizeof *p);

	p->node = node;
	p->queue = mem_printf("%s.celery.pidbox", node);
	return p;
}

void pidbox_free(struct pidbox *p)
{
	if (!p)
		return;
	link_close(p->link);
	free(p->queue);
	free(p->url);
	free(p);
}
