/* SPDX-License-Identifier: MIT */
/* alike_set: the near duplicates within one processing, before the main table knows any of them.
 *
 * Remembers postings with their keys and words (four bytes a word) and finds the one that a new
 * posting repeats by the rule of alike.h. Past ALIKE_SET_MAX postings nothing more is remembered:
 * what repeats a later one is then found when the collection is processed again. */
#ifndef WORKERS_PROCESSING_ALIKE_SET_H
#define WORKERS_PROCESSING_ALIKE_SET_H

#include <stddef.h>

struct alike_keys;
struct alike_set;
struct dedupe_keys;
struct tokens;

enum { ALIKE_SET_MAX = 50000 };

struct alike_set *alike_set_open(void);
void alike_set_close(struct alike_set *set);
/* Remembers the posting under a number, all copied. */
void alike_set_add(struct alike_set *set, size_t number, const struct dedupe_keys *keys,
		   const struct tokens *words, const struct alike_keys *near);
/* The number of the posting that this one repeats; -1 none. A place that says less and could be
 * several of them is none. */
long alike_set_find(const struct alike_set *set, const struct dedupe_keys *keys,
		    const struct tokens *words, const struct alike_keys *near);

/* Of several that agree: the best one. Start with all zeros and best -1. */
struct alike_choice {
	long best;
	double share;
	char place[256];		/* of the best */
	int own_place, several;		/* best is at the very same place; differing places were met */
};
void alike_choose(struct alike_choice *c, long candidate, double share, const char *own_place,
		  const char *place);
/* The chosen one; -1: none, or not one alone. */
long alike_chosen(const struct alike_choice *c);

#endif
