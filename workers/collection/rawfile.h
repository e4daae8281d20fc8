/* SPDX-License-Identifier: MIT */
/* rawfile: a provider's answer as a file: kept while PostgreSQL is away, or as a standing copy.
 *
 * <data_dir>/raw_collections/YYYY/MM/DD/<provider>_NNN.json (copies.h). One JSON object: the
 * columns of raw_job_collections by their names, raw_response {} where the bytes are no JSON. What
 * waits for the database says "in_database": false and has raw_body, base64 of zstd: those exact
 * bytes are what is taken in later. Until then a second link to it stands in
 * raw_collections/waiting, so that finding it does not mean to look through the copies of a month.
 * That link is made first. Files of 1 GiB or more, and any that are not ours, are left alone. */
#ifndef WORKERS_COLLECTION_RAWFILE_H
#define WORKERS_COLLECTION_RAWFILE_H

#include <stddef.h>

#include "workers/collection/raw.h"

struct err;

/* One that waits. *ret_path (malloc'ed) is where it stands. -ERR_IO with the reason. */
int rawfile_write(const char *data_dir, const struct raw_taken *raw, char **ret_path,
		  struct err *e);

/* A copy of one that stands in the database. */
int rawfile_copy(const char *data_dir, const struct raw_taken *raw, struct err *e);

/* A file read back; raw borrows from the rest. */
struct rawfile {
	struct raw_taken raw;
	cJSON *json;
	char *body;
};

/* Paths of what waits, oldest first, at most max; malloc'ed each, free the array too. */
size_t rawfile_list(const char *data_dir, size_t max, char ***ret_paths);
/* -ERR_PROTOCOL when it is none of ours or already in the database. max_body: unpacked bytes. */
int rawfile_read(const char *path, size_t max_body, struct rawfile *ret, struct err *e);
void rawfile_release(struct rawfile *f);
/* After the row is committed: one that waited goes with both its names. A file that is gone is
 * fine. */
int rawfile_remove(const char *path, struct err *e);

#endif
