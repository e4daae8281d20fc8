/* SPDX-License-Identifier: MIT */
/* drill_mix: which tasks a drill enqueues. Task number i of a seed is always the same, so a seed
 * replays.
 *
 * A mixture is written "short=40,long=1": kinds (jobfleet.drill_parts, sql/020_audit.sql) and their
 * shares. A kind's tasks are its root and all that follow it. */
#ifndef CTL_DRILL_MIX_H
#define CTL_DRILL_MIX_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum { DRILL_KINDS = 10 };

struct drill_mix {
	uint64_t seed;
	int shares[DRILL_KINDS], sum;
};

struct drill_task {
	const char *kind;	/* the task is drill.KIND */
	int n;			/* its size: steps, members, failures … */
	int tasks;		/* it and what follows it */
	int work_ms, delay_ms;	/* delay: its eta is so much later; 0 = at once */
	int priority;
	bool by_sql;		/* enqueued in PostgreSQL, else at the broker's door */
};

/* NULL = DRILL_MIXTURE. -ERR_USAGE names what is wrong. */
#define DRILL_MIXTURE \
	"short=48,long=1,retried=12,scheduled=10,steps=8,spawn=5,pipeline=5,chain=4,group=3,chord=4"
int drill_mix_init(struct drill_mix *m, uint64_t seed, const char *mixture, struct err *e);
void drill_mix_task(const struct drill_mix *m, int64_t number, struct drill_task *ret);

#endif
