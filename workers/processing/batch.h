/* SPDX-License-Identifier: MIT */
/* batch: processed postings on their way into processed_job_data.
 *
 * Postings are added one by one; at batch_size they are compared with the main table and written by
 * one COPY under a savepoint. Rows that PostgreSQL refuses are found by halving and handed to the
 * outcome; the others stay. Duplicates within the processing are remembered over all its batches.
 * A duplicate is kept, not dropped: its merge_key is its original's, and loading merges them. It is
 * told by key, by link, by description, in this order (dedupe.h, alike.h, known.h). */
#ifndef WORKERS_PROCESSING_BATCH_H
#define WORKERS_PROCESSING_BATCH_H

#include <stdbool.h>

#include "common/base/raw.h"

struct batch;
struct earlier;
struct err;
struct outcome;
struct pg;
struct posting;

/* All three are borrowed and must outlive it. */
int batch_open(struct batch **ret, struct pg *pg, struct outcome *outcome, int batch_size,
	       bool is_demo, struct err *e);
void batch_close(struct batch *b);
/* enable_duplicate_detection = no: descriptions are not compared. */
void batch_skip_near(struct batch *b);
/* Rows that were loaded before belong to the postings they made then. Borrowed. */
void batch_remember(struct batch *b, const struct earlier *earlier);
/* Copies what it needs of p; row (borrowed till the next flush) is for the error list. */
int batch_add(struct batch *b, int index, const struct posting *p, struct raw row, struct err *e);
/* Writes what is left. */
int batch_flush(struct batch *b, struct err *e);

#endif
