/* SPDX-License-Identifier: MIT */
/* What a broker says, from its first byte: the first byte of the input chooses how much comes at a
 * time and how large a body is taken whole, the rest is the stream. The socket is ours (conn_* are
 * wrapped at link time). Every event lies within the bytes that came. */
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/link.h"
#include "common/net/conn.h"
#include "tests/fuzz/fuzz.h"

static const size_t PIECES[] = { 1, 7, 100, 4096, 65536, 65536, 65536, 65536 };

static struct {
	const uint8_t *data;
	size_t len, at, piece;
} stream;
static size_t body_most, part_sum;

int __wrap_conn_start(struct conn **ret, const struct conn_target *t, struct err *e);
int __wrap_conn_step(struct conn *c, struct err *e);
ssize_t __wrap_conn_read(struct conn *c, void *buf, size_t n, struct err *e);
ssize_t __wrap_conn_write(struct conn *c, const void *buf, size_t n, struct err *e);
bool __wrap_conn_has_buffered(const struct conn *c);
void __wrap_conn_close(struct conn *c);

int __wrap_conn_start(struct conn **ret, const struct conn_target *t, struct err *e)
{
	(void)e;
	fuzz_want(t->port == 5672, "a broker has its port");
	*ret = mem_alloc(1);
	return 0;
}

int __wrap_conn_step(struct conn *c, struct err *e)
{
	(void)c;
	(void)e;
	return 1;
}

ssize_t __wrap_conn_read(struct conn *c, void *buf, size_t n, struct err *e)
{
	size_t left = stream.len - stream.at;

	(void)c;
	if (left == 0)
		return err_set(e, ERR_NET, "closed by the peer");
	if (n > left)
		n = left;
	if (n > stream.piece)
		n = stream.piece;
	memcpy(buf, stream.data + stream.at, n);
	stream.at += n;
	return (ssize_t)n;
}

ssize_t __wrap_conn_write(struct conn *c, const void *buf, size_t n, struct err *e)
{
	(void)c;
	(void)buf;
	(void)e;
	return (ssize_t)n;
}

bool __wrap_conn_has_buffered(const struct conn *c)
{
	(void)c;
	return false;
}

void __wrap_conn_close(struct conn *c)
{
	free(c);
}

static size_t touch(const void *bytes, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ((const uint8_t *)bytes)[i];
	return sum;
}

static void on_event(void *ctx, const struct link_event *ev)
{
	(void)ctx;
	fuzz_want(ev->text != NULL, "an event has a text");
	if (ev->kind == LINK_DELIVERY || ev->kind == LINK_GOT || ev->kind == LINK_RETURNED) {
		fuzz_want(ev->exchange && ev->key, "what is delivered has an exchange and a key");
		part_sum +=
			strlen(ev->exchange) + strlen(ev->key) + touch(ev->props, ev->props_len);
		fuzz_want(!ev->body || ev->body_len <= body_most,
			  "a whole body is within its limit");
		if (ev->body)
			part_sum += touch(ev->body, ev->body_len);
	}
	if (ev->kind == LINK_PART)
		part_sum += touch(ev->body, ev->body_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_options o = { .url = "amqp://guest:guest@127.0.0.1/%2F", .name = "fuzz",
				  .heartbeat_s = 10, .max_output = 1 << 20 };
	struct link *l = NULL;
	struct err e = { 0 };
	int r;

	if (size == 0)
		return 0;
	body_most = o.max_body = data[0] & 8 ? 16 : 1 << 20;
	stream.data = data + 1;
	stream.len = size - 1;
	stream.at = 0;
	stream.piece = PIECES[data[0] & 7];
	fuzz_want(link_start(&l, &o, on_event, NULL, &e) >= 0, e.msg);
	do {
		r = link_io(l, &e);
		(void)link_is_open(l);
		(void)link_tick(l, NULL);
	} while (r >= 0);
	fuzz_want(e.msg[0], "what ends a connection has a reason");
	link_close(l);
	return 0;
}
