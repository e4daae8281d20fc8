/* SPDX-License-Identifier: MIT */
/* orphans: chords that wait for parts which are nowhere.
 *
 * joins.h finishes what can be finished and fails what can never be. Between the two stand chords
 * whose missing parts may merely take long: here one is told of (alert join_orphaned, subject: the
 * chord) that had no news for join_timeout while no queue has a message, no row of jobfleet.pending
 * names it, and no worker is at work. Taken back when it moves or ends. */
#ifndef DISPATCHER_ORPHANS_H
#define DISPATCHER_ORPHANS_H

#include <stdint.h>

struct err;
struct pg;

/* Only when all queues are empty. */
int orphans_look(struct pg *pg, int64_t silent_ms, struct err *e);

#endif
