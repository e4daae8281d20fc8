/* SPDX-License-Identifier: MIT */
#include "common/base/near.h"

#include <ctype.h>

#include "common/base/mem.h"

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int folded(char c)
{
	return tolower((unsigned char)c);
}

static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][NEAR_BYTES + 1], *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			int x = folded(a[i - 1]), y = folded(b[j - 1]);

			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[nb];
}

void near_init(struct near *n, const char *text)
{
	*n = (struct near){ .text = text };
}

void near_offer(struct near *n, const char *word)
{
	size_t na = strlen(n->text), nb = strlen(word), bound = ((na > nb ? na : nb) + 1) / 3, d;

	if (na > NEAR_BYTES || nb > NEAR_BYTES)
		return;
	d = distance(n->text, na, word, nb);
	if (d <= bound && (!n->word || d < n->distance)) {
		n->word = word;
		n->distance = d;
	}
}
