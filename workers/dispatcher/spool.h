/* SPDX-License-Identifier: MIT */
/* spool: the duty that sends what enqueues on this host had to spool, while RabbitMQ is there.
 *
 * It has a connection of its own, only while something waits. Damaged files raise the alert
 * spool_broken, entries that no queue takes the alert spool_unrouted. */
#ifndef DISPATCHER_SPOOL_H
#define DISPATCHER_SPOOL_H

#include <stdint.h>

struct conf;
struct door;
struct err;
struct peers;

struct spool_duty {
	struct door *door;	  /* NULL while nothing waits */
	const struct conf *conf;  /* the door's */
	int64_t look_ms, warn_ms; /* monotonic */
};

/* 1 = more waits, 0 = nothing, or RabbitMQ is away. Call it about once a second. */
int spool_turn(struct spool_duty *d, const struct conf *conf, struct peers *peers, struct err *e);
void spool_release(struct spool_duty *d);

#endif
