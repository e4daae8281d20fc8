/* SPDX-License-Identifier: MIT */
#include "workers/processing/embed.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

void embed_init(struct embed *e)
{
	memset(e, 0, sizeof *e);
}

/* FNV's low bits mix well, its high ones do not: fold before taking the sign from them. */
static void count(struct embed *e, uint64_t hash, int weight)
{
	uint64_t mixed = hash ^ hash >> 29;

	e->counts[mixed % EMBED_DIMENSIONS] += mixed >> 40 & 1 ? weight : -weight;
}

static int is_word_byte(unsigned char c)
{
	return isalnum(c) || c >= 0x80 || c == '+' || c == '#';
}

void embed_add(struct embed *e, const char *text, size_t len, int weight)
{
	uint64_t previous = 0;
	size_t i = 0;

	while (i < len) {
		uint64_t hash = FNV_BASIS;
		size_t start;

		while (i < len && !is_word_byte((unsigned char)text[i]))
			i++;
		for (start = i; i < len && is_word_byte((unsigned char)text[i]); i++)
			hash = (hash ^ (uint64_t)tolower((unsigned char)text[i])) * FNV_PRIME;
		if (i == start)
			break;
		count(e, hash, weight);
		if (previous)
			count(e, (previous * 3 ^ hash) * FNV_PRIME, weight);
		previous = hash;
	}
}

void embed_finish(const struct embed *e, float ret[EMBED_DIMENSIONS])
{
	double sum = 0, scale;

	for (int i = 0; i < EMBED_DIMENSIONS; i++)
		sum += abs(e->counts[i]);	/* the square of the damped count */
	scale = sum > 0 ? 1 / sqrt(sum) : 0;
	for (int i = 0; i < EMBED_DIMENSIONS; i++) {
		double damped = sqrt(abs(e->counts[i]));

		ret[i] = (float)((e->counts[i] < 0 ? -damped : damped) * scale);
	}
}
