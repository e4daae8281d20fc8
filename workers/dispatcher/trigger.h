/* SPDX-License-Identifier: MIT */
/* trigger: fires the schedules that come after another's success.
 *
 * The final ledger row with outcome success of a task that `after` names, or that was fired by
 * the schedule of that name, fires once: the new task's id comes from the old one's. The due time
 * is the success plus delay. Successes from before the schedule was known, and from while it was
 * paused, fire nothing; those from while no dispatcher ran do, whatever catch_up says: a stage must
 * not be left out.
 *
 * A row's settled_at is when its transaction began, so rows can appear behind ones that were seen
 * already: every look goes back TRIGGER_BACK_US, and once a minute TRIGGER_FAR_BACK_US, which is
 * how long a settling transaction may take. */
#ifndef DISPATCHER_TRIGGER_H
#define DISPATCHER_TRIGGER_H

#include <stdint.h>

struct conf;
struct err;
struct pg;
struct schedule;
struct timetable;

#define TRIGGER_BACK_US INT64_C(10000000)
#define TRIGGER_FAR_BACK_US INT64_C(900000000)

/* Where the looks of one process stand; begins as zeros. */
struct trigger {
	int64_t far_look_us;	 /* when the last look far back was */
	int64_t failed_until_us; /* none before: one could not be fired (it has no queue) */
};

/* Returns the number of fires. */
int trigger_turn(struct trigger *t, const struct timetable *table, const struct conf *conf,
		 struct pg *pg, int64_t now_us, const char *node, struct err *e);

#endif
