/* SPDX-License-Identifier: MIT */
#include "workers/processing/embed.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "workers/processing/tokens.h"

void embed_init(struct embed *e)
{
	memset(e, 0, sizeof *e);
}

static void count(struct embed *e, uint32_t hash, int weight)
{
	e->counts[(hash & 0x7fffffff) % EMBED_DIMENSIONS] += hash >> 31 ? weight : -weight;
}

void embed_add_tokens(struct embed *e, const struct tokens *words, int weight)
{
	for (size_t i = 0; i < words->n; i++) {
		count(e, words->hash[i], weight);
		if (i > 0)
			count(e, (uint32_t)XXH3_64bits(&words->hash[i - 1], 2 * sizeof(uint32_t)),
			      weight);
	}
}

void embed_add(struct embed *e, const char *text, size_t len, int weight)
{
	struct tokens words;

	tokens_init(&words);
	tokens_add(&words, text, len);
	embed_add_tokens(e, &words, weight);
	tokens_release(&words);
}

void embed_finish(const struct embed *e, float ret[EMBED_DIMENSIONS])
{
	float sum = 0, scale;

	for (int i = 0; i < EMBED_DIMENSIONS; i++)
		sum += (float)abs(e->counts[i]);	/* the square of the damped count */
	scale = sum > 0 ? 1 / sqrtf(sum) : 0;
	for (int i = 0; i < EMBED_DIMENSIONS; i++) {
		float damped = sqrtf((float)abs(e->counts[i])) * scale;

		ret[i] = e->counts[i] < 0 ? -damped : damped;
	}
}
