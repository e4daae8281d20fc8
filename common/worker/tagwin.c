/* SPDX-License-Identifier: MIT */
#include "common/worker/tagwin.h"

#include <assert.h>

#include "common/base/mem.h"

enum { OUT, FINISHED, GONE };

void tagwin_init(struct tagwin *w)
{
	*w = (struct tagwin){ .first = 1 };
}

void tagwin_release(struct tagwin *w)
{
	free(w->state);
	tagwin_init(w);
}

void tagwin_arrive(struct tagwin *w, uint64_t tag)
{
	if (w->n == 0)
		w->first = tag;
	assert(tag == w->first + w->n);
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 256;
		w->state = mem_realloc(w->state, w->cap);
	}
	w->state[w->n++] = OUT;
	w->unsettled++;
}

static void set(struct tagwin *w, uint64_t tag, uint8_t state)
{
	assert(tag >= w->first && tag < w->first + w->n && w->state[tag - w->first] == OUT);
	w->state[tag - w->first] = state;
	w->unsettled--;
}

void tagwin_finish(struct tagwin *w, uint64_t tag)
{
	set(w, tag, FINISHED);
	w->finished++;
}

void tagwin_drop(struct tagwin *w, uint64_t tag)
{
	set(w, tag, GONE);
}

void tagwin_flush(struct tagwin *w, tagwin_ack *ack, void *ctx)
{
	size_t lead = 0, last = 0;
	bool any = false;

	for (; lead < w->n && w->state[lead] != OUT; lead++) {
		if (w->state[lead] == FINISHED) {
			last = lead;
			any = true;
			w->finished--;
		}
	}
	if (any)
		ack(ctx, w->first + last, true);
	for (size_t i = lead; i < w->n && w->finished > 0; i++) {
		if (w->state[i] != FINISHED)
			continue;
		ack(ctx, w->first + i, false);
		w->state[i] = GONE;
		w->finished--;
	}
	if (lead == 0)
		return;
	memmove(w->state, w->state + lead, w->n - lead);
	w->n -= lead;
	w->first += lead;
}
