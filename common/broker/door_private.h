/* SPDX-License-Identifier: MIT */
/* What door.c (messages under way) and door_link.c (the connection, the spool's replay) share. */
#ifndef COMMON_BROKER_DOOR_PRIVATE_H
#define COMMON_BROKER_DOOR_PRIVATE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/broker/door.h"
#include "common/broker/publisher.h"

enum { DOOR_WINDOW = 512, DOOR_SLICE_MS = 50 };

struct spool;

/* LOST: neither with RabbitMQ nor in the spool, as far as we know. */
enum flight_state { FLIGHT_FREE, FLIGHT_SENT, FLIGHT_RETURNED, FLIGHT_LOST };

struct flight {
	enum flight_state state;
	int sends;
	uint64_t tag;
	int64_t deadline;		/* monotonic */
	int timeout_ms;
	char *id, *queue, *body;
	size_t body_len;
	struct buf props;
	door_done *done;
	void *ctx;
};

struct door {
	const struct conf *conf;
	char *name;
	struct publisher *p;		/* NULL = away */
	struct err why;			/* it is away, or was last */
	int64_t retry_at, look_at;	/* monotonic ms */
	int backoff_ms;			/* 0 = all was well last time */
	struct spool *spool;
	int64_t put_us;			/* what one spool_put takes */
	struct flight flights[DOOR_WINDOW];
	size_t nflights, bytes, next;	/* next: where to look for a free one */
	bool troubled;			/* some flight is RETURNED or LOST */
	bool stalled;			/* and for one only time can help */
	enum publish_outcome *replayed;	/* of a running replay, by tag - DOOR_WINDOW */
	size_t nreplayed;
};

/* The connection, made if it is time for that; NULL = away, d->why says why. */
struct publisher *door_ready(struct door *d, int64_t until);
/* Gives the connection up: what is unconfirmed is LOST. at_once: worth another connection now. */
void door_drop(struct door *d, const struct err *why, bool at_once);
/* Declares what returned a message: 0, or -ERR_UNROUTED when queues.conf does not name it. */
int door_declare(struct door *d, const char *queue, int64_t until, struct err *e);
/* The publisher's callback. */
void door_on_done(void *ctx, uint64_t tag, enum publish_outcome outcome);

#endif
