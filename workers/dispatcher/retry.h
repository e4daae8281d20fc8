/* SPDX-License-Identifier: MIT */
/* retry: dead letters whose cause can pass by itself are sent again by rule.
 *
 * Such causes are `exhausted` (a transient error outlasted the task's retries) and `maxlen` (its
 * queue was full). Each is sent again once it has been dead for dead_letter_retry, with the next
 * generation, up to generation dead_letter_retries; a replay by hand counts as one. All others
 * (malformed, unregistered, lost, hard limit, rejected …) wait for `jobfleet dlq replay`: no repeat
 * would end better. */
#ifndef DISPATCHER_RETRY_H
#define DISPATCHER_RETRY_H

#include <stdint.h>

struct err;
struct pg;

/* Some of them: 1 = there may be more, 0 = none is due. interval_ms is dead_letter_retry. */
int retry_turn(struct pg *pg, int64_t interval_ms, int retries, struct err *e);

#endif
