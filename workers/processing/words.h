/* SPDX-License-Identifier: MIT */
/* words: a clean text cut into words, each with a hash of its folded letters.
 *
 * A word is what stands between blanks and punctuation, with '+' and '#' kept and '.' inside: C++,
 * C#, .NET, Node.js. A full stop without a blank after it ("Python.Experience") ends a word all the
 * same. Apostrophes vanish ("Bachelor's" is "bachelors"), but French and Italian elisions end a
 * word ("l'anglais" is "l" and "anglais"). Letters are hashed in lower case and without the accents
 * of Latin-1, so that "Übersetzung" is "ubersetzung". Pure, linear, bears any bytes. */
#ifndef WORKERS_PROCESSING_WORDS_H
#define WORKERS_PROCESSING_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_LONGEST = 255 };		/* bytes; a longer one is cut */

struct word {
	const char *at;
	uint64_t hash;
	uint64_t stem;			/* the hash without a final 's'; 0 where there is none */
	uint16_t len;
};

/* Reads at most max words from *p on, which it moves. 0: no more. */
size_t words_read(const char **p, const char *end, struct word *ret, size_t max);
/* Of a phrase: the hash of its words so far and of the next one. */
uint64_t words_join(uint64_t left, uint64_t right);

#endif
