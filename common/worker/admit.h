/* SPDX-License-Identifier: MIT */
/* admit: whether a task may be taken and may start now: unique key, rate limit, concurrency key.
 *
 * Unique (headers x-jobfleet-unique-key, -unique-for, -unique-mode: sql/004_orders.sql says what
 * they mean): asked of PostgreSQL by the keeper when the message arrives; a duplicate is REVOKED
 * with "duplicate of <id>".
 *
 * Rate limit (rate_limit, at = start): a slot is taken when a child is free for the task, in Redis
 * for the whole cluster, or in this process (rate_limit_scope = worker). One that lies ahead is
 * waited for: in memory up to eta_hold, else in pending, with the headers x-jobfleet-slot (when)
 * and x-jobfleet-admitted, so that it does not ask again. The latter's number stands for the rate:
 * under another rate it asks anew, and when remote control or a reload changes the rate, what is
 * parked for its slot comes back at once. A rate that remote control gives holds at the start also
 * for a task whose own is taken at its first outbound call.
 *
 * Concurrency key (concurrency_key, concurrency_limit): a lease in Redis, taken at the start, given
 * back at the end, renewed every third of its time while it runs; when a worker dies its leases run
 * out (fleet.lease). While a key has no lease free its tasks ask again after 100 ms to 1 s, and at
 * once when one ends here; longer than eta_hold they are parked for 5 to 80 s. Without Redis none
 * starts. */
#ifndef COMMON_WORKER_ADMIT_H
#define COMMON_WORKER_ADMIT_H

#include <stdbool.h>

struct delivery;
struct worker;

/* True: d waits for an answer, or is refused; it has been taken care of. */
bool admit_arrival(struct worker *w, struct delivery *d);
/* True: start it now. False: it has been taken care of. */
bool admit_start(struct worker *w, struct delivery *d);
/* It does not run here any more: its lease is free. final: nor will it anywhere. */
void admit_end(struct worker *w, struct delivery *d, bool final);
void admit_tick(struct worker *w);	/* each second: renews leases, follows rates */

#endif
