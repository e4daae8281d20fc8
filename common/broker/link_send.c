/* SPDX-License-Identifier: MIT */
/* The methods a link sends: each is encoded by librabbitmq into the output buffer. */
#include <amqp.h>
#include <amqp_framing.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/link_private.h"

enum { METHOD_MAX = 8192, FRAME_OVERHEAD = 8, HEADER_PREFIX = 12 };

int link_put_frame(struct link *l, uint8_t type, uint16_t ch, const void *payload, size_t len)
{
	if (!buf_reserve(&l->out, len + FRAME_OVERHEAD))
		return -ERR_TOO_BIG;
	buf_put_u8(&l->out, type);
	buf_put_u16(&l->out, ch);
	buf_put_u32(&l->out, (uint32_t)len);
	buf_append(&l->out, payload, len);
	return buf_put_u8(&l->out, AMQP_FRAME_END);
}

int link_put_method(struct link *l, uint16_t ch, amqp_method_number_t id, void *method)
{
	char payload[METHOD_MAX];
	amqp_bytes_t rest = { sizeof payload - 4, payload + 4 };
	int n = amqp_encode_method(id, method, rest);

	if (n < 0)
		return -ERR_TOO_BIG;
	payload[0] = (char)(id >> 24);
	payload[1] = (char)(id >> 16);
	payload[2] = (char)(id >> 8);
	payload[3] = (char)id;
	return link_put_frame(l, AMQP_FRAME_METHOD, ch, payload, (size_t)n + 4);
}

int link_goodbye(struct link *l)
{
	amqp_connection_close_t m = {
		.reply_code = AMQP_REPLY_SUCCESS, .reply_text = amqp_cstring_bytes("goodbye"),
	};

	return link_put_method(l, 0, AMQP_CONNECTION_CLOSE_METHOD, &m);
}

int link_channel_open(struct link *l, uint16_t ch)
{
	amqp_channel_open_t m = { 0 };

	return link_put_method(l, ch, AMQP_CHANNEL_OPEN_METHOD, &m);
}

int link_exchange_declare(struct link *l, uint16_t ch, const char *name, const char *type,
			  bool durable)
{
	amqp_exchange_declare_t m = {
		.exchange = amqp_cstring_bytes(name), .type = amqp_cstring_bytes(type),
		.durable = durable,
	};

	return link_put_method(l, ch, AMQP_EXCHANGE_DECLARE_METHOD, &m);
}

static void add_int(amqp_table_entry_t *args, int *n, const char *key, int value)
{
	args[(*n)++] = (amqp_table_entry_t){
		.key = amqp_cstring_bytes(key),
		.value = { .kind = AMQP_FIELD_KIND_I32, .value.i32 = value },
	};
}

int link_queue_declare(struct link *l, uint16_t ch, const struct link_queue *q)
{
	amqp_table_entry_t args[4];
	amqp_queue_declare_t m = {
		.queue = amqp_cstring_bytes(q->name), .passive = q->passive,
		.durable = q->durable, .exclusive = q->exclusive, .auto_delete = q->auto_delete,
	};
	int n = 0;

	if (q->max_priority > 0 && !q->quorum)
		add_int(args, &n, "x-max-priority", q->max_priority);
	if (q->delivery_limit > 0 && q->quorum)
		add_int(args, &n, "x-delivery-limit", q->delivery_limit);
	if (q->expires_ms > 0)
		add_int(args, &n, "x-expires", q->expires_ms);
	if (q->message_ttl_ms > 0)
		add_int(args, &n, "x-message-ttl", q->message_ttl_ms);
	if (q->quorum)
		args[n++] = (amqp_table_entry_t){
			.key = amqp_cstring_bytes("x-queue-type"),
			.value = { .kind = AMQP_FIELD_KIND_UTF8,
				   .value.bytes = amqp_cstring_bytes("quorum") },
		};
	m.arguments = (amqp_table_t){ n, args };
	return link_put_method(l, ch, AMQP_QUEUE_DECLARE_METHOD, &m);
}

int link_queue_bind(struct link *l, uint16_t ch, const char *queue, const char *exchange,
		    const char *key)
{
	amqp_queue_bind_t m = {
		.queue = amqp_cstring_bytes(queue), .exchange = amqp_cstring_bytes(exchange),
		.routing_key = amqp_cstring_bytes(key),
	};

	return link_put_method(l, ch, AMQP_QUEUE_BIND_METHOD, &m);
}

int link_queue_purge(struct link *l, uint16_t ch, const char *queue)
{
	amqp_queue_purge_t m = { .queue = amqp_cstring_bytes(queue) };

	return link_put_method(l, ch, AMQP_QUEUE_PURGE_METHOD, &m);
}

int link_qos(struct link *l, uint16_t ch, uint16_t count, bool global)
{
	amqp_basic_qos_t m = { .prefetch_count = count, .global = global };

	return link_put_method(l, ch, AMQP_BASIC_QOS_METHOD, &m);
}

int link_consume(struct link *l, uint16_t ch, const char *queue, const char *tag, bool no_ack)
{
	amqp_basic_consume_t m = {
		.queue = amqp_cstring_bytes(queue), .consumer_tag = amqp_cstring_bytes(tag),
		.no_ack = no_ack,
	};

	return link_put_method(l, ch, AMQP_BASIC_CONSUME_METHOD, &m);
}

int link_cancel(struct link *l, uint16_t ch, const char *tag)
{
	amqp_basic_cancel_t m = { .consumer_tag = amqp_cstring_bytes(tag) };

	return link_put_method(l, ch, AMQP_BASIC_CANCEL_METHOD, &m);
}

int link_get(struct link *l, uint16_t ch, const char *queue)
{
	amqp_basic_get_t m = { .queue = amqp_cstring_bytes(queue) };

	return link_put_method(l, ch, AMQP_BASIC_GET_METHOD, &m);
}

int link_ack(struct link *l, uint16_t ch, uint64_t tag, bool multiple)
{
	amqp_basic_ack_t m = { .delivery_tag = tag, .multiple = multiple };

	return link_put_method(l, ch, AMQP_BASIC_ACK_METHOD, &m);
}

int link_reject(struct link *l, uint16_t ch, uint64_t tag, bool requeue)
{
	amqp_basic_reject_t m = { .delivery_tag = tag, .requeue = requeue };

	return link_put_method(l, ch, AMQP_BASIC_REJECT_METHOD, &m);
}

int link_confirm_select(struct link *l, uint16_t ch)
{
	amqp_confirm_select_t m = { 0 };

	return link_put_method(l, ch, AMQP_CONFIRM_SELECT_METHOD, &m);
}

int link_publish_begin(struct link *l, uint16_t ch, const char *exchange, const char *key,
		       bool mandatory, const void *props, size_t props_len, uint64_t body_len)
{
	amqp_basic_publish_t m = {
		.exchange = amqp_cstring_bytes(exchange), .routing_key = amqp_cstring_bytes(key),
		.mandatory = mandatory,
	};
	int r;

	/* A frame half in the buffer would break the connection: room for both or nothing. */
	if (props_len + HEADER_PREFIX + FRAME_OVERHEAD > l->frame_max ||
	    !buf_reserve(&l->out, props_len + METHOD_MAX))
		return -ERR_TOO_BIG;
	r = link_put_method(l, ch, AMQP_BASIC_PUBLISH_METHOD, &m);
	if (r < 0)
		return r;
	buf_put_u8(&l->out, AMQP_FRAME_HEADER);
	buf_put_u16(&l->out, ch);
	buf_put_u32(&l->out, (uint32_t)(props_len + HEADER_PREFIX));
	buf_put_u16(&l->out, AMQP_BASIC_CLASS);
	buf_put_u16(&l->out, 0);
	buf_put_u64(&l->out, body_len);
	buf_append(&l->out, props, props_len);
	return buf_put_u8(&l->out, AMQP_FRAME_END);
}

int link_publish_part(struct link *l, uint16_t ch, const void *part, size_t len)
{
	size_t most = l->frame_max - FRAME_OVERHEAD;
	const char *p = part;
	int r = 0;

	while (len > 0 && r == 0) {
		size_t n = len < most ? len : most;

		r = link_put_frame(l, AMQP_FRAME_BODY, ch, p, n);
		p += n;
		len -= n;
	}
	return r;
}

int link_publish(struct link *l, uint16_t ch, const char *exchange, const char *key, bool mandatory,
		 const void *props, size_t props_len, const void *body, size_t body_len)
{
	size_t frames = body_len / (l->frame_max - FRAME_OVERHEAD) + 1;
	int r;

	if (!buf_reserve(&l->out, props_len + METHOD_MAX + body_len + frames * FRAME_OVERHEAD))
		return -ERR_TOO_BIG;
	r = link_publish_begin(l, ch, exchange, key, mandatory, props, props_len, body_len);
	return r < 0 ? r : link_publish_part(l, ch, body, body_len);
}
