/* SPDX-License-Identifier: MIT */
/* pickup: takes the answers that were kept in files (rawfile.h) into the database.
 *
 * Each file is one step: its row, the enqueueing of its processing and the step commit together,
 * then the file goes. A file whose row is there already only goes. Any run may pick up what
 * another one left; at most 100 files a call. What cannot be read is logged and stays. */
#ifndef WORKERS_COLLECTION_PICKUP_H
#define WORKERS_COLLECTION_PICKUP_H

struct err;
struct run;

/* Returns how many new rows came of it. */
int pickup_files(struct run *run, struct err *e);

#endif
