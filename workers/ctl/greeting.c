/* SPDX-License-Identifier: MIT */
#include "workers/ctl/greeting.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/net/conn.h"
#include "common/net/url.h"

enum { AMQP_PORT = 5672, AMQPS_PORT = 5671, FRAME_BYTES = 65536 };

static void take_property(const amqp_table_t *t, const char *key, char *out, size_t size)
{
	for (int i = 0; i < t->num_entries; i++) {
		const amqp_table_entry_t *x = &t->entries[i];

		if (x->key.len == strlen(key) && memcmp(x->key.bytes, key, x->key.len) == 0 &&
		    x->value.kind == AMQP_FIELD_KIND_UTF8)
			snprintf(out, size, "%.*s", (int)x->value.value.bytes.len,
				 (const char *)x->value.value.bytes.bytes);
	}
}

/* 1 = the greeting is whole, 0 = more bytes are needed. */
static int decode(amqp_connection_state_t codec, char *data, size_t len, struct greeting *ret,
		  struct err *e)
{
	const amqp_connection_start_t *start;
	amqp_frame_t f = { 0 };

	while (len > 0) {
		int used = amqp_handle_input(codec, (amqp_bytes_t){ len, data }, &f);

		if (used <= 0 || (f.frame_type != 0 && f.frame_type != AMQP_FRAME_METHOD))
			return err_set(e, ERR_PROTOCOL, "no AMQP 0-9-1 spoken there");
		data += used;
		len -= (size_t)used;
		if (f.frame_type == 0)
			continue;
		if (f.payload.method.id != AMQP_CONNECTION_START_METHOD)
			return err_set(e, ERR_PROTOCOL, "not the greeting of a broker");
		start = f.payload.method.decoded;
		take_property(&start->server_properties, "product", ret->product,
			      sizeof ret->product);
		take_property(&start->server_properties, "version", ret->version,
			      sizeof ret->version);
		return 1;
	}
	return 0;
}

static int listen_to(struct conn *conn, amqp_connection_state_t codec, int64_t deadline,
		     struct greeting *ret, struct err *e)
{
	static const char hello[] = { 'A', 'M', 'Q', 'P', 0, 0, 9, 1 };
	char *data = mem_alloc(FRAME_BYTES);
	ssize_t n = conn_write(conn, hello, sizeof hello, e);
	int r = n < 0 ? (int)n : 0;

	while (r == 0) {
		r = conn_wait(conn, POLLIN, deadline, e);
		if (r == 0)
			r = err_set(e, ERR_TIMEOUT, "no greeting in time");
		n = r > 0 ? conn_read(conn, data, FRAME_BYTES, e) : 0;
		if (r > 0)
			r = n < 0 ? (int)n : n == 0 ? 0 : decode(codec, data, (size_t)n, ret, e);
	}
	free(data);
	return r;
}

static int ask_host(struct greeting *ret, const struct url *u, size_t i, int timeout_ms,
		    struct err *e)
{
	bool tls = strcmp(u->scheme, "amqps") == 0;
	struct conn_target t = {
		.host = u->hosts[i].host,
		.port = u->hosts[i].port ? u->hosts[i].port : tls ? AMQPS_PORT : AMQP_PORT,
		.tls = tls,
	};
	amqp_connection_state_t codec;
	struct conn *conn = NULL;
	int r = conn_connect(&conn, &t, timeout_ms, e);

	if (r < 0)
		return r;
	codec = mem_check(amqp_new_connection());
	r = listen_to(conn, codec, clock_mono_ms() + timeout_ms, ret, e);
	amqp_destroy_connection(codec);
	conn_close(conn);
	return r;
}

int greeting_read(struct greeting *ret, const char *url, int timeout_ms, struct err *e)
{
	struct url u;
	int r = url_parse(&u, url, e);

	if (r < 0)
		return r;
	*ret = (struct greeting){ 0 };
	r = err_set(e, ERR_CONFIG, "broker URL names no host");
	for (size_t i = 0; i < u.nhosts && r < 0; i++)
		r = ask_host(ret, &u, i, timeout_ms, e);
	url_release(&u);
	return r < 0 ? r : 0;
}
