/* SPDX-License-Identifier: MIT */
/* slot: hand-over places between the parent and one child, in shared memory.
 *
 * Up to SLOT_COUNT tasks are handed over at once. A task's bytes travel over the socket; its slot
 * says who may run it: the child takes READY to RUNNING, the parent takes READY back to FREE, both
 * by compare-and-swap, so exactly one wins. Limits and deaths belong to the slot that is RUNNING.
 *
 *	FREE --parent--> READY --child--> RUNNING --child--> DONE --parent--> FREE
 *	                 READY --parent (takes it back)--> FREE
 */
#ifndef COMMON_WORKER_SLOT_H
#define COMMON_WORKER_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SLOT_COUNT = 4, SLOT_MAX_CHILDREN = 512 };

enum slot_state { SLOT_FREE, SLOT_READY, SLOT_RUNNING, SLOT_DONE };

/* State and serial move together: a frame of a hand-over that was taken back must not win the
 * slot's next one. */
struct slot {
	_Atomic uint64_t word;		/* serial << 2 | state */
	_Atomic int64_t started_us;	/* monotonic; set before RUNNING becomes visible */
};

struct slot_row {
	struct slot slot[SLOT_COUNT];
};

/* Memory that the later forks share; SLOT_MAX_CHILDREN rows. */
struct slot_row *slot_map(void);
void slot_set(struct slot *s, uint32_t serial, enum slot_state state);
enum slot_state slot_state(const struct slot *s);
/* False: somebody else moved it, or it belongs to another hand-over by now. */
bool slot_move(struct slot *s, uint32_t serial, enum slot_state from, enum slot_state to);

#endif
