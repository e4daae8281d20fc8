/* SPDX-License-Identifier: MIT */
/* signal_private: what the readers of signals share. */
#ifndef DISPATCHER_SIGNAL_PRIVATE_H
#define DISPATCHER_SIGNAL_PRIVATE_H

#include "workers/dispatcher/peers.h"
#include "workers/dispatcher/signal.h"

struct err;

struct signal_set {
	struct signal *items;
	size_t n;
};

struct signals {
	struct signal_set sets[MEASURE_IDS];
	int64_t away_ms[PEER_COUNT];	/* monotonic; 0 = there */
	unsigned looks;
	unsigned due[MEASURE_IDS];	/* the look that reads it next */
	int first;			/* the measure that a look begins with */
};

void signal_put(struct signals *s, enum measure_id id, const char *subject, double value);
void signal_clear(struct signals *s, enum measure_id id);

/* signal_sql: 1 = read, 0 = this measure is not PostgreSQL's, negative: not known now. */
int signal_ask(struct signals *s, enum measure_id id, const struct conf *conf, struct peers *peers,
	       int64_t now_us, struct err *e);
bool signal_is_slow(enum measure_id id);
/* signal_local: consumers, raw_files, disk_used, away. */
void signal_look(struct signals *s, enum measure_id id, const struct conf *conf,
		 struct peers *peers);

#endif
