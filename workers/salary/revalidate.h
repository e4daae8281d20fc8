/* SPDX-License-Identifier: MIT */
/* revalidate: asks anew, behind the caller's back, what was answered a little too old.
 *
 * Whoever finds a stale entry answers with it at once and calls this: refresh_salary_cache follows
 * for its key, once a quarter of an hour however many ask; one that has waited as long in its queue
 * expires, so that a flood of stale keys never piles up. */
#ifndef SALARY_REVALIDATE_H
#define SALARY_REVALIDATE_H

struct err;
struct redis;
struct run;

/* redis NULL: nothing is sent, since nobody could tell the first from the others. */
int revalidate(struct run *run, struct redis *redis, const char *key, struct err *e);

#endif
