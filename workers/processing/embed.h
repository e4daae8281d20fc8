/* SPDX-License-Identifier: MIT */
/* embed: a posting as a vector, computed here, the same on every machine and for ever.
 *
 * Feature hashing (Weinberger et al. 2009): every word (tokens.h) and every pair of neighbouring
 * words of title, company, skills and description is a feature; its hash (XXH3, libxxhash) names
 * one of 1,536 dimensions and a sign. Words of the title count three times. Counts are damped by
 * the square root, then the vector is made one long (L2), so that the dot product is the cosine.
 * An empty text gives all zeros.
 * EMBED_MODEL stands beside every vector (embedding_model) and changes when any of this does. */
#ifndef WORKERS_PROCESSING_EMBED_H
#define WORKERS_PROCESSING_EMBED_H

#include <stddef.h>

struct tokens;

#define EMBED_MODEL "local-hash-ngram-2"

enum { EMBED_DIMENSIONS = 1536 };

struct embed {
	int counts[EMBED_DIMENSIONS];
};

void embed_init(struct embed *e);
/* weight 1 to 16 */
void embed_add_tokens(struct embed *e, const struct tokens *words, int weight);
/* text is clean UTF-8 */
void embed_add(struct embed *e, const char *text, size_t len, int weight);
void embed_finish(const struct embed *e, float ret[EMBED_DIMENSIONS]);

#endif
