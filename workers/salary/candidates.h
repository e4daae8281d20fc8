/* SPDX-License-Identifier: MIT */
/* candidates: cached answers that a pattern meets, the most urgent for a refresh first.
 *
 * The most urgent CANDIDATES_KEPT are remembered, the others only counted, so any number of entries
 * takes bounded memory. Urgency: see refresh.h. */
#ifndef SALARY_CANDIDATES_H
#define SALARY_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct redis;

#define CANDIDATES_KEPT 1000

struct candidate {
	char *key;
	double urgency;
};

struct candidates {
	struct candidate *items;	/* sorted; owned */
	size_t count;
	size_t found;			/* items and those that were let go */
	bool from_tables;
};

/* redis NULL: the tracking table alone. Errors: pg's; Redis going away means the table. */
int candidates_find(struct pg *pg, struct redis *redis, const char *pattern, int64_t now_s,
		    struct candidates *ret, struct err *e);
void candidates_release(struct candidates *c);

double candidates_urgency(int64_t age_s, int64_t fresh_s, int64_t hits, int64_t misses);

#endif
