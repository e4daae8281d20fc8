/* SPDX-License-Identifier: MIT */
/* joins: the sweeper of chords: finishes what no part finishes any more.
 *
 * Parts count themselves in Redis (common/store/join.h) and the last one publishes the body. Left
 * to the sweeper are joins whose last part died after its claim, whose parts are in the ledger and
 * not in Redis (it was away), and those of which Redis lost its keys. It looks at each open join,
 * ever less often the longer nothing moves, puts back what is missing, and finishes by claim,
 * pending rows of the body (fixed ids, so nobody's second copy runs) and join_finish.
 *
 * It fails (ChordError) what can never be complete: after fleet.join_timeout without a new part, a
 * join whose size nobody saw, one that lost parts of Python workers with Redis' data (only ours are
 * in the ledger), and one of whose parts one failed; after the ledger's days any. A join that Redis
 * knows, and whose parts merely take long, is left alone.
 *
 * When Redis lost its data is known by a mark there, <redis_prefix>joins:since, that says since
 * when it has been keeping them (microseconds, PostgreSQL's clock).
 * Any number of dispatchers may sweep at once. */
#ifndef DISPATCHER_JOINS_H
#define DISPATCHER_JOINS_H

struct conf;
struct err;
struct peers;

/* Some joins whose time it is. 1 = there may be more, 0 = the next turn can wait. */
int joins_turn(struct peers *peers, const struct conf *conf, const char *node, struct err *e);

#endif
