/* SPDX-License-Identifier: MIT */
/* What link.c (socket, frames in), link_login.c (handshake) and link_send.c (methods out) share. */
#ifndef COMMON_BROKER_LINK_PRIVATE_H
#define COMMON_BROKER_LINK_PRIVATE_H

#include <amqp.h>
#include <amqp_framing.h>

#include "common/base/buf.h"
#include "common/broker/link.h"
#include "common/net/conn.h"
#include "common/net/url.h"

enum link_state { LINK_STATE_CONNECT, LINK_STATE_LOGIN, LINK_STATE_OPEN };

/* A delivery, return or get-ok whose body is still coming. */
struct link_content {
	enum link_event_kind kind;
	bool expected, oversized;	/* a method said content follows; body over max_body */
	uint16_t channel;
	uint64_t tag, size, seen;
	bool redelivered;
	int code;
	struct buf names;		/* text, exchange and key, NUL-separated */
	size_t exchange_at, key_at;
	struct buf props, body;
};

struct link {
	enum link_state state;
	struct url url;
	char *name;
	struct conn *conn;
	amqp_connection_state_t codec;
	link_on_event *on_event;
	void *ctx;
	struct buf out;
	size_t max_body, frame_max;
	int heartbeat_s;
	int64_t last_read_ms, last_write_ms;
	bool blocked;
	struct link_content content;
};

int link_put_method(struct link *l, uint16_t ch, amqp_method_number_t id, void *method);
int link_put_frame(struct link *l, uint8_t type, uint16_t ch, const void *payload, size_t len);
/* One method of channel 0 during the handshake. */
int link_login_step(struct link *l, const amqp_method_t *m, struct err *e);

#endif
