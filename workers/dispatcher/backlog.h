/* SPDX-License-Identifier: MIT */
/* backlog: delivers the results that waited in jobfleet.result_backlog for Redis to come back.
 *
 * A row goes once Redis has taken the result, or holds something final or newer. */
#ifndef DISPATCHER_BACKLOG_H
#define DISPATCHER_BACKLOG_H

#include <stdint.h>

struct err;
struct peers;

/* One batch. 1 = there may be more, 0 = none, or somebody is away. */
int backlog_turn(struct peers *peers, int64_t expires_s, struct err *e);

#endif
