/* SPDX-License-Identifier: MIT */
/* runs: what becomes of the schedules' fires: runs that wait for the one before them are let go
 * once it has ended, runs that were replaced are ended, and how each one went is written down
 * (jobfleet.schedule_fires).
 *
 * Who was replaced is told to all workers until its end is known; telling twice does no harm. Any
 * number of dispatchers may do this. */
#ifndef DISPATCHER_RUNS_H
#define DISPATCHER_RUNS_H

#include <stdint.h>

struct err;
struct peers;

/* Begins as zeros. */
struct runs {
	int64_t all_ms;	/* monotonic: when all open ones were looked at last */
};

/* now_us: what counts as now. 1 = some were let go, 0 = none, or somebody is away. */
int runs_turn(struct runs *r, struct peers *peers, int64_t now_us, struct err *e);

#endif
