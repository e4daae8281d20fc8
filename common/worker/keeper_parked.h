/* SPDX-License-Identifier: MIT */
/* keeper_parked: what waits in PostgreSQL for its time, as `celery inspect scheduled` shows it. */
#ifndef COMMON_WORKER_KEEPER_PARKED_H
#define COMMON_WORKER_KEEPER_PARKED_H

struct err;
struct stores;

/* The next 500 rows of jobfleet.pending for queues (a PostgreSQL array), as a JSON list of Celery's
 * entries (eta, priority, request), malloc'ed; node is whom their request names. Every worker of a
 * queue shows them: none has them. */
int keeper_parked(struct stores *stores, const char *queues, const char *node, char **ret,
		  struct err *e);

#endif
