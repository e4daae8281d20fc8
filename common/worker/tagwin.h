/* SPDX-License-Identifier: MIT */
/* tagwin: the unsettled delivery tags of one channel, and how their acks are put together.
 *
 * Tags of a channel rise by one. Finished tags contiguous from the oldest leave as one basic.ack
 * multiple, the others singly; nobody waits longer than the caller's flush interval. */
#ifndef COMMON_WORKER_TAGWIN_H
#define COMMON_WORKER_TAGWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tagwin {
	uint64_t first;		/* oldest tag still in the window */
	uint8_t *state;		/* of first + i */
	size_t n, cap, finished;	/* finished: not acked yet */
	size_t unsettled;
};

typedef void tagwin_ack(void *ctx, uint64_t tag, bool multiple);

void tagwin_init(struct tagwin *w);
void tagwin_release(struct tagwin *w);
void tagwin_arrive(struct tagwin *w, uint64_t tag);
void tagwin_finish(struct tagwin *w, uint64_t tag);	/* to be acked */
void tagwin_drop(struct tagwin *w, uint64_t tag);	/* rejected: no ack of ours any more */
void tagwin_flush(struct tagwin *w, tagwin_ack *ack, void *ctx);

#endif
