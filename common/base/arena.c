/* SPDX-License-Identifier: MIT */
#include "common/base/arena.h"

#include "common/base/mem.h"

enum { BLOCK = 16384, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	char *kept;			/* an owned piece; NULL: the pieces stand behind this head */
};

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void arena_release(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b->kept);
		free(b);
	}
	*a = (struct arena){ 0 };
}

static struct arena_block *push(struct arena *a, size_t n)
{
	struct arena_block *b = mem_zalloc(sizeof *b + n);

	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *arena_zalloc(struct arena *a, size_t n)
{
	void *p;

	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (n > BLOCK / 4)
		return push(a, n) + 1;
	if (n > a->left) {
		a->at = (char *)(push(a, BLOCK) + 1);
		a->left = BLOCK;
	}
	p = a->at;
	a->at += n;
	a->left -= n;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_zalloc(a, n + 1);

	if (n)
		memcpy(copy, s, n);
	return copy;
}

char *arena_keep(struct arena *a, char *owned)
{
	push(a, 0)->kept = owned;
	return owned;
}
