/* SPDX-License-Identifier: MIT */
/* bundle: the three documents of one answer (pay, market, confidence) as the cache and, behind it,
 * the tables have them.
 *
 * A bundle is complete when it has what the request wants; scores never make one incomplete, since
 * the rows of the confidence program stand in for those that the cache has let go.
 * redis is NULL while Redis is away: then the tables answer, slower, and every document says so
 * (from_tables). What Redis lost and the tables have goes back into Redis.
 * Ownership: documents belong to the bundle until bundle_release. */
#ifndef SALARY_BUNDLE_H
#define SALARY_BUNDLE_H

#include "workers/salary/cache.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/request.h"

struct err;
struct findings;
struct redis;
struct run;

struct bundle {
	struct cache_doc docs[CACHE_KIND_COUNT];
	char keys[CACHE_KIND_COUNT][CACHEKEY_SIZE];
	int64_t now_s;			/* one clock for all of an answer */
};

void bundle_init(struct bundle *b, const struct request *r);
void bundle_release(struct bundle *b);

/* Which documents are too old: those that the request's max_age and strategy refuse; the same, but
 * none that was stored since this second (an answer that another task fetched while this one
 * waited); all that were not stored since; or none at all, however long ago they ended (what is
 * left when no source answers). */
enum bundle_age { BUNDLE_AS_ASKED, BUNDLE_SINCE, BUNDLE_STORED_SINCE, BUNDLE_ANY };

/* enum cache_answer of the oldest of them: CACHE_FRESH and CACHE_STALE are complete. What was
 * stored for another strategy is stale from the reader's own nominal time on. Looks anew at each
 * call. since_s counts for two of them. Errors: pg's; those of Redis count as a miss. */
int bundle_look_up(struct bundle *b, struct run *run, struct redis *redis, const struct request *r,
		   enum bundle_age age, int64_t since_s, struct err *e);

/* Puts all documents into Redis, each for the life that the findings give it. Best effort. */
void bundle_fill(struct bundle *b, struct redis *redis, const struct request *r,
		 const struct findings *f);
struct cache_life bundle_life(const struct bundle *b, const struct request *r,
			      const struct findings *f, enum cache_kind k);

/* Scores of the confidence program's own rows, where the bundle has none. */
int bundle_read_scores(struct bundle *b, struct run *run, const struct request *r, struct err *e);

#endif
