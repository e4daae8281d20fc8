/* SPDX-License-Identifier: MIT */
/* link: one AMQP 0-9-1 connection as an event machine that never waits.
 *
 * librabbitmq is only the codec here (amqp_handle_input, amqp_encode_*): its own sends have no
 * deadline and hang under a broker alarm. Source: amqp0-9-1.pdf and RabbitMQ's extensions
 * (confirms, consumer_cancel_notify, connection.blocked).
 *
 * Driving: link_start; then, whenever link_fd shows link_poll_events or a second passed, link_io;
 * it calls on_event for everything that came. A negative answer of link_io or link_tick means the
 * connection is gone: link_close it (full teardown) and start anew. link_url failures rotate over
 * the URL's hosts.
 * Sending: the link_* methods below append to one bounded output buffer and never wait;
 * link_flush writes what the socket takes. Call it once per loop turn.
 * Ownership: what an event points to is valid during the call only. */
#ifndef COMMON_BROKER_LINK_H
#define COMMON_BROKER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct link;

enum link_event_kind {
	LINK_OPENED,			/* the connection is open; now open channels */
	LINK_CHANNEL_OPENED,
	LINK_CHANNEL_CLOSED,		/* by the broker: code, text; the connection lives */
	LINK_DECLARED,			/* queue.declare-ok: text = name, ready, consumers */
	LINK_PURGED,			/* queue.purge-ok: ready = how many messages went */
	LINK_CONFIRMING,		/* confirm.select-ok */
	LINK_CONSUMING,			/* basic.consume-ok: text = consumer tag */
	LINK_CANCELLED,			/* basic.cancel by the broker: text = consumer tag */
	LINK_CANCEL_OK,			/* our cancel was heard: text = consumer tag */
	LINK_OK,			/* qos, bind, exchange.declare and the like are done */
	LINK_DELIVERY,			/* basic.deliver: all below; text = consumer tag */
	LINK_GOT,			/* basic.get-ok */
	LINK_GET_EMPTY,
	LINK_RETURNED,			/* basic.return: code, text, key, props, body */
	LINK_PART,			/* more body of an oversized delivery: body, body_len; last */
	LINK_ACKED, LINK_NACKED,	/* confirms: tag, multiple */
	LINK_BLOCKED, LINK_UNBLOCKED,	/* broker alarm: text = reason */
	LINK_GOODBYE,			/* our link_goodbye was answered: all sent before was heard */
};

struct link_event {
	enum link_event_kind kind;
	uint16_t channel;
	int code;
	const char *text;		/* NUL-terminated, never NULL */
	uint64_t tag;
	bool multiple, redelivered, last;
	int64_t ready, consumers;
	const char *exchange, *key;	/* NUL-terminated */
	const void *props;		/* the content header's payload behind the body size */
	size_t props_len;
	const char *body;		/* NULL for an oversized delivery: LINK_PARTs follow */
	size_t body_len;		/* of the whole body, also when it is oversized */
};

typedef void link_on_event(void *ctx, const struct link_event *ev);

struct link_options {
	const char *url;		/* amqp[s]://user:password@host[:port][,…]/vhost */
	unsigned host;			/* which of its hosts, modulo their number */
	const char *name;		/* shown in the broker's connection list */
	int heartbeat_s;		/* asked for; the broker may lower it; 0 = none */
	size_t max_body;		/* larger deliveries come as LINK_PARTs */
	size_t max_output;		/* bound of the output buffer, bytes */
	int user_timeout_ms;		/* TCP_USER_TIMEOUT */
};

int link_start(struct link **ret, const struct link_options *o, link_on_event *on_event, void *ctx,
	       struct err *e);
void link_close(struct link *l);		/* at once, no close handshake; NULL is fine */
int link_fd(const struct link *l);
short link_poll_events(const struct link *l);
int link_io(struct link *l, struct err *e);	/* reads and dispatches, then flushes */
int link_flush(struct link *l, struct err *e);
/* Asks the broker to close: without it, a close with unread bytes may cost the last acks. */
int link_goodbye(struct link *l);
size_t link_unsent(const struct link *l);	/* bytes in the output buffer */
bool link_is_connecting(const struct link *l);	/* link_fd may still change */
bool link_is_open(const struct link *l);
bool link_is_blocked(const struct link *l);	/* the broker announced an alarm */
/* Sends a heartbeat when due; -ERR_BROKER after two heartbeats of silence. Call it every second. */
int link_tick(struct link *l, struct err *e);

/* Methods. Each returns 0 or -ERR_TOO_BIG when the output buffer is full. */
int link_channel_open(struct link *l, uint16_t ch);
int link_exchange_declare(struct link *l, uint16_t ch, const char *name, const char *type,
			  bool durable);
struct link_queue {
	const char *name;
	bool passive, durable, exclusive, auto_delete;
	int max_priority;		/* 0 = none */
	bool quorum;
	int delivery_limit;		/* of a quorum queue; 0 = none */
	int expires_ms, message_ttl_ms;	/* 0 = none */
};
int link_queue_declare(struct link *l, uint16_t ch, const struct link_queue *q);
int link_queue_bind(struct link *l, uint16_t ch, const char *queue, const char *exchange,
		    const char *key);
int link_queue_purge(struct link *l, uint16_t ch, const char *queue);
int link_qos(struct link *l, uint16_t ch, uint16_t count, bool global);
int link_consume(struct link *l, uint16_t ch, const char *queue, const char *tag, bool no_ack);
int link_cancel(struct link *l, uint16_t ch, const char *tag);
int link_get(struct link *l, uint16_t ch, const char *queue);
int link_ack(struct link *l, uint16_t ch, uint64_t tag, bool multiple);
int link_reject(struct link *l, uint16_t ch, uint64_t tag, bool requeue);
int link_confirm_select(struct link *l, uint16_t ch);
int link_publish(struct link *l, uint16_t ch, const char *exchange, const char *key, bool mandatory,
		 const void *props, size_t props_len, const void *body, size_t body_len);
/* A body that comes in pieces: begin with its whole length, then parts that add up to it. */
int link_publish_begin(struct link *l, uint16_t ch, const char *exchange, const char *key,
		       bool mandatory, const void *props, size_t props_len, uint64_t body_len);
int link_publish_part(struct link *l, uint16_t ch, const void *part, size_t len);

#endif
