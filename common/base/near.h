/* SPDX-License-Identifier: MIT */
/* near: the known word that somebody most likely meant ("did you mean …").
 *
 * Distance is Damerau-Levenshtein's (insert, delete, change, swap of neighbours; optimal string
 * alignment), cases folded; near is at most a third of the longer word's length (rounded).
 * Words over NEAR_BYTES are never near. */
#ifndef COMMON_BASE_NEAR_H
#define COMMON_BASE_NEAR_H

#include <stddef.h>

enum { NEAR_BYTES = 64 };

struct near {
	const char *text;	/* borrowed, as the words are */
	const char *word;	/* the nearest so far; NULL: none is near */
	size_t distance;
};

void near_init(struct near *n, const char *text);
void near_offer(struct near *n, const char *word);

#endif
