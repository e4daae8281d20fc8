/* SPDX-License-Identifier: MIT */
/* answer: what a source says to a walk's next page, from the store or by one call.
 *
 * The answer is stored before anything looks at it: in the table, or while PostgreSQL is away in a
 * file (then the call's error is still -ERR_DB: the task comes back and finds it taken in). An
 * answer larger than its limit leaves a row that says so. */
#ifndef WORKERS_COLLECTION_ANSWER_H
#define WORKERS_COLLECTION_ANSWER_H

struct err;
struct raw_kept;
struct walk;

enum answer_from {
	ANSWER_OWN,			/* an earlier run of this task stored it for this page */
	ANSWER_FRESH,			/* another task's, young enough; settled by that one */
	ANSWER_CALLED,			/* just now */
};

/* Sets the walk's attempt and hash and counts its calls. A call is conditional where an earlier
 * answer came with an ETag or a date. Release ret->answer. Errors: fetch_call's, the store's;
 * -ERR_LIMITED when another task asks the same for too long. */
int answer_obtain(struct walk *w, struct raw_kept *ret, enum answer_from *ret_from,
		  struct err *e);

#endif
