/* SPDX-License-Identifier: MIT */
/* merge: from the staging table into companies, enhanced_jobs and job_sources, by whole sets.
 *
 * Rows of equal merge_key are one posting. Of a batch's rows the fullest (quality_score, then the
 * longer description, then the first) leads, the others fill what it lacks; pay comes as one from
 * the first that has any. Against a posting that is known, the new values win if they are fuller,
 * or no emptier and of the same source; else they only fill gaps. A posting that stays as it was is
 * not written at all. Every source of every row is kept in job_sources.
 * Keys are written in order, so that two loads at once do not deadlock. */
#ifndef WORKERS_LOADING_MERGE_H
#define WORKERS_LOADING_MERGE_H

#include <stdint.h>

struct err;
struct pg;
struct staging;

struct merge_counts {
	int inserted, updated, unchanged;	/* postings */
	int duplicates;				/* rows that went into another row's posting */
};

/* collection_id "" is none. */
int merge_all(struct staging *s, const char *collection_id, struct merge_counts *ret,
	      struct err *e);

#endif
