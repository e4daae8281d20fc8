/* SPDX-License-Identifier: MIT */
/* drill_send: the drill's producer. It writes what it means to enqueue, enqueues it, and writes
 * what the door answered (jobfleet.drill_intents, sql/020_audit.sql).
 *
 * It outlives every outage: while PostgreSQL is away nothing is enqueued, since no intent can be
 * written; a statement whose outcome is unknown is repeated (intents) or left without an answer
 * (enqueues in SQL). */
#ifndef CTL_DRILL_SEND_H
#define CTL_DRILL_SEND_H

#include <stdint.h>

struct ctl;
struct drill_mix;
struct err;

struct drill_plan {
	const char *run;		/* its name: 1 to 40 letters, digits, - and _ */
	const struct drill_mix *mix;
	int64_t tasks;			/* roots and what follows them */
	double rate;			/* of those a second */
};

/* Until all are enqueued and answered. Negative: something that no repeat mends. */
int drill_send(struct ctl *c, const struct drill_plan *p, struct err *e);

#endif
