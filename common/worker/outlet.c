/* SPDX-License-Identifier: MIT */
#include "common/worker/outlet.h"

#include <libdeflate.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/link.h"
#include "common/worker/watch.h"

enum {
	CH_CONFIRM = 1, CH_CAST = 2,
	CONNECT_MS = 10000, DEADLINE_MS = 10000, BACKOFF_MS = 1000,
	OUTPUT_MAX = 192 << 20,		/* the broker's largest message, streamed */
	BODY_MAX = 1 << 20,		/* of returned messages; larger ones come in parts */
	USER_TIMEOUT_MS = 5000,
	WINDOW = 1024,
	EVENTS_UNSENT_MAX = 4 << 20,
	PRECONDITION_FAILED = 406,
};

struct unsettled {
	void *item;
	char *queue;
	uint32_t props_crc;
	int64_t deadline_ms;
	bool settled, returned;
};

struct outlet {
	void *ctx;
	outlet_done *done;
	char *url, *name;
	int heartbeat_s;
	struct link *link;
	struct watch watch;
	unsigned host;
	bool ready;
	int64_t deadline_ms;		/* of connecting, or when to try again */
	struct unsettled window[WINDOW];
	uint64_t first, next;		/* sequence numbers on this connection */
	bool streaming, event_declared;
	char reply_exchange[256];	/* declared last */
};

static void settle(struct outlet *o, uint64_t seq, enum publish_outcome outcome)
{
	struct unsettled *u = &o->window[seq % WINDOW];

	if (seq < o->first || seq >= o->next || u->settled)
		return;
	u->settled = true;
	free(u->queue);
	u->queue = NULL;
	if (u->returned && outcome == PUBLISH_CONFIRMED)
		outcome = PUBLISH_RETURNED;
	while (o->first < o->next && o->window[o->first % WINDOW].settled)
		o->first++;
	o->done(o->ctx, u->item, outcome);
}

static void go_down(struct outlet *o, const char *why)
{
	uint64_t end = o->next;

	if (o->ready)
		log_warn("publishing connection lost reason=\"%s\"", why);
	watch_stop(&o->watch);
	link_close(o->link);
	o->link = NULL;
	o->host++;
	o->ready = o->streaming = o->event_declared = false;
	o->reply_exchange[0] = '\0';
	o->deadline_ms = clock_mono_ms() + BACKOFF_MS;
	for (uint64_t seq = o->first; seq < end; seq++)
		settle(o, seq, PUBLISH_UNKNOWN);
	o->first = o->next = 1;
}

static void on_confirm(struct outlet *o, const struct link_event *ev)
{
	enum publish_outcome outcome = ev->kind == LINK_ACKED ? PUBLISH_CONFIRMED : PUBLISH_NACKED;

	if (ev->channel != CH_CONFIRM)
		return;
	for (uint64_t seq = ev->multiple ? o->first : ev->tag; seq <= ev->tag; seq++)
		settle(o, seq, outcome);
}

/* A return carries no number: the message is known again by its queue and its properties. */
static void on_returned(struct outlet *o, const struct link_event *ev)
{
	uint32_t crc = libdeflate_crc32(0, ev->props, ev->props_len);

	for (uint64_t seq = o->first; seq < o->next; seq++) {
		struct unsettled *u = &o->window[seq % WINDOW];

		if (!u->settled && !u->returned && u->props_crc == crc &&
		    strcmp(u->queue, ev->key) == 0) {
			u->returned = true;
			return;
		}
	}
}

static void on_event(void *ctx, const struct link_event *ev)
{
	static const struct link_queue mailbox = {
		.name = OUTLET_MAILBOX, .durable = true, .max_priority = 10,
	};
	struct outlet *o = ctx;

	switch (ev->kind) {
	case LINK_OPENED:
		link_channel_open(o->link, CH_CONFIRM);
		link_confirm_select(o->link, CH_CONFIRM);
		link_channel_open(o->link, CH_CAST);
		link_queue_declare(o->link, CH_CAST, &mailbox);
		break;
	case LINK_CONFIRMING:
		o->ready = true;
		o->first = o->next = 1;
		break;
	case LINK_ACKED:
	case LINK_NACKED:
		on_confirm(o, ev);
		break;
	case LINK_RETURNED:
		on_returned(o, ev);
		break;
	case LINK_CHANNEL_CLOSED:
		log_warn("RabbitMQ closed a publishing channel: %d %s", ev->code, ev->text);
		if (ev->channel == CH_CAST) {
			o->reply_exchange[0] = '\0';
			/* Another kind of celeryev than Celery's is used as it stands. */
			o->event_declared = ev->code == PRECONDITION_FAILED;
			link_channel_open(o->link, CH_CAST);
		} else {
			o->deadline_ms = 0;
			o->ready = false;
		}
		break;
	default:
		break;
	}
}

static void update_watch(struct outlet *o)
{
	if (o->link && !link_is_connecting(o->link))
		watch_set(&o->watch, link_fd(o->link), link_poll_events(o->link));
}

static void readable(void *ctx)
{
	struct outlet *o = ctx;
	struct err e = { 0 };

	if (o->link && link_io(o->link, &e) < 0)
		go_down(o, e.msg);
	update_watch(o);
}

static void start(struct outlet *o)
{
	struct link_options options = {
		.url = o->url, .host = o->host, .name = o->name, .heartbeat_s = o->heartbeat_s,
		.max_body = BODY_MAX, .max_output = OUTPUT_MAX, .user_timeout_ms = USER_TIMEOUT_MS,
	};
	struct err e = { 0 };

	o->deadline_ms = clock_mono_ms() + CONNECT_MS;
	if (link_start(&o->link, &options, on_event, o, &e) < 0)
		go_down(o, e.msg);
	else
		readable(o);
}

static bool confirm_overdue(const struct outlet *o, int64_t now)
{
	return o->first < o->next && !link_is_blocked(o->link) &&
	       now > o->window[o->first % WINDOW].deadline_ms;
}

void outlet_tick(struct outlet *o)
{
	int64_t now = clock_mono_ms();
	struct err e = { 0 };

	if (!o->link) {
		if (now >= o->deadline_ms)
			start(o);
	} else if (!o->ready && now >= o->deadline_ms) {
		go_down(o, "no connection in time");
	} else if (confirm_overdue(o, now)) {
		go_down(o, "a confirm did not come");
	} else if (link_is_connecting(o->link)) {
		readable(o);
	} else if (link_tick(o->link, &e) < 0) {
		go_down(o, e.msg);
	}
}

void outlet_flush(struct outlet *o)
{
	struct err e = { 0 };

	if (o->link && !link_is_connecting(o->link) && link_unsent(o->link) > 0 &&
	    link_flush(o->link, &e) < 0)
		go_down(o, e.msg);
	update_watch(o);
}

static bool may_publish(const struct outlet *o)
{
	return o->ready && !o->streaming && !link_is_blocked(o->link) &&
	       o->next - o->first < WINDOW;
}

static void expect(struct outlet *o, void *item, const char *queue, const void *props,
		   size_t props_len)
{
	o->window[o->next % WINDOW] = (struct unsettled){
		.item = item, .deadline_ms = clock_mono_ms() + DEADLINE_MS,
		.queue = mem_strdup(queue), .props_crc = libdeflate_crc32(0, props, props_len),
	};
	o->next++;
}

bool outlet_publish(struct outlet *o, const char *queue, const void *props, size_t props_len,
		    const void *body, size_t body_len, void *item)
{
	if (!may_publish(o) || link_publish(o->link, CH_CONFIRM, "", queue, true, props, props_len,
					    body, body_len) < 0)
		return false;
	expect(o, item, queue, props, props_len);
	return true;
}

bool outlet_stream_begin(struct outlet *o, const char *queue, const void *props, size_t props_len,
			 uint64_t body_len, void *item)
{
	if (!may_publish(o) || link_publish_begin(o->link, CH_CONFIRM, "", queue, true, props,
						  props_len, body_len) < 0)
		return false;
	expect(o, item, queue, props, props_len);
	o->streaming = true;
	return true;
}

void outlet_stream_part(struct outlet *o, const void *part, size_t len)
{
	if (o->streaming && link_publish_part(o->link, CH_CONFIRM, part, len) < 0) {
		o->ready = false;	/* half a message: only a new connection mends it */
		o->deadline_ms = 0;
	}
}

void outlet_stream_end(struct outlet *o)
{
	o->streaming = false;
}

void outlet_cast(struct outlet *o, const char *exchange, const char *key, const void *props,
		 size_t props_len, const void *body, size_t body_len)
{
	if (o->ready && !link_is_blocked(o->link))
		link_publish(o->link, CH_CAST, exchange, key, false, props, props_len, body,
			     body_len);
}

void outlet_reply(struct outlet *o, const char *exchange, const char *key, const void *props,
		  size_t props_len, const void *body, size_t body_len)
{
	bool predeclared = !*exchange || strncmp(exchange, "amq.", 4) == 0;

	if (o->ready && !predeclared && strcmp(o->reply_exchange, exchange) != 0) {
		link_exchange_declare(o->link, CH_CAST, exchange, "direct", false);
		snprintf(o->reply_exchange, sizeof o->reply_exchange, "%s", exchange);
	}
	outlet_cast(o, exchange, key, props, props_len, body, body_len);
}

bool outlet_event(struct outlet *o, const char *key, const void *props, size_t props_len,
		  const void *body, size_t body_len)
{
	if (!o->ready || link_is_blocked(o->link) || link_unsent(o->link) > EVENTS_UNSENT_MAX)
		return false;
	if (!o->event_declared) {
		link_exchange_declare(o->link, CH_CAST, OUTLET_EVENTS, "topic", true);
		o->event_declared = true;
	}
	return link_publish(o->link, CH_CAST, OUTLET_EVENTS, key, false, props, props_len, body,
			    body_len) >= 0;
}

struct outlet *outlet_new(void *loop, const char *url, const char *name, int heartbeat_s, void *ctx,
			  outlet_done *done)
{
	struct outlet *o = mem_zalloc(sizeof *o);

	o->ctx = ctx;
	o->done = done;
	o->url = mem_strdup(url);
	o->name = mem_printf("%s publishes", name);
	o->heartbeat_s = heartbeat_s;
	o->first = o->next = 1;
	watch_init(&o->watch, loop, readable, o);
	start(o);
	return o;
}

void outlet_free(struct outlet *o)
{
	if (!o)
		return;
	o->ready = false;	/* nothing to report: we want it */
	go_down(o, "closed");
	free(o->url);
	free(o->name);
	free(o);
}
