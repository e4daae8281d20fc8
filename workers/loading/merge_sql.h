/* SPDX-License-Identifier: MIT */
/* merge_sql: the statements of a merge, made from the list of columns (column.h). What they do
 * stands in merge.h. Each reads only rows of load_staging between two places, and takes those of
 * the parameters that its list names, in that order. */
#ifndef WORKERS_LOADING_MERGE_SQL_H
#define WORKERS_LOADING_MERGE_SQL_H

enum merge_param {
	MERGE_FROM, MERGE_TO,		/* place */
	MERGE_COLLECTION,		/* "" none */
	MERGE_PROCESSING,
	MERGE_SEEN_AT,			/* when the collection was made */
	MERGE_EXPIRE_AFTER,		/* seconds */
	MERGE_PARAMS
};

enum merge_step {
	MERGE_RETIRE,			/* known postings give their key to those that repeat them */
	MERGE_LEAD,			/* rows of equal keys get a leader; how many there are */
	MERGE_FOLD,			/* leaders gain what they lack */
	MERGE_NEW_COMPANIES,
	MERGE_GAIN,			/* known companies gain what they lack */
	MERGE_MATCH,			/* rows learn their posting, as far as it is known */
	MERGE_MEET,			/* also by link, as far as none had it when they were processed */
	MERGE_INSERT,			/* the others become postings */
	MERGE_RACED,			/* how many became none, as another load was first */
	MERGE_CHANGED,			/* rows that change a known posting, which is locked */
	MERGE_LEAVE,			/* notes the pay figures that they count in */
	MERGE_UPDATE,
	MERGE_FOLLOW,			/* rows of a group learn their leader's posting */
	MERGE_SOURCES,
	MERGE_STATUS,			/* of processed_job_data */
	MERGE_STEPS
};

struct merge_sql {
	char *text;
	enum merge_param params[MERGE_PARAMS];
	int nparams;
};

/* Makes all; MERGE_STEPS of them. */
void merge_sql_init(struct merge_sql *all);
void merge_sql_release(struct merge_sql *all);

#endif
