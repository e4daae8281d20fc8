/* SPDX-License-Identifier: MIT */
/* schedules: the commands below `jobfleet schedule`. */
#ifndef CTL_SCHEDULES_H
#define CTL_SCHEDULES_H

#include "workers/ctl/ctl.h"

ctl_fn schedules_next, schedules_simulate;		/* schedule_time.c */
ctl_fn schedules_history;				/* schedule_history.c */
ctl_fn schedules_add, schedules_set, schedules_remove;	/* schedule_change.c */
ctl_fn schedules_run, schedules_pause, schedules_resume;	/* schedule_order.c */

#endif
