/* SPDX-License-Identifier: MIT */
/* The handshake of a link: start → start-ok, tune → tune-ok and open, open-ok. */
#include <amqp.h>
#include <amqp_framing.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/link_private.h"

enum { FRAME_MAX = 131072, SASL_MAX = 1024 };

static amqp_table_entry_t entry_str(const char *key, const char *value)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(key),
		.value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value) },
	};
}

static amqp_table_entry_t entry_true(const char *key)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(key),
		.value = { .kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1 },
	};
}

static int start_ok(struct link *l, struct err *e)
{
	amqp_table_entry_t can[] = {
		entry_true("connection.blocked"), entry_true("consumer_cancel_notify"),
		entry_true("publisher_confirms"), entry_true("basic.nack"),
		entry_true("authentication_failure_close"),
	};
	amqp_table_entry_t about[] = {
		entry_str("product", "jobfleet"), entry_str("version", JOBFLEET_VERSION),
		entry_str("connection_name", l->name),
		{ .key = amqp_cstring_bytes("capabilities"),
		  .value = { .kind = AMQP_FIELD_KIND_TABLE,
			     .value.table = { (int)COUNT(can), can } } },
	};
	char sasl[SASL_MAX];
	size_t nu = strlen(l->url.user), np = strlen(l->url.password);
	amqp_connection_start_ok_t m = {
		.client_properties = { (int)COUNT(about), about },
		.mechanism = amqp_cstring_bytes("PLAIN"),
		.locale = amqp_cstring_bytes("en_US"),
	};
	int r;

	if (nu + np + 2 > sizeof sasl)
		return err_set(e, ERR_CONFIG, "RabbitMQ user and password are too long");
	sasl[0] = '\0';
	memcpy(sasl + 1, l->url.user, nu + 1);
	memcpy(sasl + 2 + nu, l->url.password, np);
	m.response = (amqp_bytes_t){ nu + np + 2, sasl };
	r = link_put_method(l, 0, AMQP_CONNECTION_START_OK_METHOD, &m);
	explicit_bzero(sasl, sizeof sasl);
	return r;
}

static int tune_ok(struct link *l, const amqp_connection_tune_t *t)
{
	amqp_connection_tune_ok_t ok = {
		.channel_max = t->channel_max,
		.frame_max = t->frame_max && t->frame_max < FRAME_MAX ? t->frame_max : FRAME_MAX,
		.heartbeat = (uint16_t)l->heartbeat_s,
	};
	amqp_connection_open_t open = {
		.virtual_host = amqp_cstring_bytes(l->url.path && *l->url.path ? l->url.path : "/"),
	};
	int r;

	if (t->heartbeat && t->heartbeat < ok.heartbeat)
		ok.heartbeat = t->heartbeat;
	l->heartbeat_s = ok.heartbeat;
	l->frame_max = ok.frame_max;
	/* The codec's own heartbeat stays off: link_tick is the clock. */
	amqp_tune_connection(l->codec, ok.channel_max, (int)ok.frame_max, 0);
	r = link_put_method(l, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &ok);
	return r < 0 ? r : link_put_method(l, 0, AMQP_CONNECTION_OPEN_METHOD, &open);
}

int link_login_step(struct link *l, const amqp_method_t *m, struct err *e)
{
	switch (m->id) {
	case AMQP_CONNECTION_START_METHOD:
		return start_ok(l, e);
	case AMQP_CONNECTION_TUNE_METHOD:
		return tune_ok(l, m->decoded);
	case AMQP_CONNECTION_OPEN_OK_METHOD:
		l->state = LINK_STATE_OPEN;
		l->on_event(l->ctx, &(struct link_event){ .kind = LINK_OPENED, .text = "" });
		return 0;
	default:
		return err_set(e, ERR_BROKER, "RabbitMQ: method %#x during login", m->id);
	}
}
