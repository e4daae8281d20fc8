/* SPDX-License-Identifier: MIT */
/* health_private: what health.c (services, report) and health_fleet.c (the rest) share. */
#ifndef COMMON_WORKER_HEALTH_PRIVATE_H
#define COMMON_WORKER_HEALTH_PRIVATE_H

#include "common/worker/health.h"

struct redis;

enum { HEALTH_SERVICES = 3 };

struct health {
	const struct conf *conf;
	const char *name;
	struct pg *pg;
	struct redis *redis;
	struct publisher *publisher;
	int64_t proof_us[HEALTH_SERVICES];	/* when each last answered */
};

/* database: it answered. */
void health_programs(struct health *h, struct health_report *r, bool database);
void health_sources(struct health *h, struct health_report *r, bool database);
void health_host(const struct health *h, struct health_report *r);
void health_data(struct health *h, struct health_report *r, bool database);

#endif
