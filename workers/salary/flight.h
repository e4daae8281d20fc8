/* SPDX-License-Identifier: MIT */
/* flight: one fetch a key, however many ask at once, in however many processes.
 *
 * The first of equal requests holds the lease of its key (common/store/asking.h) and asks the
 * sources; the others look every 50 ms whether its answer has landed. A holder that is killed holds
 * the others up until its task comes again, which has the same id and so the same lease, or until
 * the lease ends. Waiting lasts 60 s at most; then -ERR_LIMITED, which comes back later without
 * counting as a retry. */
#ifndef SALARY_FLIGHT_H
#define SALARY_FLIGHT_H

#include <stdbool.h>

struct err;
struct run;

/* Runs landed() first and after each wait (waited: another task was asking meanwhile): 1 = the
 * answer is there (returned, no lease is held), 0 = not yet, negative ends. 0: the lease is this
 * task's, and landed() said 0 once more since. */
int flight_board(struct run *run, const char *key,
		 int (*landed)(void *ctx, bool waited, struct err *e), void *ctx, struct err *e);
/* The lease is over; one that cannot be given back ends by itself. */
void flight_end(struct run *run, const char *key);

#endif
