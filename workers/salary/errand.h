/* SPDX-License-Identifier: MIT */
/* errand: brings what a shelf wants in as few calls as the sources allow, and puts it there.
 *
 *	bls     as many series a call as it takes: 50 with a key, 25 without
 *	census  all places of a kind (nation, states, metros) and up to 50 columns a call
 *	others  one call each
 *
 * Each call is a step of the run, committed together with the parts it brought: killed in between,
 * a repeat asks for nothing twice but the call that was under way. The lease "salary_sync" lets one
 * errand at a time ask; the others wait and find what it brought.
 * A source that fails or refuses is in trouble for the rest of the errand; so is one whose share of
 * the day's quota is used up (a fifth is left to those who wait for a single answer) and every one
 * once max_calls is reached. The texts tell. */
#ifndef SALARY_ERRAND_H
#define SALARY_ERRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/salary/shelf.h"

struct err;
struct run;

#define ERRAND_SOURCES 8

struct errand_tally {
	char source[SHELF_SOURCE_SIZE];
	int calls, earlier;		/* by this task; of those by its interrupted runs */
	int budget;			/* calls left to it; -1 = no bound */
};

struct errand {
	struct run *run;
	struct shelf *shelf;
	int calls, max_calls, steps;
	int64_t since_s;		/* parts older than this are not taken from the table; 0 = all */
	struct errand_tally tally[ERRAND_SOURCES];
	size_t ntally;
	int64_t done, total;		/* for the progress */
};

/* Counts the calls of interrupted runs of this task. */
int errand_init(struct errand *n, struct run *run, struct shelf *shelf, int max_calls,
		int64_t since_s, struct err *e);
/* Asks for all that is wanted; the lease stays with it until errand_end, as more may be wanted
 * then. Only what ends the task is an error. */
int errand_run(struct errand *n, struct err *e);
void errand_end(struct errand *n);
/* The fewest calls that could have brought what this run bought of a source, and those of the
 * interrupted runs before it. */
int errand_least(const struct errand *n, const char *source);

#endif
