/* SPDX-License-Identifier: MIT */
/* frame: length-prefixed records between the processes of one worker, over a socketpair.
 *
 * A frame is u32 length, u8 kind, then fields in the order both sides know: numbers in network
 * order, byte strings with a u32 length and a NUL behind them (so that text is read in place).
 * Both ends are our own forks, so a malformed frame is a bug: readers assert. */
#ifndef COMMON_WORKER_FRAME_H
#define COMMON_WORKER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

enum frame_kind {
	/* parent → child */
	FRAME_TASK,		/* hand-over: child.h */
	FRAME_CONF,		/* settings changed: path of queues.conf */
	FRAME_QUIT,
	/* child → parent */
	FRAME_DONE,
	/* parent → keeper, with a request number; and its answer */
	FRAME_PARK, FRAME_START, FRAME_VERDICT, FRAME_CLAIM, FRAME_BEAT,
	FRAME_ORDER_WRITE, FRAME_ADMIT, FRAME_RELEASE, FRAME_RENEW, FRAME_RATE, FRAME_PARKED,
	FRAME_ANSWER, FRAME_ADMITTED,
	/* keeper → parent, unasked */
	FRAME_ORDER, FRAME_ORDERS_LOADED,
};

/* One end of a socketpair: bytes waiting to be sent and bytes not yet understood. */
struct frame_port {
	int fd;
	struct buf out, in;
	size_t out_at, in_at;	/* consumed so far */
	size_t frame_start;	/* of the frame being written */
};

void frame_port_init(struct frame_port *p, int fd);
void frame_port_release(struct frame_port *p);	/* closes fd */

void frame_begin(struct frame_port *p, enum frame_kind kind);
void frame_put_u32(struct frame_port *p, uint32_t v);
void frame_put_i64(struct frame_port *p, int64_t v);
void frame_put_bytes(struct frame_port *p, const void *data, size_t n);
void frame_put_str(struct frame_port *p, const char *s);	/* NULL stays NULL */
void frame_end(struct frame_port *p);

/* Writes what the socket takes; block = until all is gone. 0, or -1: the other end is gone. */
int frame_flush(struct frame_port *p, bool block);
bool frame_has_unsent(const struct frame_port *p);

struct frame {
	enum frame_kind kind;
	const char *at, *end;
};

/* Reads what is there: 1 = something came, 0 = nothing now (block = false), -1 = end of file. */
int frame_fill(struct frame_port *p, bool block);
/* The next whole frame; it points into the port and is valid until the next frame_fill. */
bool frame_next(struct frame_port *p, struct frame *ret);
uint32_t frame_get_u32(struct frame *f);
int64_t frame_get_i64(struct frame *f);
const char *frame_get_bytes(struct frame *f, size_t *ret_len);
const char *frame_get_str(struct frame *f);	/* NULL for a NULL */

#endif
