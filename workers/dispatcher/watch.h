/* SPDX-License-Identifier: MIT */
/* watch: holds broker, database and workers against each other, one kind of trouble a turn:
 *
 *   unserved  a queue in which messages wait and that nobody consumes        alert
 *   silent    a worker that neither reports nor said good-bye                alert; its row ends
 *   claims    a claim or lease whose end lies far ahead (a clock jumped)     freed, alert
 *   stuck     a stage of the pipeline whose task ended or is nowhere         given one, alert
 *   orphans   a chord that waits for parts which are nowhere                 alert
 *   putback   a database that was put back to an earlier state               alert, written down
 *
 * What takes long is done less often: a look gets a twentieth of the time. Reports of workers are
 * judged only some heartbeats after PostgreSQL came back, for nobody could report before.
 * Alerts are taken back here when the trouble is over. What a queue lost is watcher's, what joins
 * can still be finished is joins'. Any number of dispatchers may watch at once. */
#ifndef DISPATCHER_WATCH_H
#define DISPATCHER_WATCH_H

#include <stdint.h>

#include "workers/dispatcher/unserved.h"

struct conf;
struct err;
struct peers;

enum { WATCH_KINDS = 6 };

/* Begins as zeros. */
struct watch {
	int64_t next_ms[WATCH_KINDS];	/* monotonic */
	unsigned kind;			/* whose turn it is */
	unsigned connection;		/* to PostgreSQL, the how manieth */
	int64_t back_ms;		/* since when, monotonic */
	struct unserved unserved;
};

/* One kind whose time it is: 0, or negative: see e. */
int watch_turn(struct watch *w, const struct conf *conf, struct peers *peers, struct err *e);
void watch_release(struct watch *w);

#endif
