/* SPDX-License-Identifier: MIT */
#include "workers/processing/tokens.h"

#include <xxhash.h>

#include "common/base/mem.h"

enum { FIRST_WORDS = 512, SYMBOL_2 = 0xc2, SYMBOL_3 = 0xe2 };	/* first bytes of symbols */

void tokens_init(struct tokens *t)
{
	*t = (struct tokens){ 0 };
}

void tokens_release(struct tokens *t)
{
	free(t->hash);
	tokens_init(t);
}

void tokens_clear(struct tokens *t)
{
	t->n = 0;
}

/* The byte as it is hashed; 0: no part of a word. */
static unsigned char folded(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '#')
		return c;
	if (c >= 'A' && c <= 'Z')
		return (unsigned char)(c | 0x20);
	return c < 0x80 || c == SYMBOL_2 || c == SYMBOL_3 ? 0 : c;
}

static void push(struct tokens *t, const unsigned char *word, size_t len)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : FIRST_WORDS;
		t->hash = mem_realloc(t->hash, t->cap * sizeof *t->hash);
	}
	t->hash[t->n++] = (uint32_t)XXH3_64bits(word, len);
}

void tokens_add(struct tokens *t, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	unsigned char word[TOKENS_BYTES];

	while (p < end && t->n < TOKENS_MAX) {
		size_t n = 0;
		unsigned char c = 0;

		for (; p < end && (c = folded(*p)) != 0; p++)
			if (n < sizeof word)
				word[n++] = c;
		if (n > 0)
			push(t, word, n);
		if (p < end)
			p += *p == SYMBOL_3 && end - p >= 3	 ? 3
				: *p == SYMBOL_2 && end - p >= 2 ? 2
								 : 1;
	}
}
