/* SPDX-License-Identifier: MIT */
/* staging: the temporary table that a load is prepared in.
 *
 * load_staging is like enhanced_jobs with all its checks, so that a row the main table would refuse
 * is refused by the COPY; beside the columns of column.h it has job_index, merge_key, job_id and
 * outcome. It lives to the end of the transaction. Rows that PostgreSQL refuses are found by
 * halving and marked failed in processed_job_data; the others stay. */
#ifndef WORKERS_LOADING_STAGING_H
#define WORKERS_LOADING_STAGING_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;

struct staging {
	struct pg *pg;
	const char *processing_id;
	int staged, failed;
};

int staging_open(struct staging *s, struct pg *pg, const char *processing_id, struct err *e);
/* Copies the waiting postings with job_index above after, at most n of them. Returns how many were
 * read, 0 at the end; *ret_last is the last one's index. */
int staging_fill(struct staging *s, int64_t after, int n, int64_t *ret_last, struct err *e);
/* Is failure r about the rows' values, so that others may still go? A statement of ours that is
 * wrong is not: it fails the task, and the rows wait for its repair. */
bool staging_is_rows_fault(const struct staging *s, int r);
int staging_mark_failed(struct staging *s, int64_t job_index, const char *why, struct err *e);

#endif
