/* SPDX-License-Identifier: MIT */
/* tokens: a text as the hashes of its words, for comparing texts and for embedding them.
 *
 * A word is a run of letters, digits, '+' and '#'; ASCII letters count as lower case. Spaces,
 * punctuation and the symbols of U+0080 to U+00BF and U+2000 to U+2FFF (quotes, dashes, bullets,
 * the ellipsis) part words, as sources write them differently. A word's hash is the low half of
 * XXH3 (libxxhash) over its first 64 bytes: the same on every machine.
 * A script without spaces gives few long words, so such texts are compared by sentences.
 * Ownership: init/release embed it; clear keeps the memory. At most TOKENS_MAX words are kept. */
#ifndef WORKERS_PROCESSING_TOKENS_H
#define WORKERS_PROCESSING_TOKENS_H

#include <stddef.h>
#include <stdint.h>

enum { TOKENS_MAX = 16384, TOKENS_BYTES = 64 };

struct tokens {
	uint32_t *hash;
	size_t n, cap;
};

void tokens_init(struct tokens *t);
void tokens_release(struct tokens *t);
void tokens_clear(struct tokens *t);
/* Appends the words of clean UTF-8 text. */
void tokens_add(struct tokens *t, const char *text, size_t len);

#endif
