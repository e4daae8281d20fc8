/* SPDX-License-Identifier: MIT */
#include "workers/ctl/pidbox.h"

#include <poll.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/link.h"
#include "common/broker/props.h"
#include "common/net/url.h"

enum {
	CH = 1,
	BODY_MAX = 16 << 20,
	OUTPUT_MAX = 32 << 20,
	PROPS_MAX = 1 << 17,
	USER_TIMEOUT_MS = 5000,
	REPLIES_MAX = 10000,
	QUEUE_EXPIRES_MS = 10000, REPLY_TTL_MS = 300000,	/* as Celery's clients declare it */
	TICK_MS = 1000,
};

static const char EXCHANGE[] = "celery.pidbox", REPLY_EXCHANGE[] = "reply.celery.pidbox";

struct pidbox {
	struct link *link;
	char queue[UUID_SIZE + 32];
	char ticket[UUID_SIZE];		/* of the call that goes on: its replies have it as key */
	bool answered, refused, returned;
	char refusal[256];
	struct pidbox_replies *replies;
};

/* {"node": reply} */
static void take_reply(struct pidbox *p, const char *body, size_t len)
{
	struct pidbox_reply *one;
	cJSON *o = NULL;
	char *raw = NULL;

	if (p->replies->n == REPLIES_MAX || json_parse(body, len, &o, NULL) < 0)
		return;
	if (cJSON_IsObject(o) && o->child && o->child->string &&
	    !pidbox_reply_of(p->replies, o->child->string)) {
		if (json_raw_member(body, len, o->child->string, &raw, NULL) != 1)
			raw = mem_strdup("null");
		p->replies->items = mem_realloc(p->replies->items,
						(p->replies->n + 1) * sizeof *one);
		one = &p->replies->items[p->replies->n++];
		*one = (struct pidbox_reply){ mem_strdup(o->child->string), raw };
	}
	cJSON_Delete(o);
}

static void on_event(void *ctx, const struct link_event *ev)
{
	struct pidbox *p = ctx;

	switch (ev->kind) {
	case LINK_DELIVERY:
		if (p->replies && ev->body && strcmp(ev->key, p->ticket) == 0)
			take_reply(p, ev->body, ev->body_len);
		return;
	case LINK_RETURNED:
		p->returned = true;
		return;
	case LINK_PART:
	case LINK_BLOCKED:
	case LINK_UNBLOCKED:
		return;
	case LINK_CHANNEL_CLOSED:
		p->refused = true;
		snprintf(p->refusal, sizeof p->refusal, "%s", ev->text);
		break;
	default:
		break;
	}
	p->answered = true;
}

/* Waits for the socket at most until deadline, then handles what came. */
static int turn(struct pidbox *p, int64_t deadline, struct err *e)
{
	int64_t now = clock_mono_ms(), left = deadline - now;
	struct pollfd pfd = { .fd = link_fd(p->link), .events = link_poll_events(p->link) };
	int r = 0;

	if (poll(&pfd, 1, left < 0 ? 0 : left < TICK_MS ? (int)left : TICK_MS) > 0)
		r = link_io(p->link, e);
	return r < 0 ? r : link_tick(p->link, e);
}

static int ask(struct pidbox *p, int queued, int64_t deadline, struct err *e)
{
	int r = queued < 0 ? err_set(e, ERR_TOO_BIG, "RabbitMQ: output buffer full") :
			     link_flush(p->link, e);

	p->answered = p->refused = false;
	while (r >= 0 && !p->answered) {
		if (clock_mono_ms() >= deadline)
			return err_set(e, ERR_TIMEOUT, "RabbitMQ did not answer in time");
		r = turn(p, deadline, e);
	}
	if (r >= 0 && p->refused)
		return err_set(e, ERR_REFUSED, "RabbitMQ: %s", p->refusal);
	return r;
}

static int declare(struct pidbox *p, int64_t deadline, struct err *e)
{
	struct link_queue q = { .name = p->queue, .auto_delete = true,
				.expires_ms = QUEUE_EXPIRES_MS, .message_ttl_ms = REPLY_TTL_MS };
	struct link *l = p->link;
	int r = ask(p, 0, deadline, e);

	if (r >= 0)
		r = ask(p, link_channel_open(l, CH), deadline, e);
	if (r >= 0)
		r = ask(p, link_exchange_declare(l, CH, EXCHANGE, "fanout", false), deadline, e);
	if (r >= 0)
		r = ask(p, link_exchange_declare(l, CH, REPLY_EXCHANGE, "direct", false), deadline,
			e);
	if (r >= 0)
		r = ask(p, link_queue_declare(l, CH, &q), deadline, e);
	if (r >= 0)
		r = ask(p, link_consume(l, CH, p->queue, "replies", true), deadline, e);
	return r;
}

static int try_host(struct pidbox *p, const char *url, unsigned host, int64_t deadline,
		    struct err *e)
{
	struct link_options o = {
		.url = url, .host = host, .name = "jobfleet control", .max_body = BODY_MAX,
		.max_output = OUTPUT_MAX, .user_timeout_ms = USER_TIMEOUT_MS,
	};
	int r = link_start(&p->link, &o, on_event, p, e);

	if (r >= 0)
		r = declare(p, deadline, e);
	if (r < 0) {
		link_close(p->link);
		p->link = NULL;
	}
	return r;
}

int pidbox_open(struct pidbox **ret, const char *broker_url, int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	char id[UUID_SIZE];
	struct pidbox *p;
	struct url url;
	size_t hosts;
	int r = url_parse(&url, broker_url, e);

	if (r < 0)
		return err_prefix(e, "broker URL");
	hosts = url.nhosts;
	url_release(&url);
	p = mem_zalloc(sizeof *p);
	uuid_v4(id);
	snprintf(p->queue, sizeof p->queue, "%s.reply.celery.pidbox", id);
	r = err_set(e, ERR_CONFIG, "broker URL names no host");
	for (unsigned h = 0; h < hosts && r < 0 && clock_mono_ms() < deadline; h++)
		r = try_host(p, broker_url, h, deadline, e);
	if (r < 0) {
		pidbox_close(p);
		return r;
	}
	*ret = p;
	return 0;
}

void pidbox_close(struct pidbox *p)
{
	if (!p)
		return;
	link_close(p->link);
	free(p);
}

static char *print_request(const struct pidbox *p, const struct pidbox_request *q, bool reply)
{
	cJSON *o = mem_check(cJSON_CreateObject()), *to;
	char *text;

	json_set_str(o, "method", q->method);
	json_set_raw(o, "arguments", q->arguments ? q->arguments : "{}");
	json_set(o, "destination",
		 q->nnodes ? cJSON_CreateStringArray(q->nodes, (int)q->nnodes) :
			     cJSON_CreateNull());
	json_set_str(o, "pattern", NULL);
	json_set_str(o, "matcher", NULL);
	if (reply) {
		to = mem_check(cJSON_CreateObject());
		json_set_str(to, "exchange", REPLY_EXCHANGE);
		json_set_str(to, "routing_key", p->ticket);
		json_set_str(o, "ticket", p->ticket);
		json_set(o, "reply_to", to);
	}
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

static int publish(struct pidbox *p, const struct pidbox_request *q, int timeout_ms, struct err *e)
{
	cJSON *headers = mem_check(cJSON_CreateObject());
	char *text = print_request(p, q, timeout_ms > 0);
	struct buf props;
	int r;

	json_set_num(headers, "clock", 1);
	json_set_num(headers, "expires",
		     timeout_ms > 0 ? (double)(clock_wall_ms() + timeout_ms) / 1000 : 0);
	buf_init(&props, PROPS_MAX);
	r = props_encode(&props, headers, e);
	if (r >= 0 && link_publish(p->link, CH, EXCHANGE, "", true, props.data, props.len, text,
				   strlen(text)) < 0)
		r = err_set(e, ERR_TOO_BIG, "the request does not fit the output buffer");
	buf_release(&props);
	cJSON_Delete(headers);
	free(text);
	return r;
}

static bool all_answered(const struct pidbox_request *q, const struct pidbox_replies *r)
{
	for (size_t i = 0; i < q->nnodes; i++) {
		if (!pidbox_reply_of(r, q->nodes[i]))
			return false;
	}
	return q->nnodes > 0;
}

/* What one request and the answers to it need; the next call has a ticket of its own. */
static int exchange(struct pidbox *p, const struct pidbox_request *q, int timeout_ms, struct err *e)
{
	int64_t end = clock_mono_ms() + timeout_ms;
	int r = 0;

	if (timeout_ms > 0)
		r = ask(p, link_queue_bind(p->link, CH, p->queue, REPLY_EXCHANGE, p->ticket),
			clock_mono_ms() + USER_TIMEOUT_MS, e);
	if (r >= 0)
		r = publish(p, q, timeout_ms, e);
	if (r >= 0)
		r = link_flush(p->link, e);
	while (r >= 0 && !p->returned && clock_mono_ms() < end && !all_answered(q, p->replies))
		r = turn(p, end, e);
	/* an answer to something sent later says that the broker has the request */
	if (r >= 0 && timeout_ms == 0)
		r = ask(p, link_qos(p->link, CH, 0, false), clock_mono_ms() + USER_TIMEOUT_MS, e);
	if (r >= 0 && link_is_blocked(p->link))
		r = err_set(e, ERR_BROKER, "RabbitMQ is blocked by an alarm: no request goes out");
	return r;
}

static int by_node(const void *a, const void *b)
{
	return strcmp(((const struct pidbox_reply *)a)->node,
		      ((const struct pidbox_reply *)b)->node);
}

int pidbox_broadcast(struct pidbox *p, const struct pidbox_request *q, int timeout_ms,
		     struct pidbox_replies *ret, struct err *e)
{
	struct pidbox_replies got = { 0 };
	int r;

	uuid_v4(p->ticket);
	p->replies = &got;
	p->returned = false;
	r = exchange(p, q, timeout_ms, e);
	p->replies = NULL;
	if (r < 0) {
		pidbox_replies_release(&got);
		return r;
	}
	if (got.n > 1)
		qsort(got.items, got.n, sizeof *got.items, by_node);
	*ret = got;
	return 0;
}

const char *pidbox_reply_of(const struct pidbox_replies *r, const char *node)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->items[i].node, node) == 0)
			return r->items[i].json;
	}
	return NULL;
}

void pidbox_replies_release(struct pidbox_replies *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->items[i].node);
		free(r->items[i].json);
	}
	free(r->items);
	*r = (struct pidbox_replies){ 0 };
}
