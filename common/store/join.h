/* SPDX-License-Identifier: MIT */
/* join: chord parts counted in Redis, in Celery's format, so that Python and C parts mix.
 *
 * Keys (celery-wire 2.6): celery-taskset-meta-<id> + ".s" expected parts, ".j" sorted set of parts
 * [1, "<task id>", "<status>", <result>], ".t" signed adjustment. Beside them, of our own,
 * jobfleet's ".seen" (task ids that were counted: a part that is delivered twice counts once) and
 * ".claim" (who finishes). All expire with the results.
 * Order in a settle: the ledger row carries the part (ledger.h); then the result; then join_part;
 * whoever gets *ret_ready claims, publishes the body confirmed, then join_finish. A crash anywhere
 * on the way is mended by the sweeper (workers/dispatcher/joins.c) from the ledger.
 * Errors: as redis.h. */
#ifndef COMMON_STORE_JOIN_H
#define COMMON_STORE_JOIN_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;
struct redis;

struct join_part {
	const char *join_id;		/* the group's id */
	const char *task_id;
	const char *status;		/* SUCCESS, FAILURE, REVOKED */
	const char *json;		/* raw: the value, or {exc_type, …} */
	int index;			/* -1: none, counted behind all others */
};

/* Before the last header task is published: the number of parts. Keeps a size that is there. */
int join_start(struct redis *r, const char *join_id, int64_t size, int64_t expires_s,
	       struct err *e);
/* Counts one part, once. *ret_ready: all parts are there and nobody has finished it. *ret_size: as
 * Redis knows it, -1 = it does not (flushed, or the starter died before join_start). */
int join_count(struct redis *r, const struct join_part *part, int64_t expires_s, bool *ret_ready,
	       int64_t *ret_size, struct err *e);
/* The right to finish, for 10 s: 1 = yours, 0 = somebody else's or done. who: node or task id. */
int join_claim(struct redis *r, const char *join_id, const char *who, struct err *e);

struct join_outcome {
	char *args;			/* raw JSON array of the values, in order; NULL: a part failed */
	char *failure;			/* ChordError's text: "Dependency <id> raised Type('…')" */
};
/* What the body gets; a saved result tree (celery-wire 2.6) gives its nesting: 0 = *ret filled,
 * 1 = leaves are missing yet, come again later. */
int join_collect(struct redis *r, const char *join_id, struct join_outcome *ret, struct err *e);
void join_outcome_release(struct join_outcome *o);
/* The body is published, or its failure stored: the keys go (a failed one's stay to expire). */
int join_finish(struct redis *r, const char *join_id, bool failed, struct err *e);

/* The copy in PostgreSQL, in p's transaction: the join exists, and a part of it was settled now. */
int join_note(struct pg *p, const char *join_id, int64_t size, const char *body, struct err *e);
int join_note_done(struct pg *p, const char *join_id, bool failed, struct err *e);

#endif
