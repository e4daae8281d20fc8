/* SPDX-License-Identifier: MIT */
/* pools: the workers that run a program, as their heartbeat rows tell, and their children scaled by
 * remote control, where there is no systemd that starts more of them.
 *
 * The requests are Celery's autoscale (for a pool with a range) and pool_grow and pool_shrink (for
 * one of fixed size), without an answer: the next heartbeat rows show what became of it. They go
 * out on a connection of their own. Source: celery-wire section 6. */
#ifndef DISPATCHER_POOLS_H
#define DISPATCHER_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct pg;

struct pool_node {
	char *name;
	bool here;			/* an instance of our systemd could be called so */
	int children, active;
	int least, most;		/* its pool's bounds */
	char *run_us;			/* JSON: {queue: microseconds}; NULL = not told */
};

struct pools {
	struct pool_node *nodes;
	size_t n;
	int active, most;		/* of all together */
	int64_t age_ms;			/* of the oldest of the rows */
};

/* Live workers of a program; ret is the caller's to release. */
int pools_read(struct pg *pg, const struct conf *conf, const char *program, struct pools *ret,
	       struct err *e);
void pools_release(struct pools *p);
/* The mean of what those that know tell of a queue, in ms; 0 = nobody knows. */
double pools_run_ms(const struct pools *p, const char *queue);

/* Spreads so many children over them, one each at least, and tells those that have others now.
 * least: what each keeps without work. -ERR_NOT_FOUND: there is no worker. */
int pools_scale(const struct pools *p, const struct conf *conf, int children, int least,
		struct err *e);

#endif
