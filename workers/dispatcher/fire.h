/* SPDX-License-Identifier: MIT */
/* fire: one due time of a schedule becomes one task, whoever gets there first.
 *
 * A fire is a row in jobfleet.schedule_fires and one in jobfleet.pending, in one transaction; the
 * first one's key (schedule, due) lets one dispatcher win. */
#ifndef DISPATCHER_FIRE_H
#define DISPATCHER_FIRE_H

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct err;
struct pg;
struct schedule;

struct fire {
	const struct schedule *schedule;
	const char *queue; /* NULL: as jobfleet.routes says */
	int64_t due_us;
	int64_t now_us; /* what counts as now; the task goes out by due_us + jitter */
	const char *task_id;
	const char *kind;    /* time, after */
	const char *trigger; /* id of the task whose success fires this; NULL */
	const char *node;
};

/* In pg's transaction, or alone. 1 = fired, 0 = it was fired before. */
int fire_insert(struct pg *pg, const struct fire *f, struct err *e);

/* Is the task of the schedule's latest fire still under way? One that stands neither in the
 * ledger nor in the dead letters after a day does not hold the schedule up any longer: tasks
 * without a ledger leave no trace there. 1 yes, 0 no. */
int fire_is_running(struct pg *pg, const char *schedule, int64_t now_us, struct err *e);

#endif
