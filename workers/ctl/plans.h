/* SPDX-License-Identifier: MIT */
/* plans: the schedules as the command line needs them: the plan (common/base/plan.h), and of one
 * schedule when it comes. */
#ifndef CTL_PLANS_H
#define CTL_PLANS_H

#include <stdint.h>

#include "common/base/schedule.h"

struct conf_schedule;
struct ctl;
struct err;
struct plan;

/* With what the database has; a row that is wrong there is noted and left out. While PostgreSQL is
 * away: what queues.conf has, with a note. */
int plans_load(struct ctl *c, struct plan **ret, struct err *e);
/* -ERR_NOT_FOUND with the name that was likely meant. */
int plans_find(const struct plan *p, const char *name, const struct conf_schedule **ret,
	       struct err *e);

/* As people read it: "0 9 * * * (Europe/Berlin)", "after x + 5m". */
void plans_describe(const struct conf_schedule *s, char *out, size_t size);
/* Due times of s, with the anchor that the dispatchers have; now_us where they have none yet. */
int plans_schedule(struct ctl *c, const struct conf_schedule *s, int64_t now_us,
		   struct schedule *ret, struct err *e);

#endif
