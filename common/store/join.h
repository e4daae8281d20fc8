/* SPDX-License-Identifier: MIT */
/* join: chord parts counted in Redis, in Celery's format, so that Python and C parts mix.
 *
 * Keys (celery-wire 2.6): celery-taskset-meta-<id> + ".s" expected parts, ".j" sorted set of parts
 * [1, "<task id>", "<status>", <result>], ".t" signed adjustment. Beside them, of our own,
 * ".seen" (a hash of the task ids that were counted here: a part that is delivered twice counts
 * once, also when its JSON differs) and ".claim" (who finishes, or 'done'). All expire with the
 * results. A list as ".j" (Celery's result_chord_ordered = false) is refused with -ERR_INVALID.
 *
 * Order in a settle: the ledger row carries the part (ledger.h); then the result; then join_count;
 * whoever gets *ret_ready has the claim, publishes the body confirmed (or leaves it to pending, in
 * one transaction with join_note_done), then join_finish. A crash anywhere on the way is mended by
 * the redelivered part, which is ready again while it has the claim, or by the sweeper
 * (workers/dispatcher/joins.c) from the ledger.
 *
 * Mixed with Python workers: whichever part is counted last finishes, on either side, as the count
 * is atomic. Python knows neither .seen nor .claim, so: (1) a task that ran on our worker and whose
 * message then came to a Python worker again is counted twice by Python if its result differs; we
 * then wait for the parts that are missing, Python does not; (2) if our finisher dies after it
 * published, whoever goes on publishes the body once more, under the same id: our workers run it
 * once (ledger), a Python worker would run it twice, as with any redelivery; (3) Python deletes .j,
 * .t and .s when it has finished; join_look tells that from a Redis that lost its data by .seen.
 *
 * Limits: JOIN_PARTS_MAX parts, JOIN_VALUES_MAX bytes of values; what has more fails (ChordError).
 * Errors: as redis.h, pg.h. */
#ifndef COMMON_STORE_JOIN_H
#define COMMON_STORE_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct redis;

enum { JOIN_PARTS_MAX = 100000, JOIN_VALUES_MAX = 64 << 20, JOIN_CLAIM_MS = 10000 };

struct join_part {
	const char *join_id;		/* the group's id */
	const char *task_id;
	const char *status;		/* SUCCESS, FAILURE, REVOKED */
	const char *json;		/* raw: the value, or {exc_type, …} */
	int index;			/* -1: none, counted behind all others */
};

/* Before the last header task is published: the number of parts. Keeps a size that is there. Not
 * for a group whose own options carry group_id (an inner one: its parts are in the outer size). */
int join_start(struct redis *r, const char *join_id, int64_t size, int64_t expires_s,
	       struct err *e);
/* Counts one part, once. *ret_ready: all parts are there, and to finish is this task's (it has the
 * claim now; a repeat of the same part gets the same answer until the join is finished). *ret_size:
 * as Redis knows it, -1 = it does not (flushed, not started, or finished). expires_s 0: never. */
int join_count(struct redis *r, const struct join_part *part, int64_t expires_s, bool *ret_ready,
	       int64_t *ret_size, struct err *e);
/* The right to finish, for JOIN_CLAIM_MS: 1 = yours (also again), 0 = somebody else's, or done.
 * who: node or task id. */
int join_claim(struct redis *r, const char *join_id, const char *who, struct err *e);

struct join_outcome {
	char *args;			/* raw JSON array of the values, in order; NULL: a part failed */
	char *failure;			/* ChordError's text: "Dependency <id> raised Type('…')" */
};
/* What the body gets; a saved result tree (celery-wire 2.6) gives its nesting: 0 = *ret filled,
 * 1 = parts are missing yet; the claim is given back, a later part or the sweeper goes on. Parts
 * are read in slices, so that Redis serves others meanwhile. */
int join_collect(struct redis *r, const char *join_id, struct join_outcome *ret, struct err *e);
/* Some part failed already, whatever else is missing: 1 = *ret has its failure, 0 = none did. */
int join_find_failure(struct redis *r, const char *join_id, struct join_outcome *ret,
		      struct err *e);
void join_outcome_release(struct join_outcome *o);
/* The body is published, or its failure stored: the keys go (a failed one's stay to expire, as
 * Celery's do). Parts that come after are not counted. */
int join_finish(struct redis *r, const char *join_id, bool failed, struct err *e);

/* The saved result tree, which is there before the first part starts: 1 = *ret is its raw JSON
 * (malloc'ed), 0 = the values do not nest. save: keeps one that is there. */
int join_read_tree(struct redis *r, const char *join_id, char **ret, struct err *e);
int join_save_tree(struct redis *r, const char *join_id, const char *tree, int64_t expires_s,
		   struct err *e);

/* ---- for the sweeper ---- */

struct join_state {
	int64_t size;			/* with its adjustment; -1 = Redis does not know it */
	int64_t parts;			/* in .j, of all workers */
	int64_t ours;			/* counted by us */
	bool claimed, done;
};

int join_look(struct redis *r, const char *join_id, struct join_state *ret, struct err *e);
/* Puts parts of one join back that Redis has lost or never got, and its size where that is missing
 * (size less than 0: unknown). One script for all, so keep the slices small. Returns how many were
 * missing. */
int64_t join_restore(struct redis *r, const char *join_id, int64_t size,
		     const struct join_part *parts, size_t n, int64_t expires_s, struct err *e);

/* ---- the copy in PostgreSQL, in p's transaction or alone ---- */

/* The join exists. By whoever starts a chord and knows its size; a part's note comes with its
 * ledger row. size less than 0: unknown; tree: as join_read_tree gives it, or NULL. A note that is
 * there stays, but may get what it lacks. */
int join_note(struct pg *p, const char *join_id, int64_t size, const char *body, const char *tree,
	      struct err *e);
/* What join_count said, and the tree; once a join and process is enough. Not synchronous. */
int join_note_size(struct pg *p, const char *join_id, int64_t size, const char *tree,
		   struct err *e);
int join_note_done(struct pg *p, const char *join_id, bool failed, struct err *e);

#endif
