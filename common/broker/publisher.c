/* SPDX-License-Identifier: MIT */
#include "common/broker/publisher.h"

#include <poll.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/link.h"
#include "common/broker/message.h"
#include "common/net/conn.h"
#include "common/net/url.h"

enum {
	CH_PUBLISH = 1,			/* confirms only, so that nothing but a bug closes it */
	CH_ASK = 2,			/* declares and gets: a 404 or 406 closes it, and only it */
	WINDOW = 256,
	FLUSH_BYTES = 32768,		/* pipelined messages leave in pieces of this size */
	UNSENT_MOST = 512 * 1024,	/* what no socket takes yet is moved up at each write */
	OUTPUT_MAX = 192 << 20,		/* one message of the broker's largest size, and then some */
	BODY_MAX = 128 << 20,		/* returned bodies, basic.get */
	USER_TIMEOUT_MS = 5000, TICK_MS = 1000,
};

/* One unconfirmed message. Its props are kept to know it again when it is returned: a
 * basic.return carries no number. */
struct slot {
	uint64_t tag;
	bool settled, returned;
	struct buf props;
};

struct publisher {
	struct link *link;
	struct err broken;		/* why the connection is gone; code ERR_NONE while it lives */
	struct slot *slots;
	uint64_t window, first, next;	/* unsettled sequence numbers are in [first, next) */
	uint64_t waiting;		/* how many of them are not settled */
	publish_done *done;
	void *ctx;
	/* the one request that waits for an answer */
	bool answered, refused, ask_open;
	struct link_event answer;	/* kind, code, numbers; texts are not kept */
	char refusal[256];
	struct buf got_props, got_body;
};

static void settle(struct publisher *p, uint64_t seq, enum publish_outcome outcome)
{
	struct slot *s = &p->slots[seq % p->window];

	if (seq < p->first || seq >= p->next || s->settled)
		return;
	s->settled = true;
	p->waiting--;
	if (s->returned && outcome == PUBLISH_CONFIRMED)
		outcome = PUBLISH_RETURNED;
	if (p->done)
		p->done(p->ctx, s->tag, outcome);
	while (p->first < p->next && p->slots[p->first % p->window].settled)
		p->first++;
}

static void on_confirm(struct publisher *p, const struct link_event *ev)
{
	enum publish_outcome o = ev->kind == LINK_ACKED ? PUBLISH_CONFIRMED : PUBLISH_NACKED;
	uint64_t from = ev->multiple ? p->first : ev->tag;

	for (uint64_t seq = from; seq <= ev->tag && seq < p->next; seq++)
		settle(p, seq, o);
}

static void on_returned(struct publisher *p, const struct link_event *ev)
{
	for (uint64_t seq = p->first; seq < p->next; seq++) {
		struct slot *s = &p->slots[seq % p->window];

		if (!s->settled && !s->returned && s->props.len == ev->props_len &&
		    memcmp(s->props.data, ev->props, ev->props_len) == 0) {
			s->returned = true;
			return;
		}
	}
}

static void on_event(void *ctx, const struct link_event *ev)
{
	struct publisher *p = ctx;

	switch (ev->kind) {
	case LINK_ACKED:
	case LINK_NACKED:
		on_confirm(p, ev);
		return;
	case LINK_RETURNED:
		on_returned(p, ev);
		return;
	case LINK_BLOCKED:
	case LINK_UNBLOCKED:
		return;
	case LINK_CHANNEL_CLOSED:
		p->refused = true;
		p->ask_open = p->ask_open && ev->channel != CH_ASK;
		if (ev->channel == CH_PUBLISH)
			err_set(&p->broken, ERR_BROKER, "RabbitMQ: %d %.200s", ev->code, ev->text);
		snprintf(p->refusal, sizeof p->refusal, "%s", ev->text);
		break;
	case LINK_GOT:
		buf_clear(&p->got_props);
		buf_clear(&p->got_body);
		buf_append(&p->got_props, ev->props, ev->props_len);
		buf_append(&p->got_body, ev->body, ev->body_len);
		break;
	default:
		break;
	}
	p->answered = true;
	p->answer = *ev;
}

static int lose(struct publisher *p, const struct err *why)
{
	if (p->broken.code == ERR_NONE)
		p->broken = *why;
	for (uint64_t seq = p->first; seq < p->next; seq++)
		settle(p, seq, PUBLISH_UNKNOWN);
	return -(int)p->broken.code;
}

static int tell_state(const struct publisher *p, struct err *e)
{
	if (e && p->broken.code != ERR_NONE)
		*e = p->broken;
	return -(int)p->broken.code;
}

/* Waits for the socket at most until deadline, then handles what came. */
static int turn(struct publisher *p, int64_t deadline, struct err *e)
{
	struct err why = { 0 };
	int64_t now = clock_mono_ms(), until = deadline < now + TICK_MS ? deadline : now + TICK_MS;
	struct pollfd pfd = { .fd = link_fd(p->link), .events = link_poll_events(p->link) };
	int r = 0;

	if (p->broken.code == ERR_NONE) {
		if (poll(&pfd, 1, until > now ? (int)(until - now) : 0) > 0)
			r = link_io(p->link, &why);
		if (r >= 0)
			r = link_tick(p->link, &why);
	}
	if (r < 0)
		lose(p, &why);
	return tell_state(p, e);
}

/* Sends what is queued and waits for the answer to one request. */
static int ask(struct publisher *p, int queued, int64_t deadline, const char *what, struct err *e)
{
	int r = queued;

	p->answered = p->refused = false;
	if (r < 0)
		return err_set(e, ERR_TIMEOUT, "RabbitMQ: output buffer full");
	while (!p->answered && r >= 0) {
		if (clock_mono_ms() >= deadline)
			return err_set(e, ERR_TIMEOUT, "RabbitMQ did not answer %s in time%s", what,
				       link_is_blocked(p->link) ? " (it is blocked by an alarm)" :
								  "");
		r = turn(p, deadline, e);
	}
	if (r >= 0 && p->refused)
		return err_set(e, p->answer.code == 404 ? ERR_NOT_FOUND :
			       p->answer.code == 403 ? ERR_REFUSED : ERR_CONFLICT,
			       "RabbitMQ: %s", p->refusal);
	return r;
}

static int log_in(struct publisher *p, int64_t deadline, struct err *e)
{
	int r = ask(p, 0, deadline, "the login", e);

	if (r >= 0)
		r = ask(p, link_channel_open(p->link, CH_PUBLISH), deadline, "channel.open", e);
	if (r >= 0)
		r = ask(p, link_confirm_select(p->link, CH_PUBLISH), deadline, "confirm.select", e);
	return r;
}

/* RabbitMQ closes the socket on a wrong password when the client cannot take a close. */
static int try_host(struct publisher *p, const char *url, const char *name, unsigned host,
		    int64_t deadline, struct err *e)
{
	struct link_options o = {
		.url = url, .host = host, .name = name, .heartbeat_s = 0, .max_body = BODY_MAX,
		.max_output = OUTPUT_MAX, .user_timeout_ms = USER_TIMEOUT_MS,
	};
	int r = link_start(&p->link, &o, on_event, p, e);

	if (r < 0)
		return r;
	r = log_in(p, deadline, e);
	if (r < 0) {
		link_close(p->link);
		p->link = NULL;
		err_clear(&p->broken);
	}
	return r;
}

int publisher_open(struct publisher **ret, const char *url, const char *name, int window,
		   int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	struct publisher *p;
	struct url parsed;
	size_t hosts;
	int r = url_parse(&parsed, url, e);

	if (r < 0)
		return err_prefix(e, "broker URL");
	hosts = parsed.nhosts;
	url_release(&parsed);
	p = mem_zalloc(sizeof *p);
	p->window = window > 0 ? (uint64_t)window : WINDOW;
	p->slots = mem_zalloc(p->window * sizeof *p->slots);
	p->first = p->next = 1;
	buf_init(&p->got_props, 1 << 20);
	buf_init(&p->got_body, BODY_MAX);
	for (size_t i = 0; i < p->window; i++)
		buf_init(&p->slots[i].props, 1 << 20);
	r = err_set(e, ERR_CONFIG, "broker URL names no host");
	for (unsigned h = 0; h < hosts && r < 0; h++) {
		/* a silent host leaves the next ones their share of the time */
		int64_t now = clock_mono_ms(), share = (deadline - now) / (int64_t)(hosts - h);

		if (now < deadline)
			r = try_host(p, url, name, h, now + share, e);
		else
			r = err_set(e, ERR_TIMEOUT, "RabbitMQ: no time left to connect");
	}
	if (r < 0) {
		publisher_close(p);
		return r;
	}
	*ret = p;
	return 0;
}

void publisher_close(struct publisher *p)
{
	struct err why = { .code = ERR_BROKER, .msg = "closed" };

	if (!p)
		return;
	lose(p, &why);
	link_close(p->link);
	for (size_t i = 0; i < p->window; i++)
		buf_release(&p->slots[i].props);
	free(p->slots);
	buf_release(&p->got_props);
	buf_release(&p->got_body);
	free(p);
}

bool publisher_is_alive(const struct publisher *p)
{
	return p && p->broken.code == ERR_NONE;
}

bool publisher_is_blocked(const struct publisher *p)
{
	return link_is_blocked(p->link);
}

void publisher_on_done(struct publisher *p, publish_done *done, void *ctx)
{
	p->done = done;
	p->ctx = ctx;
}

/* Behind an alarm bytes pile up: who waits for confirms is the one to decide how long. */
static bool has_room(const struct publisher *p)
{
	return p->next - p->first < p->window &&
	       (link_unsent(p->link) < UNSENT_MOST || link_is_blocked(p->link));
}

static int wait_for_room(struct publisher *p, int64_t deadline, struct err *e)
{
	int r = 0;

	while (r >= 0 && !has_room(p)) {
		if (clock_mono_ms() >= deadline)
			return err_set(e, ERR_TIMEOUT, "RabbitMQ confirmed none of %d messages in "
				       "time%s", (int)p->waiting, link_is_blocked(p->link) ?
				       " (it is blocked by an alarm)" : "");
		r = turn(p, deadline, e);
	}
	return r;
}

int publisher_send(struct publisher *p, const char *exchange, const char *key,
		   const void *props, size_t props_len, const void *body, size_t body_len,
		   uint64_t tag, int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	struct slot *s;
	int r = tell_state(p, e);

	if (r >= 0)
		r = wait_for_room(p, deadline, e);
	if (r < 0)
		return r;
	if (link_publish(p->link, CH_PUBLISH, exchange, key, true, props, props_len, body,
			 body_len) < 0)
		return err_set(e, ERR_TOO_BIG, "message of %zu bytes does not fit the output "
			       "buffer", body_len);
	s = &p->slots[p->next % p->window];
	s->tag = tag;
	s->settled = s->returned = false;
	buf_clear(&s->props);
	buf_append(&s->props, props, props_len);
	p->next++;
	p->waiting++;
	if (link_unsent(p->link) >= FLUSH_BYTES)
		return turn(p, 0, e);
	return 0;
}

int publisher_wait(struct publisher *p, int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	int r = turn(p, p->waiting > 0 ? deadline : 0, e);	/* an idle one hears of its loss, too */

	while (p->waiting > 0 && r >= 0 && clock_mono_ms() < deadline)
		r = turn(p, deadline, e);
	return r < 0 ? r : (int)p->waiting;
}

static void remember(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	(void)tag;
	*(int *)ctx = (int)outcome;
}

static int publish_one(struct publisher *p, const char *queue, const struct buf *props,
		       const struct message *m, int timeout_ms, struct err *e)
{
	publish_done *done = p->done;
	void *ctx = p->ctx;
	int outcome = -1, r;

	publisher_on_done(p, remember, &outcome);
	r = publisher_send(p, "", queue, props->data, props->len, m->body, m->body_len, 0,
			   timeout_ms, e);
	if (r >= 0)
		r = publisher_wait(p, timeout_ms, e);
	publisher_on_done(p, done, ctx);
	if (r < 0)
		return r;
	if (outcome == PUBLISH_RETURNED)
		return err_set(e, ERR_UNROUTED, "no queue %s", queue);
	if (outcome == PUBLISH_NACKED)
		return err_set(e, ERR_BROKER, "RabbitMQ refused the message for queue %s", queue);
	if (outcome != PUBLISH_CONFIRMED) {
		/* Its confirm may still come; on this connection nobody could tell whose it is. */
		lose(p, &(struct err){ .code = ERR_BROKER, .msg = "a confirm did not come" });
		return err_set(e, ERR_TIMEOUT, "RabbitMQ did not confirm in %d ms%s", timeout_ms,
			       link_is_blocked(p->link) ? " (it is blocked by an alarm)" : "");
	}
	return 0;
}

int publisher_publish(struct publisher *p, const char *queue, const struct message *m,
		      int timeout_ms, struct err *e)
{
	struct buf props;
	int r;

	buf_init(&props, 1 << 20);
	r = message_encode(m, &props, e);
	if (r >= 0)
		r = publish_one(p, queue, &props, m, timeout_ms, e);
	buf_release(&props);
	return r;
}

static int open_ask(struct publisher *p, int64_t deadline, struct err *e)
{
	int r = p->ask_open ? 0 : ask(p, link_channel_open(p->link, CH_ASK), deadline,
				      "channel.open", e);

	p->ask_open = r >= 0;
	return r;
}

static int declare_only(struct publisher *p, const struct link_queue *q, int timeout_ms,
			struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	int r = open_ask(p, deadline, e);

	return r < 0 ? r : ask(p, link_queue_declare(p->link, CH_ASK, q), deadline,
			       "queue.declare", e);
}

int publisher_declare(struct publisher *p, const char *queue, int max_priority, bool quorum,
		      int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	struct link_queue q = { .name = queue, .durable = true, .max_priority = max_priority,
				.quorum = quorum };
	int r = declare_only(p, &q, timeout_ms, e), differs = r == -ERR_CONFLICT;

	if (differs)
		r = open_ask(p, deadline, e);
	if (r >= 0)
		r = ask(p, link_exchange_declare(p->link, CH_ASK, queue, "direct", true), deadline,
			"exchange.declare", e);
	if (r >= 0)
		r = ask(p, link_queue_bind(p->link, CH_ASK, queue, queue, queue), deadline,
			"queue.bind", e);
	return r < 0 ? r : differs;
}

int publisher_queue_depth(struct publisher *p, const char *queue, int64_t *ret_ready,
			  int64_t *ret_consumers, int timeout_ms, struct err *e)
{
	struct link_queue q = { .name = queue, .passive = true };
	int r = declare_only(p, &q, timeout_ms, e);

	if (r < 0)
		return r;
	*ret_ready = p->answer.ready;
	*ret_consumers = p->answer.consumers;
	return 0;
}

int64_t publisher_purge(struct publisher *p, const char *queue, int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	int r = open_ask(p, deadline, e);

	if (r >= 0)
		r = ask(p, link_queue_purge(p->link, CH_ASK, queue), deadline, "queue.purge", e);
	return r < 0 ? r : p->answer.ready;
}

int publisher_queue_fits(struct publisher *p, const struct conf_queue *queue, int timeout_ms,
			 struct err *e)
{
	struct link_queue q = {
		.name = queue->name, .durable = true, .max_priority = queue->max_priority,
		.quorum = queue->type == CONF_QUEUE_QUORUM, .delivery_limit = queue->delivery_limit,
	};
	int r = declare_only(p, &q, timeout_ms, e);

	return r == -ERR_CONFLICT ? 0 : r < 0 ? r : 1;
}

int publisher_declare_own(struct publisher *p, const char *queue, int timeout_ms, struct err *e)
{
	struct link_queue q = { .name = queue, .exclusive = true, .auto_delete = true };

	return declare_only(p, &q, timeout_ms, e);
}

int publisher_get(struct publisher *p, const char *queue, uint64_t *ret_tag, char **ret_props,
		  size_t *ret_props_len, char **ret_body, size_t *ret_body_len, int timeout_ms,
		  struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	int r = open_ask(p, deadline, e);

	if (r >= 0)
		r = ask(p, link_get(p->link, CH_ASK, queue), deadline, "basic.get", e);
	if (r < 0 || p->answer.kind != LINK_GOT)
		return r < 0 ? r : 0;
	*ret_tag = p->answer.tag;
	*ret_props_len = p->got_props.len;
	*ret_props = buf_take(&p->got_props);
	*ret_body_len = p->got_body.len;
	*ret_body = buf_take(&p->got_body);
	return 1;
}

int publisher_ack(struct publisher *p, uint64_t tag, int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	int r = link_ack(p->link, CH_ASK, tag, false);

	while (r >= 0 && link_unsent(p->link) > 0) {
		if (clock_mono_ms() >= deadline)
			return err_set(e, ERR_TIMEOUT, "RabbitMQ took no ack in %d ms", timeout_ms);
		r = turn(p, deadline, e);
	}
	return r < 0 ? r : 0;
}
