/* SPDX-License-Identifier: MIT */
/* stores: the connections of one child or keeper, each opened at first use and again when lost. */
#ifndef COMMON_WORKER_STORES_H
#define COMMON_WORKER_STORES_H

#include <stdint.h>

#include "common/base/conf.h"

struct err;
struct http;
struct pg;
struct publisher;
struct redis;

struct stores {
	const struct conf *conf;	/* borrowed */
	const char *name;		/* application name: "jobfleet-salary" */
	struct pg *pg;
	struct redis *redis;
	struct publisher *publisher;
	struct http *http;
};

/* Whether the addresses of all services could ever be connected to: one that cannot is no outage to
 * wait for. -ERR_CONFIG: the variable or line, and what would be right; never a part of the URL. */
int stores_check_urls(const struct conf *conf, struct err *e);

void stores_init(struct stores *s, const struct conf *conf, const char *name);
void stores_release(struct stores *s);

int stores_pg(struct stores *s, struct pg **ret, struct err *e);
int stores_redis(struct stores *s, struct redis **ret, struct err *e);
int stores_publisher(struct stores *s, struct publisher **ret, struct err *e);
int stores_http(struct stores *s, struct http **ret, struct err *e);
/* Drops a broken connection, so that the next use opens a new one. */
void stores_drop_broken(struct stores *s);

#endif
