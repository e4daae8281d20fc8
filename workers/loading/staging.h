/* SPDX-License-Identifier: MIT */
/* staging: the temporary table that a load is prepared in.
 *
 * load_staging is like enhanced_jobs with all its checks, so that a row the main table would refuse
 * is refused by the COPY; beside the columns of column.h it has job_index, merge_key, place (in the
 * order of merging, at first the job_index), leader (the row that leads a group of equal merge_keys
 * of this load), folds (leads it or fills its leader), job_id, outcome and those for other tables;
 * its id is a new posting's. It lives to the end of the transaction.
 *
 * Rows are typed by the server from their JSON, read by a binary COPY and written by one: the bytes
 * between are only held, and cut between rows where one of them is refused. A COPY that is refused,
 * or larger than STAGING_MAX_BYTES, is halved down to the rows at fault, which are marked failed in
 * processed_job_data; the others stay. */
#ifndef WORKERS_LOADING_STAGING_H
#define WORKERS_LOADING_STAGING_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;

enum { STAGING_MAX_BYTES = 64 * 1024 * 1024 };

/* What a failure means for the rows of the statement. */
enum staging_fault {
	STAGING_FATAL,		/* not about the rows: fails the task, and they wait for its repair */
	STAGING_ROWS,		/* some row's values */
	STAGING_CROWD,		/* locks or memory: fewer rows at once may go through */
};

struct staging {
	struct pg *pg;
	const char *processing_id;	/* a valid uuid */
	char *weights;			/* JSON: source or publisher, lower case, to its weight */
	int staged, failed;
};

/* weights is taken over; release frees it, the table goes with its transaction. */
int staging_open(struct staging *s, struct pg *pg, const char *processing_id, char *weights,
		 struct err *e);
void staging_release(struct staging *s);
/* Copies the waiting postings with job_index above after, at most n of them. Returns how many there
 * were, 0 at the end; *ret_last is the last one's index. */
int staging_fill(struct staging *s, int64_t after, int n, int64_t *ret_last, struct err *e);
enum staging_fault staging_fault(const struct staging *s, int r);
int staging_mark_failed(struct staging *s, int64_t job_index, const char *why, struct err *e);

#endif
