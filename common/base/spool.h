/* SPDX-License-Identifier: MIT */
/* spool: enqueues that could not be confirmed in time, fsynced on local disk until somebody
 * replays them.
 *
 * One file a message, <data_dir>/spool/<task id>: the same id is the same file, so spooling twice
 * adds nothing, and a replay of a message that did arrive is harmless (the ledger). An id that is
 * no plain file name is replaced by its SHA-256.
 * Format: a JSON head line {"version", "id", "queue", "props", "body", "sha256"} (props and body
 * are lengths), then props, then body. sha256 is over id, queue (each with its NUL), props, body.
 * A file is written beside, fsynced, renamed into place, and the directory fsynced: it is there
 * whole or not at all. One that is damaged all the same is set aside as <name>.broken, for people.
 * Whoever replays an entry holds flock() on its file. Root gives what it makes to data_dir's owner,
 * so that a dispatcher with fewer rights can replay it.
 * Limits: max_bytes in all, seen with a delay of a second across processes.
 * Errors: -ERR_IO (disk full, no permission: the text says which), -ERR_TOO_BIG. */
#ifndef COMMON_BASE_SPOOL_H
#define COMMON_BASE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct spool;
struct spool_held;

struct spool_entry {
	const char *id, *queue;
	const void *props, *body;
	size_t props_len, body_len;
};

/* max_bytes 0 = no spool: spool_put answers -ERR_TOO_BIG. The first put makes the directory. */
struct spool *spool_new(const char *data_dir, int64_t max_bytes);
void spool_free(struct spool *s);

/* 0 = on disk. */
int spool_put(struct spool *s, const struct spool_entry *x, struct err *e);

/* Oldest first: up to most entries that nobody else holds, verified and in memory, together at
 * most about most_bytes. Passes over the spool once; 0 = the pass is over, the next take begins a
 * new one. What it could not read is left out. */
int spool_take(struct spool *s, size_t most, size_t most_bytes, struct spool_held **ret_held,
	       struct err *e);
const struct spool_entry *spool_entry(const struct spool_held *h);
/* Ends the hold: a handled entry's file goes, another one stays for the next pass. */
void spool_settle(struct spool *s, struct spool_held *h, bool handled);

/* Entries and bytes that wait; all 0 if there is no spool. */
int spool_size(const char *data_dir, int64_t *ret_entries, int64_t *ret_bytes, struct err *e);
/* Is there any entry? Cheaper than counting them. */
bool spool_waits(const char *data_dir);
/* How many damaged files were set aside. */
int spool_broken(const char *data_dir);

#endif
