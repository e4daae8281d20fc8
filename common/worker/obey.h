/* SPDX-License-Identifier: MIT */
/* obey: what the parent does about the revokes and pauses that hold (orders.h).
 *
 * Revoked (by id or stamp): REVOKED is stored by the keeper, then the message is acked. Asked when
 * a message arrives, when its time has come and before it starts; also while draining.
 * Paused task: parked without a due time, reason "paused", until a resume makes it due.
 * Paused queue or fleet: nothing more is consumed from it, and what waits here goes back. What runs
 * goes on to its end. */
#ifndef COMMON_WORKER_OBEY_H
#define COMMON_WORKER_OBEY_H

#include <stdbool.h>

struct delivery;
struct order;
struct worker;

/* True: an order stops d, and it has been taken care of. */
bool obey_stops(struct worker *w, struct delivery *d);
/* desk_on_orders: one order, or NULL when all are there. */
void obey_order(void *ctx, const struct order *o);
/* A queue was added: is it paused? */
void obey_queue(struct worker *w, int queue);

#endif
