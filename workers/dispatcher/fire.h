/* SPDX-License-Identifier: MIT */
/* fire: one due time of a schedule becomes one task, whoever gets there first.
 *
 * A fire is a row in jobfleet.schedule_fires and one in jobfleet.pending, in one transaction; the
 * first one's key (schedule, due) lets one dispatcher win. A due time that is left out is a row in
 * jobfleet.schedule_skips, with the reason.
 *
 * Left out is what its condition refuses, and what finds a run before it still going on:
 *   overlap skip     left out
 *   overlap queue    fired, but the task waits in pending until the runs before it have ended;
 *                    with FIRE_QUEUE_MAX waiting the next is left out
 *   overlap replace  the same, and the runs before it are ended: those that wait are taken out,
 *                    the running one is revoked (workers/dispatcher/runs.h sees to its end)
 *   overlap allow    fired
 * What comes after another (kind "after") is never left out for overlap: skip and replace are allow
 * there. */
#ifndef DISPATCHER_FIRE_H
#define DISPATCHER_FIRE_H

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct err;
struct pg;
struct schedule;

enum { FIRE_QUEUE_MAX = 100 };

struct fire {
	const struct schedule *schedule;
	int64_t due_us;
	int64_t now_us; /* what counts as now; the task goes out by due_us + jitter */
	const char *task_id;
	const char *kind;    /* time, after */
	const char *trigger; /* id of the task whose success fires this; NULL */
	const char *node;
};

/* In pg's transaction. 1 = fired, 0 = it was fired before, or it is left out. conf knows the
 * sources of conditions. */
int fire_due(struct pg *pg, const struct conf *conf, const struct fire *f, struct err *e);
/* f is the first of some due times that passed while no dispatcher ran and that catch_up leaves
 * out: notes it. 0, or negative. */
int fire_missed(struct pg *pg, const struct fire *f, struct err *e);

#endif
