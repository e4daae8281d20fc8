/* SPDX-License-Identifier: MIT */
/* await: one task's result, awaited as Celery clients do: SUBSCRIBE to its key before the task is
 * sent, GET once, then wait for messages. A lost connection is opened again, and the key is read
 * once a second besides, since a published message can be lost. */
#ifndef CTL_AWAIT_H
#define CTL_AWAIT_H

#include <stdint.h>

struct await;
struct err;
struct meta;

int await_open(struct await **ret, const char *redis_url, const char *task_id, struct err *e);
void await_close(struct await *a);

/* The state as it is now: 1 = *ret filled, 0 = nothing is stored. */
int await_look(struct await *a, struct meta *ret, struct err *e);
/* Until the state is final: 1 = *ret filled, 0 = deadline_ms (monotonic; 0 = none) passed. seen
 * (may be NULL) hears every other state. */
int await_final(struct await *a, int64_t deadline_ms, void (*seen)(void *ctx, const struct meta *m),
		void *ctx, struct meta *ret, struct err *e);

#endif
