/* SPDX-License-Identifier: MIT */
/* keep: orders (store/orders.h) given from the command line, and where they are kept.
 *
 * Each order goes to PostgreSQL and to Redis. One of them is enough; what is away is tried once. */
#ifndef CTL_KEEP_H
#define CTL_KEEP_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/store/orders.h"
#include "workers/ctl/operator.h"

struct ctl;

struct keep {
	struct ctl *ctl;
	bool asked, in_pg, in_redis;	/* in_: every order so far is kept there */
	struct err pg_why, redis_why;	/* why not */
	char by[OPERATOR_SIZE];		/* who gives them */
};

void keep_init(struct keep *k, struct ctl *c);
/* -ERR_USAGE: the order is wrong. Where it is kept, k says. */
int keep_order(struct keep *k, struct order o, struct err *e);
/* "PostgreSQL and Redis", …; with notes about what is away. CTL_AGAIN if nowhere. */
int keep_tell(const struct keep *k, const char *what);
/* ["postgresql", "redis"] */
const char *keep_json(const struct keep *k);

#endif
