/* SPDX-License-Identifier: MIT */
/* signal: the present values of the measures (common/base/measure.h), one for each subject.
 *
 * Where they come from:
 *	PostgreSQL   figures over a window, by single statements of SQL_LIMIT_MS at most, over the
 *	             newest rows (20,000 attempts, 50,000 ends), so that a busy fleet costs no more
 *	RabbitMQ     consumers, by a passive declare of each queue of queues.conf that exists,
 *	             and that was served in the last day or holds messages
 *	this process how long PostgreSQL, RabbitMQ and Redis have been away
 *	this host    the disk, and raw responses in files: of the leader's host alone
 * A figure without enough samples, and one that cannot be read now, is missing: rule.h says that
 * this is not "fine". Least samples: error_rate 20 attempts, success_rate 5 ends, run_length 10
 * ends and 30 s, validation_failures 20 postings, quality_score 20, hit_rate 100 reads.
 * Figures over an hour or a day are read on every SIGNALS_SLOW-th look only.
 * A look that has taken SIGNALS_LOOK_MS (a table is locked, PostgreSQL is slow) reads no further
 * measure; the next one begins with those. So the relay and the lease wait SQL_LIMIT_MS longer at
 * most, however many measures are slow. */
#ifndef DISPATCHER_SIGNAL_H
#define DISPATCHER_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/measure.h"

struct conf;
struct peers;
struct signals;

enum { SIGNALS_SLOW = 12, SIGNALS_LOOK_MS = 500 };

struct signal {
	char *subject;
	double value;
};

struct signals *signals_new(void);
void signals_free(struct signals *s);

/* Notes who is away; cheap, for each time round. */
void signals_watch(struct signals *s, struct peers *peers);
/* Brings those that are wanted up to date. now_us: PostgreSQL's clock. */
void signals_read(struct signals *s, const struct conf *conf, struct peers *peers,
		  const bool wanted[MEASURE_IDS], int64_t now_us);
/* Those that PostgreSQL is not asked for: what can be said while it is away. */
void signals_read_away(struct signals *s);

/* Borrowed until the next read. */
const struct signal *signals_list(const struct signals *s, enum measure_id id, size_t *ret_n);

#endif
