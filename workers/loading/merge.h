/* SPDX-License-Identifier: MIT */
/* merge: from the staging table into companies, enhanced_jobs and job_sources, by whole sets.
 *
 * Rows of equal merge_key are one posting. Accounts of it are ranked by source weight times
 * completeness (quality_score), then completeness, the longer description, the earlier row. The
 * best of a load leads, the next 49 fill what it lacks; pay comes as one from the first with any.
 * Against a posting that is known, an answer older than the newest of its own account (source,
 * publisher, external id) never wins, and changes nothing where that account stands. Else an
 * account of another source wins if it ranks higher, and that of the source whose account stands
 * wins however complete it is, but for the same answer by older rules. Where the posting has no
 * other source, that account takes the old one's place altogether, so that a source or a rule can
 * also take a value away; everywhere else what wins leaves what it lacks as it was, and what loses
 * fills gaps. An end that is past counts only from the account that wins. The standing account by
 * newer rules also gives the posting its new key, if that is free. Every source of every row is
 * kept in job_sources, with its weight, completeness and newest collection.
 * A posting that stays as it was is not written, and locked by no more than a foreign key's share
 * lock. One that has expired is active again when it is seen.
 * Two answers may be processed before either is loaded, so that neither knows the other's postings:
 * a row whose key is new joins the posting that has its link, if seniority, place and title or
 * company agree. (One that only its text would show becomes a posting of its own then, and so does
 * one of another load that has not committed yet.)
 * Keys are written in order, over all batches, so that two loads seldom deadlock; what another load
 * wrote first counts as known. Reads committed data anew with each statement: the transaction must
 * be at level READ COMMITTED.
 * Where a row's values are refused the rows are halved down to it, and it is marked failed; where
 * locks or memory fail, the halves are tried by themselves, and one row alone gives -ERR_AGAIN. */
#ifndef WORKERS_LOADING_MERGE_H
#define WORKERS_LOADING_MERGE_H

#include <stdint.h>

struct err;
struct staging;

struct merge_counts {
	int inserted, updated, unchanged;	/* postings */
	int duplicates;				/* rows that went into another row's posting */
};

struct merge_plan {
	const char *collection_id;		/* "" none */
	const char *seen_at;			/* when the collection was made, as PostgreSQL prints it */
	int64_t expire_after_s;
	int batch;				/* rows at once, above 0 */
};

int merge_all(struct staging *s, const struct merge_plan *plan, struct merge_counts *ret,
	      struct err *e);

#endif
