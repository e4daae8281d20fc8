/* SPDX-License-Identifier: MIT */
/* tally: what an order has brought so far, in all and by source, and the answer made of it. */
#ifndef WORKERS_COLLECTION_TALLY_H
#define WORKERS_COLLECTION_TALLY_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "common/base/err.h"

struct plan_source;
struct rota;
struct walk;

/* How asking a source ended. */
enum tally_end {
	TALLY_DONE,
	TALLY_PARKED,			/* nothing more until its time; why says so */
	TALLY_FAILED,			/* why */
	TALLY_SKIPPED,			/* no key, and it was not asked for by name */
	TALLY_DOWN,			/* why; its backup stood in */
};

struct tally_counts {
	int pages, jobs, new_jobs, calls, fresh, unchanged;
};

struct tally {
	cJSON *ids, *errors, *sources;	/* array, array, object */
	struct tally_counts sum, one;	/* one: of the source that is being asked */
	const char *stopped;		/* of the last walk */
	bool parked, failed, asked, demo;
	struct err why;			/* of the first parking or failure */
	struct err skipped;		/* why the first one was skipped */
};

void tally_init(struct tally *t);
void tally_release(struct tally *t);

void tally_walk(struct tally *t, struct walk *w);	/* takes its ids and counts */
void tally_refusal(struct tally *t, const struct walk *w, const struct err *e);
void tally_sample(struct tally *t, const char *id, int jobs);
/* Ends a source: its counts go into `sources`. why may be NULL, rota too. */
void tally_source(struct tally *t, const struct plan_source *s, enum tally_end end,
		  const struct err *why, const struct rota *rota);

const char *tally_status(const struct tally *t);	/* success, partial, parked */
cJSON *tally_result(const struct tally *t, const char *run_id, const char *strategy);

#endif
