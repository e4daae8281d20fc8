/* SPDX-License-Identifier: MIT */
/* arena: many small pieces that end together. What a peer sizes is bounded by who fills it. */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
	char *at;
	size_t left;
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);
void *arena_zalloc(struct arena *a, size_t n);	/* aligned for anything; never NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_keep(struct arena *a, char *owned);	/* a malloc'ed piece that ends with the others */

#endif
