/* SPDX-License-Identifier: MIT */
/* outlet: the parent's publishing connection: forwards, dead letters, control replies.
 *
 * Never waits. A publish with a callback is confirmed or told why not: within OUTLET_DEADLINE the
 * callback comes exactly once, also when the connection is lost. Casts (control replies, events)
 * have no callback and are dropped while the connection is down or blocked. */
#ifndef COMMON_WORKER_OUTLET_H
#define COMMON_WORKER_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/broker/publisher.h"

struct outlet;

/* Where messages go that cannot be understood; declared with the connection. */
#define OUTLET_MAILBOX "failed_operations"
#define OUTLET_EVENTS "celeryev"	/* Celery's exchange for events: topic, durable */

typedef void outlet_done(void *ctx, void *item, enum publish_outcome outcome);

struct outlet *outlet_new(void *loop, const char *url, const char *name, int heartbeat_s, void *ctx,
			  outlet_done *done);
/* Callbacks of what is unsettled come with PUBLISH_UNKNOWN first. */
void outlet_free(struct outlet *o);
void outlet_tick(struct outlet *o);
void outlet_flush(struct outlet *o);

/* Mandatory and confirmed; false: not now (down, blocked, full), nothing was taken. */
bool outlet_publish(struct outlet *o, const char *queue, const void *props, size_t props_len,
		    const void *body, size_t body_len, void *item);
/* Fire and forget. */
void outlet_cast(struct outlet *o, const char *exchange, const char *key, const void *props,
		 size_t props_len, const void *body, size_t body_len);
/* The exchange is declared (direct, not durable) before the first cast to it. */
void outlet_reply(struct outlet *o, const char *exchange, const char *key, const void *props,
		  size_t props_len, const void *body, size_t body_len);
/* To OUTLET_EVENTS, declared before the first; false: dropped, because the broker is away, blocked
 * or has not read 4 MiB yet. */
bool outlet_event(struct outlet *o, const char *key, const void *props, size_t props_len,
		  const void *body, size_t body_len);
/* A message too large to hold, passed on part by part; begin false = not now. The parts that follow
 * are dropped if the connection is lost on the way, and the callback says UNKNOWN. */
bool outlet_stream_begin(struct outlet *o, const char *queue, const void *props, size_t props_len,
			 uint64_t body_len, void *item);
void outlet_stream_part(struct outlet *o, const void *part, size_t len);
void outlet_stream_end(struct outlet *o);

#endif
