/* SPDX-License-Identifier: MIT */
/* alike: when two postings whose keys differ are one all the same, by their descriptions.
 *
 * The rule. Two postings are near duplicates when
 * - their titles name the same level (level.h), and no word of a level stands in one alone,
 * - two of title, company and place are equal by their keys (dedupe.h), and the third does not
 *   contradict: one title or company holds all words of the other; or the text of one names the
 *   other's company, for which it advertises then; or one place says less than the other (only the
 *   country, or nothing; "remote" is a place of its own, unless both are remote), but for two links
 *   of one host, as a board has them that shows a job once for each place,
 * - at least ALIKE_SHARE of the words of the shorter description stand in the longer one, in runs
 *   of three words or more. At both ends of the shorter one up to ALIKE_FRAME words, and not more
 *   than a quarter of it, do not count: sources put text of their own around a posting. So a copy
 *   that was cut off, framed, or reworded here and there is the same posting; one that only shares
 *   what its company says everywhere is not.
 * - Where the shorter one has less than half of the longer's words, it may be no more than what the
 *   company says everywhere: then the titles must be equal, but for words of place and company.
 * Descriptions under ALIKE_WORDS words say nothing.
 *
 * Candidates are found by keys: 32 bits of the hash of what must be equal, (title, place) or
 * (company, place, level), above 32 bits of the hash of a phrase of four words. Which phrases are
 * taken depends only on the phrase (an eighth of them: min-wise sampling, Broder 1997, so that
 * copies take the same ones). The first 10 of a description stand with the posting; a lookup asks
 * for its first 24, so it meets a posting that is framed or cut off. One key more, of title and
 * company, is for places that say less. Postings of one title at one place, or of one company at
 * one place, are few however large the table is: the cost of a lookup does not grow with it. Where
 * they are many all the same, 64 that share a key are looked at, and of those the 8 that share most
 * are compared.
 * Keys of sample data differ from all real ones.
 * Reference: A. Broder, On the resemblance and containment of documents (1997). */
#ifndef WORKERS_PROCESSING_ALIKE_H
#define WORKERS_PROCESSING_ALIKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedupe_keys;
struct tokens;

#define ALIKE_SHARE 0.95

enum { ALIKE_WORDS = 20, ALIKE_FRAME = 60, ALIKE_STORED = 22, ALIKE_ASKED = 50 };

struct alike_keys {
	int64_t stored[ALIKE_STORED], asked[ALIKE_ASKED];
	size_t nstored, nasked;		/* 0: the description is too short */
};

void alike_keys_fill(struct alike_keys *ret, const struct dedupe_keys *k,
		     const struct tokens *words, bool is_demo);

/* 0 to 1: how much of the shorter text stands in the longer one, by the rule above. */
double alike_share(const struct tokens *a, const struct tokens *b);
/* Do titles, places and levels let the two be one? A look before the descriptions are read. */
bool alike_may_be(const struct dedupe_keys *a, const struct dedupe_keys *b);
/* The whole rule: the share, or 0 when they are two. */
double alike_same(const struct dedupe_keys *a, const struct tokens *at,
		  const struct dedupe_keys *b, const struct tokens *bt);

#endif
