/* SPDX-License-Identifier: MIT */
/* copies: standing copies of what stands in tables, as files by day.
 *
 * <data_dir>/<kind>/YYYY/MM/DD/<name>_NNN.json (UTC; NNN from 001, more digits past 999). A file
 * appears whole or not at all: written beside its place, then renamed without replacing, so that
 * any number of processes may write. Directories are made as needed, 0750, files 0640.
 * Which kinds are wanted and for how long is the configuration's (raw_copies, processed_copies,
 * failed_copies, copies_keep).
 * Errors: -ERR_IO with the reason. */
#ifndef COMMON_BASE_COPIES_H
#define COMMON_BASE_COPIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define COPIES_RAW "raw_collections"
#define COPIES_PROCESSED "processed_data"
#define COPIES_FAILED "failed_processing"

struct copies_part {
	const void *data;
	size_t len;
};

/* The parts in a row make the file. durable: on the disk before this returns. *ret_path (may be
 * NULL; malloc'ed) is where it stands. us: wall time, which gives the day. */
int copies_write(const char *data_dir, const char *kind, const char *name, int64_t us,
		 const struct copies_part *parts, size_t n, bool durable, char **ret_path,
		 struct err *e);
/* The same name for a file that is there already, as a further link to it. */
int copies_link(const char *data_dir, const char *kind, const char *name, int64_t us,
		const char *existing, char **ret_path, struct err *e);
/* A durable file of this very path, in place of what is there; its directory is made. */
int copies_put(const char *path, const struct copies_part *parts, size_t n, struct err *e);
/* One text, not durable: for what stands in a table too. */
int copies_keep(const char *data_dir, const char *kind, const char *name, int64_t us,
		const char *text, struct err *e);
/* <data_dir>/<kind>/YYYY/MM/DD; malloc'ed. */
char *copies_day(const char *data_dir, const char *kind, int64_t us);
/* Takes away the files of days that ended more than so many days ago; what is not named as above
 * stays. Returns how many went. */
int copies_expire(const char *data_dir, const char *kind, int64_t now_us, int days, struct err *e);

#endif
