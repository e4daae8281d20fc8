/* SPDX-License-Identifier: MIT */
/* sample: the postings that stand in for a source without a key, in development only.
 *
 * They are invented (sample.json, built into the program); each one says "demo": true, and
 * so does every row that is made of them: is_demo in raw_job_collections, and the posting's raw
 * data behind it. Production loads none: there the source is parked with an alert. */
#ifndef WORKERS_COLLECTION_SAMPLE_H
#define WORKERS_COLLECTION_SAMPLE_H

#include <cjson/cJSON.h>
#include <stddef.h>

struct err;
struct order;
struct run;

/* The sample of a source, in its provider's format; NULL when there is none. Static. */
const char *sample_body(const char *source, size_t *ret_len);
/* Stores the sample as one collection and enqueues its processing; repeats change nothing.
 * *ret_id gets its collection id; the rows are counted into *ret_jobs. */
int sample_collect(struct run *run, const struct order *order, const char *source,
		   const char *run_id, char ret_id[37], int *ret_jobs, struct err *e);

#endif
