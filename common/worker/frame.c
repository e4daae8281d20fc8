/* SPDX-License-Identifier: MIT */
#include "common/worker/frame.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"

enum { PORT_MAX = 256 << 20, READ_BYTES = 65536 };

static const uint32_t NULL_LENGTH = UINT32_MAX;

void frame_port_init(struct frame_port *p, int fd)
{
	*p = (struct frame_port){ .fd = fd };
	buf_init(&p->out, PORT_MAX);
	buf_init(&p->in, PORT_MAX);
}

void frame_port_release(struct frame_port *p)
{
	if (p->fd >= 0)
		close(p->fd);
	buf_release(&p->out);
	buf_release(&p->in);
	p->fd = -1;
}

void frame_begin(struct frame_port *p, enum frame_kind kind)
{
	p->frame_start = p->out.len;
	buf_put_u32(&p->out, 0);
	buf_put_u8(&p->out, (uint8_t)kind);
}

void frame_put_u32(struct frame_port *p, uint32_t v)
{
	buf_put_u32(&p->out, v);
}

void frame_put_i64(struct frame_port *p, int64_t v)
{
	buf_put_u64(&p->out, (uint64_t)v);
}

void frame_put_bytes(struct frame_port *p, const void *data, size_t n)
{
	buf_put_u32(&p->out, (uint32_t)n);
	buf_append(&p->out, data, n);
	buf_putc(&p->out, '\0');
}

void frame_put_str(struct frame_port *p, const char *s)
{
	if (s)
		frame_put_bytes(p, s, strlen(s));
	else
		buf_put_u32(&p->out, NULL_LENGTH);
}

void frame_end(struct frame_port *p)
{
	uint32_t n = htonl((uint32_t)(p->out.len - p->frame_start - sizeof n));

	assert(!buf_overflowed(&p->out));
	memcpy(p->out.data + p->frame_start, &n, sizeof n);
}

bool frame_has_unsent(const struct frame_port *p)
{
	return p->out.len > p->out_at;
}

static void wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	while (poll(&pfd, 1, -1) < 0 && errno == EINTR)
		;
}

int frame_flush(struct frame_port *p, bool block)
{
	while (frame_has_unsent(p)) {
		ssize_t n = send(p->fd, p->out.data + p->out_at, p->out.len - p->out_at,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			p->out_at += (size_t)n;
		else if (errno == EAGAIN && block)
			wait_for(p->fd, POLLOUT);
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR)
			return -1;
	}
	p->out_at = 0;
	buf_clear(&p->out);
	return 0;
}

int frame_fill(struct frame_port *p, bool block)
{
	ssize_t n;

	buf_consume(&p->in, p->in_at);
	p->in_at = 0;
	for (;;) {
		n = recv(p->fd, buf_reserve(&p->in, READ_BYTES), READ_BYTES,
			 block ? 0 : MSG_DONTWAIT);
		if (n > 0) {
			buf_commit(&p->in, (size_t)n);
			return 1;
		}
		if (n == 0)
			return -1;
		if (errno == EAGAIN)
			return 0;
		if (errno != EINTR)
			return -1;
	}
}

bool frame_next(struct frame_port *p, struct frame *ret)
{
	size_t have = p->in.len - p->in_at;
	uint32_t n;

	if (have < sizeof n)
		return false;
	memcpy(&n, p->in.data + p->in_at, sizeof n);
	n = ntohl(n);
	if (have < sizeof n + n)
		return false;
	ret->at = p->in.data + p->in_at + sizeof n;
	ret->end = ret->at + n;
	ret->kind = (enum frame_kind)*ret->at++;
	p->in_at += sizeof n + n;
	return true;
}

uint32_t frame_get_u32(struct frame *f)
{
	uint32_t v;

	assert(f->at + sizeof v <= f->end);
	memcpy(&v, f->at, sizeof v);
	f->at += sizeof v;
	return ntohl(v);
}

int64_t frame_get_i64(struct frame *f)
{
	uint64_t v;

	assert(f->at + sizeof v <= f->end);
	memcpy(&v, f->at, sizeof v);
	f->at += sizeof v;
	return (int64_t)be64toh(v);
}

const char *frame_get_bytes(struct frame *f, size_t *ret_len)
{
	uint32_t n = frame_get_u32(f);
	const char *p = f->at;

	*ret_len = n == NULL_LENGTH ? 0 : n;
	if (n == NULL_LENGTH)
		return NULL;
	assert((size_t)(f->end - f->at) >= (size_t)n + 1);
	f->at += n + 1;
	return p;
}

const char *frame_get_str(struct frame *f)
{
	size_t n;

	return frame_get_bytes(f, &n);
}
