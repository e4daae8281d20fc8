/* SPDX-License-Identifier: MIT */
/* evidence: what the tables hold for a place, grouped for scoring.
 *
 * A group is all sources' newest figures for one location, occupation and industry; each source
 * once. Place and occupation match by the names the salary program stores ("NYC" finds "New York,
 * NY") and by the text as given, so rows of other programs are found too.
 * The evidence of a group is borrowed during the call of see(). Errors: pg's. */
#ifndef CONFIDENCE_EVIDENCE_H
#define CONFIDENCE_EVIDENCE_H

#include <stddef.h>

#include "common/market/score.h"

struct err;
struct pg;

struct evidence_group {
	const char *data_type;		/* "salary", "market" */
	const char *location, *occupation, *industry;	/* occupation, industry: NULL = none */
	const char *cache_key;		/* of the newest row; may be NULL */
	int year;			/* the newest */
	const struct score_evidence *evidence;
	size_t count;
};

struct evidence_query {
	const char *location, *location_given;
	const char *occupation, *occupation_given;	/* "" = all */
};

/* Calls see() for each group of both kinds; ends with its first negative answer. Gives how many. */
int evidence_walk(struct pg *pg, const struct evidence_query *q,
		  int (*see)(void *ctx, const struct evidence_group *g, struct err *e), void *ctx,
		  struct err *e);

#endif
