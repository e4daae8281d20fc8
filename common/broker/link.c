/* SPDX-License-Identifier: MIT */
#include "common/broker/link.h"

#include <poll.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/link_private.h"

enum {
	AMQP_PORT = 5672,
	AMQPS_PORT = 5671,
	READ_BYTES = 65536,
	READS_PER_TURN = 8,		/* then the other descriptors of the loop get their turn */
	NAMES_MAX = 4096,		/* three short strings */
	PROPS_MAX = 131072,		/* one frame */
	PROTOCOL_HEADER_FRAME = 'A',	/* the codec's type for "AMQP" from the peer */
};

static const char PROTOCOL_HEADER[] = { 'A', 'M', 'Q', 'P', 0, 0, 9, 1 };

static int start_conn(struct link *l, unsigned host, int user_timeout_ms, struct err *e)
{
	bool tls = strcmp(l->url.scheme, "amqps") == 0;
	size_t i = host % l->url.nhosts;
	struct conn_target t = {
		.host = l->url.hosts[i].host,
		.port = l->url.hosts[i].port ? l->url.hosts[i].port : tls ? AMQPS_PORT : AMQP_PORT,
		.tls = tls,
		.user_timeout_ms = user_timeout_ms,
	};

	return conn_start(&l->conn, &t, e);
}

int link_start(struct link **ret, const struct link_options *o, link_on_event *on_event, void *ctx,
	       struct err *e)
{
	struct link *l = mem_zalloc(sizeof *l);
	int r = url_parse(&l->url, o->url, e);

	buf_init(&l->out, o->max_output);
	buf_init(&l->content.names, NAMES_MAX);
	buf_init(&l->content.props, PROPS_MAX);
	buf_init(&l->content.body, o->max_body);
	if (r == 0 && (strncmp(l->url.scheme, "amqp", 4) != 0 || l->url.nhosts == 0))
		r = err_set(e, ERR_CONFIG, "broker URL: not amqp://user:password@host:port/vhost");
	if (r < 0)
		goto fail;
	l->name = mem_strdup(o->name);
	l->max_body = o->max_body;
	l->frame_max = AMQP_FRAME_MIN_SIZE;
	l->heartbeat_s = o->heartbeat_s;
	l->on_event = on_event;
	l->ctx = ctx;
	l->last_read_ms = l->last_write_ms = clock_mono_ms();
	l->codec = mem_check(amqp_new_connection());
	r = start_conn(l, o->host, o->user_timeout_ms, e);
	if (r < 0)
		goto fail;
	*ret = l;
	return 0;
fail:
	link_close(l);
	return r;
}

void link_close(struct link *l)
{
	if (!l)
		return;
	conn_close(l->conn);
	if (l->codec)
		amqp_destroy_connection(l->codec);
	url_release(&l->url);
	free(l->name);
	buf_release(&l->out);
	buf_release(&l->content.names);
	buf_release(&l->content.props);
	buf_release(&l->content.body);
	free(l);
}

int link_fd(const struct link *l)
{
	return conn_fd(l->conn);
}

short link_poll_events(const struct link *l)
{
	if (l->state == LINK_STATE_CONNECT)
		return conn_events(l->conn);
	return (short)(POLLIN | (l->out.len ? POLLOUT : 0));
}

bool link_is_connecting(const struct link *l)
{
	return l->state == LINK_STATE_CONNECT;
}

bool link_is_open(const struct link *l)
{
	return l->state == LINK_STATE_OPEN;
}

bool link_is_blocked(const struct link *l)
{
	return l->blocked;
}

size_t link_unsent(const struct link *l)
{
	return l->out.len;
}

/* Puts the strings of a method side by side, NUL-terminated, where events can point to them. */
static void keep_names(struct link_content *c, amqp_bytes_t text, amqp_bytes_t exchange,
		       amqp_bytes_t key)
{
	buf_clear(&c->names);
	buf_append(&c->names, text.bytes, text.len);
	buf_putc(&c->names, '\0');
	c->exchange_at = c->names.len;
	buf_append(&c->names, exchange.bytes, exchange.len);
	buf_putc(&c->names, '\0');
	c->key_at = c->names.len;
	buf_append(&c->names, key.bytes, key.len);
}

static struct link_event content_event(const struct link_content *c)
{
	return (struct link_event){
		.kind = c->kind, .channel = c->channel, .code = c->code, .tag = c->tag,
		.redelivered = c->redelivered, .last = true, .text = buf_text(&c->names),
		.exchange = buf_text(&c->names) + c->exchange_at,
		.key = buf_text(&c->names) + c->key_at,
		.props = c->props.data, .props_len = c->props.len,
		.body = buf_text(&c->body), .body_len = (size_t)c->size,
	};
}

static void content_done(struct link *l)
{
	struct link_event ev = content_event(&l->content);

	l->content.expected = false;
	l->on_event(l->ctx, &ev);
}

static void expect_content(struct link *l, enum link_event_kind kind, uint16_t ch, uint64_t tag,
			   bool redelivered)
{
	struct link_content *c = &l->content;

	c->kind = kind;
	c->channel = ch;
	c->tag = tag;
	c->redelivered = redelivered;
	c->code = 0;
	c->expected = true;
	c->oversized = false;
	c->size = c->seen = 0;
	buf_clear(&c->props);
	buf_clear(&c->body);
}

static int content_header(struct link *l, const amqp_frame_t *f, struct err *e)
{
	struct link_content *c = &l->content;
	const amqp_bytes_t *raw = &f->payload.properties.raw;

	if (!c->expected || c->channel != f->channel)
		return err_set(e, ERR_BROKER, "RabbitMQ: a content header nobody announced");
	if (buf_append(&c->props, raw->bytes, raw->len) < 0)
		return err_set(e, ERR_BROKER, "RabbitMQ: properties over %d bytes", PROPS_MAX);
	c->size = f->payload.properties.body_size;
	c->oversized = c->size > l->max_body;
	if (c->oversized) {
		struct link_event ev = content_event(c);

		ev.body = NULL;
		ev.last = false;
		l->on_event(l->ctx, &ev);
	} else if (c->size == 0) {
		content_done(l);
	}
	return 0;
}

static int content_body(struct link *l, const amqp_frame_t *f, struct err *e)
{
	struct link_content *c = &l->content;
	amqp_bytes_t part = f->payload.body_fragment;

	if (!c->expected || c->channel != f->channel || c->seen + part.len > c->size)
		return err_set(e, ERR_BROKER, "RabbitMQ: a body nobody announced");
	c->seen += part.len;
	if (c->oversized) {
		struct link_event ev = {
			.kind = LINK_PART, .channel = f->channel, .tag = c->tag, .text = "",
			.exchange = "", .key = "", .body = part.bytes, .body_len = part.len,
			.last = c->seen == c->size,
		};

		c->expected = !ev.last;
		l->on_event(l->ctx, &ev);
		return 0;
	}
	buf_append(&c->body, part.bytes, part.len);
	if (c->seen == c->size)
		content_done(l);
	return 0;
}

static void simple_event(struct link *l, enum link_event_kind kind, uint16_t ch, amqp_bytes_t text,
			 int code)
{
	struct link_event ev = { .kind = kind, .channel = ch, .code = code, .exchange = "",
				 .key = "" };

	keep_names(&l->content, text, amqp_empty_bytes, amqp_empty_bytes);
	ev.text = buf_text(&l->content.names);
	l->on_event(l->ctx, &ev);
}

static void confirm_event(struct link *l, enum link_event_kind kind, uint16_t ch, uint64_t tag,
			  bool multiple)
{
	l->on_event(l->ctx, &(struct link_event){ .kind = kind, .channel = ch, .text = "",
						  .tag = tag, .multiple = multiple });
}

static int closed_by_broker(const amqp_connection_close_t *m, struct err *e)
{
	bool refused = m->reply_code == AMQP_ACCESS_REFUSED || m->reply_code == AMQP_NOT_ALLOWED;

	return err_set(e, refused ? ERR_REFUSED : ERR_BROKER, "RabbitMQ closed the connection: %d "
		       "%.*s", m->reply_code, (int)m->reply_text.len, (char *)m->reply_text.bytes);
}

static void on_deliver(struct link *l, uint16_t ch, const amqp_basic_deliver_t *m)
{
	expect_content(l, LINK_DELIVERY, ch, m->delivery_tag, m->redelivered);
	keep_names(&l->content, m->consumer_tag, m->exchange, m->routing_key);
}

static void on_get_ok(struct link *l, uint16_t ch, const amqp_basic_get_ok_t *m)
{
	expect_content(l, LINK_GOT, ch, m->delivery_tag, m->redelivered);
	keep_names(&l->content, amqp_empty_bytes, m->exchange, m->routing_key);
}

static void on_return(struct link *l, uint16_t ch, const amqp_basic_return_t *m)
{
	expect_content(l, LINK_RETURNED, ch, 0, false);
	l->content.code = m->reply_code;
	keep_names(&l->content, m->reply_text, m->exchange, m->routing_key);
}

static void on_declared(struct link *l, uint16_t ch, const amqp_queue_declare_ok_t *m)
{
	struct link_event ev = { .kind = LINK_DECLARED, .channel = ch, .ready = m->message_count,
				 .consumers = m->consumer_count };

	keep_names(&l->content, m->queue, amqp_empty_bytes, amqp_empty_bytes);
	ev.text = buf_text(&l->content.names);
	l->on_event(l->ctx, &ev);
}

static void on_purged(struct link *l, uint16_t ch, const amqp_queue_purge_ok_t *m)
{
	l->on_event(l->ctx, &(struct link_event){ .kind = LINK_PURGED, .channel = ch, .text = "",
						  .exchange = "", .key = "",
						  .ready = m->message_count });
}

static int on_channel_close(struct link *l, uint16_t ch, const amqp_channel_close_t *m)
{
	amqp_channel_close_ok_t ok = { .dummy = 0 };
	int r = link_put_method(l, ch, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);

	simple_event(l, LINK_CHANNEL_CLOSED, ch, m->reply_text, m->reply_code);
	return r;
}

static int on_basic(struct link *l, uint16_t ch, const amqp_method_t *m)
{
	const amqp_basic_ack_t *ack = m->decoded;
	const amqp_basic_nack_t *nack = m->decoded;
	const amqp_basic_cancel_t *cancel = m->decoded;

	switch (m->id) {
	case AMQP_BASIC_DELIVER_METHOD:
		on_deliver(l, ch, m->decoded);
		break;
	case AMQP_BASIC_RETURN_METHOD:
		on_return(l, ch, m->decoded);
		break;
	case AMQP_BASIC_GET_OK_METHOD:
		on_get_ok(l, ch, m->decoded);
		break;
	case AMQP_BASIC_GET_EMPTY_METHOD:
		simple_event(l, LINK_GET_EMPTY, ch, amqp_empty_bytes, 0);
		break;
	case AMQP_BASIC_ACK_METHOD:
		confirm_event(l, LINK_ACKED, ch, ack->delivery_tag, ack->multiple);
		break;
	case AMQP_BASIC_NACK_METHOD:
		confirm_event(l, LINK_NACKED, ch, nack->delivery_tag, nack->multiple);
		break;
	case AMQP_BASIC_CONSUME_OK_METHOD:
		simple_event(l, LINK_CONSUMING, ch,
			     ((amqp_basic_consume_ok_t *)m->decoded)->consumer_tag, 0);
		break;
	case AMQP_BASIC_CANCEL_METHOD:
		simple_event(l, LINK_CANCELLED, ch, cancel->consumer_tag, 0);
		break;
	case AMQP_BASIC_CANCEL_OK_METHOD:
		simple_event(l, LINK_CANCEL_OK, ch,
			     ((amqp_basic_cancel_ok_t *)m->decoded)->consumer_tag, 0);
		break;
	default:
		simple_event(l, LINK_OK, ch, amqp_empty_bytes, 0);
	}
	return 0;
}

static int on_method(struct link *l, uint16_t ch, const amqp_method_t *m, struct err *e)
{
	if (m->id == AMQP_CONNECTION_CLOSE_METHOD)
		return closed_by_broker(m->decoded, e);
	if (m->id == AMQP_CONNECTION_CLOSE_OK_METHOD) {
		simple_event(l, LINK_GOODBYE, 0, amqp_empty_bytes, 0);
		return 0;
	}
	if (l->state == LINK_STATE_LOGIN)
		return link_login_step(l, m, e);
	if (m->id >> 16 == AMQP_BASIC_CLASS)
		return on_basic(l, ch, m);
	switch (m->id) {
	case AMQP_CHANNEL_OPEN_OK_METHOD:
		simple_event(l, LINK_CHANNEL_OPENED, ch, amqp_empty_bytes, 0);
		return 0;
	case AMQP_CHANNEL_CLOSE_METHOD:
		return on_channel_close(l, ch, m->decoded);
	case AMQP_QUEUE_DECLARE_OK_METHOD:
		on_declared(l, ch, m->decoded);
		return 0;
	case AMQP_QUEUE_PURGE_OK_METHOD:
		on_purged(l, ch, m->decoded);
		return 0;
	case AMQP_CONFIRM_SELECT_OK_METHOD:
		simple_event(l, LINK_CONFIRMING, ch, amqp_empty_bytes, 0);
		return 0;
	case AMQP_CONNECTION_BLOCKED_METHOD:
		l->blocked = true;
		simple_event(l, LINK_BLOCKED, 0,
			     ((amqp_connection_blocked_t *)m->decoded)->reason, 0);
		return 0;
	case AMQP_CONNECTION_UNBLOCKED_METHOD:
		l->blocked = false;
		simple_event(l, LINK_UNBLOCKED, 0, amqp_empty_bytes, 0);
		return 0;
	default:
		simple_event(l, LINK_OK, ch, amqp_empty_bytes, 0);
		return 0;
	}
}

static int on_frame(struct link *l, const amqp_frame_t *f, struct err *e)
{
	switch (f->frame_type) {
	case AMQP_FRAME_METHOD:
		return on_method(l, f->channel, &f->payload.method, e);
	case AMQP_FRAME_HEADER:
		return content_header(l, f, e);
	case AMQP_FRAME_BODY:
		return content_body(l, f, e);
	default:		/* heartbeats carry nothing */
		return 0;
	}
}

static int decode(struct link *l, char *data, size_t len, struct err *e)
{
	int r = 0;

	while (len > 0 && r >= 0) {
		amqp_frame_t f = { 0 };
		int used = amqp_handle_input(l->codec, (amqp_bytes_t){ len, data }, &f);

		if (used < 0)
			return err_set(e, ERR_BROKER, "RabbitMQ: %s", amqp_error_string2(used));
		if (used == 0 && f.frame_type == 0)
			return err_set(e, ERR_BROKER, "RabbitMQ: no AMQP 0-9-1 spoken here");
		data += used;
		len -= (size_t)used;
		if (f.frame_type == PROTOCOL_HEADER_FRAME)
			return err_set(e, ERR_BROKER, "RabbitMQ speaks another AMQP version");
		if (f.frame_type != 0)
			r = on_frame(l, &f, e);
		amqp_maybe_release_buffers(l->codec);	/* all that is kept was copied */
	}
	return r < 0 && e && e->code == ERR_NONE ?
		err_set(e, ERR_BROKER, "RabbitMQ: output buffer full") : r;
}

static int read_some(struct link *l, struct err *e)
{
	static char data[READ_BYTES];	/* consumed before the call returns */

	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t n = conn_read(l->conn, data, sizeof data, e);
		int r;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return 0;
		l->last_read_ms = clock_mono_ms();
		r = decode(l, data, (size_t)n, e);
		if (r < 0)
			return r;
		if ((size_t)n < sizeof data && !conn_has_buffered(l->conn))
			return 0;
	}
	return 0;
}

int link_flush(struct link *l, struct err *e)
{
	size_t sent = 0;

	while (sent < l->out.len && l->state != LINK_STATE_CONNECT) {
		ssize_t n = conn_write(l->conn, l->out.data + sent, l->out.len - sent, e);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		sent += (size_t)n;
	}
	if (sent > 0)
		l->last_write_ms = clock_mono_ms();
	buf_consume(&l->out, sent);
	return 0;
}

int link_io(struct link *l, struct err *e)
{
	int r;

	if (e)
		err_clear(e);
	if (l->state == LINK_STATE_CONNECT) {
		r = conn_step(l->conn, e);
		if (r <= 0)
			return r;
		l->state = LINK_STATE_LOGIN;
		buf_append(&l->out, PROTOCOL_HEADER, sizeof PROTOCOL_HEADER);
	}
	r = read_some(l, e);
	return r < 0 ? r : link_flush(l, e);
}

int link_tick(struct link *l, struct err *e)
{
	int64_t now = clock_mono_ms(), beat_ms = (int64_t)l->heartbeat_s * 1000;
	int r;

	if (!link_is_open(l) || beat_ms == 0)
		return 0;
	if (now - l->last_read_ms > 2 * beat_ms)
		return err_set(e, ERR_BROKER, "RabbitMQ: silent for %lld ms",
			       (long long)(now - l->last_read_ms));
	if (now - l->last_write_ms < beat_ms / 2)
		return 0;
	r = link_put_frame(l, AMQP_FRAME_HEARTBEAT, 0, NULL, 0);
	return r < 0 ? err_set(e, ERR_BROKER, "RabbitMQ: output buffer full") : link_flush(l, e);
}
