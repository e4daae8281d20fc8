/* SPDX-License-Identifier: MIT */
/* spoil: damages a good text at random places, so that readers of foreign bytes can be shown to
 * survive it. The seed makes a run repeatable. */
#ifndef TESTS_SPOIL_H
#define TESTS_SPOIL_H

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static unsigned spoil_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

/* A damaged copy: bytes changed, cut out, doubled, or the end gone. The caller frees it. */
static char *spoil(const char *text, unsigned *seed, size_t *ret_len)
{
	size_t len = strlen(text);
	char *s = mem_alloc(2 * len + 1);

	memcpy(s, text, len);
	for (unsigned n = 1 + spoil_random(seed) % 4; n > 0 && len > 8; n--) {
		size_t at = spoil_random(seed) % len, run = 1 + spoil_random(seed) % 8;

		if (run > len - at)
			run = len - at;
		switch (spoil_random(seed) % 5) {
		case 0:
			s[at] = (char)spoil_random(seed);
			break;
		case 1:
			s[at] = "\"{}[]:,0-\\"[spoil_random(seed) % 10];
			break;
		case 2:
			memmove(s + at, s + at + run, len - at - run);
			len -= run;
			break;
		case 3:
			memmove(s + at + run, s + at, len - at);
			len += run;
			break;
		default:
			len = at + 1;
		}
		if (len + 8 > 2 * strlen(text))
			break;
	}
	s[len] = '\0';
	*ret_len = len;
	return s;
}

#endif
