/* SPDX-License-Identifier: MIT */
/* spool: enqueues that could not be confirmed in time, fsynced on local disk until somebody
 * replays them. One file a message, <data_dir>/spool/<task id>: the same id is the same file, so
 * spooling twice adds nothing, and a replay of a message that did arrive is harmless (the ledger).
 * Format: a JSON head line {queue, props, body lengths, sha256}, then props, then body; a file that
 * was cut off is set aside as <name>.broken and reported.
 * Limits: spool_max bytes in all. Errors: -ERR_IO (disk full, no permission: the text says which),
 * -ERR_TOO_BIG. */
#ifndef COMMON_BASE_SPOOL_H
#define COMMON_BASE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct spool_entry {
	const char *id, *queue;
	const void *props, *body;
	size_t props_len, body_len;
};

int spool_put(const char *data_dir, int64_t max_bytes, const struct spool_entry *x, struct err *e);
/* 1 = handled: the file goes; 0 = keep it; negative = stop. */
typedef int spool_fn(void *ctx, const struct spool_entry *x, struct err *e);
/* Oldest first, at most most entries; how many were handled. Two replays at once share the work
 * (a lock file for each entry). */
int spool_replay(const char *data_dir, int most, spool_fn *fn, void *ctx, struct err *e);
/* Entries and bytes that wait. */
int spool_size(const char *data_dir, int64_t *ret_entries, int64_t *ret_bytes, struct err *e);

#endif
