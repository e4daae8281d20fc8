/* SPDX-License-Identifier: MIT */
/* answer: what a source says to a walk's next page, from the store or by one call.
 *
 * The answer is stored before anything looks at it: in the table, or while PostgreSQL is away in a
 * file (then the call's error is still -ERR_DB: the task comes back and finds it taken in). An
 * answer larger than its limit leaves a row that says so. */
#ifndef WORKERS_COLLECTION_ANSWER_H
#define WORKERS_COLLECTION_ANSWER_H

#include <stdbool.h>

struct err;
struct raw_kept;
struct walk;

/* One that an earlier run of this task stored for this page, or a new one (*ret_fresh); sets the
 * walk's attempt and counts its calls. Release ret->answer. Errors: fetch_call's, the store's. */
int answer_obtain(struct walk *w, struct raw_kept *ret, bool *ret_fresh, struct err *e);

#endif
