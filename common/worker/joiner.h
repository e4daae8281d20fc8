/* SPDX-License-Identifier: MIT */
/* joiner: ends a chord whose parts are all there (celery-wire 2.6): publishes its body with their
 * values, or stores its failure. For children, whose task was the last part, and for the
 * dispatcher's sweeper, which ends what a crash left one short.
 *
 * The order: values collected, body in pending together with the note that the join is done, body
 * published confirmed (or left to the relay), keys of the join dropped. As that of every follow-up
 * its row stays until its task has ended, so a deleted queue does not take it along; a join that
 * ends while PostgreSQL is away has none, unless the broker did not confirm. Whoever repeats it
 * publishes the same ids. A failed body counts as a part of the chord that it is in itself, which
 * may end that one, too, and so on. */
#ifndef COMMON_WORKER_JOINER_H
#define COMMON_WORKER_JOINER_H

struct catalog;
struct err;
struct join_part;
struct stores;

struct joiner {
	struct stores *stores;
	const struct catalog *catalog;	/* tasks served here; may be NULL */
	const char *queue;		/* for a body that nothing routes */
};

struct joiner_join {
	const char *join_id;
	const char *body;		/* raw JSON of the body's signature: embed.chord */
	const char *root_id, *parent_id;	/* for a body that names none; may be NULL */
	int generation;			/* of the parts */
};

/* The caller has the claim (join_count said ready, or join_claim 1). 1 = ended, 0 = parts are
 * missing yet. */
int joiner_finish(const struct joiner *j, const struct joiner_join *x, struct err *e);
/* Ends it as failed: text is ChordError's. */
int joiner_fail(const struct joiner *j, const struct joiner_join *x, const char *text,
		struct err *e);
/* Counts a part and ends the join if it was the last one; x->join_id and part->join_id agree. */
int joiner_count(const struct joiner *j, const struct joiner_join *x, const struct join_part *part,
		 struct err *e);

#endif
