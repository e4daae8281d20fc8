/* SPDX-License-Identifier: MIT */
/* watermark: when a question to a source was last answered well (jobfleet.watermarks).
 *
 * A question is what is asked of a source, without pages and times: its hash is the same each time.
 * The incremental strategy asks for what came since; the scheduled one asks first what was
 * answered longest ago. Times are wall time in microseconds, of when the asking began, so that
 * nothing falls between two askings. */
#ifndef WORKERS_COLLECTION_WATERMARK_H
#define WORKERS_COLLECTION_WATERMARK_H

#include <stdint.h>

#include "sources/source.h"

struct err;
struct pg;

#define WATERMARK_HASH 65
enum { WATERMARK_OVERLAP_S = 3600 };	/* postings show up late, and clocks differ */

void watermark_hash(const char *source, const struct source_ask *ask, char ret[WATERMARK_HASH]);
/* Both are 0 for a question that was never asked. */
struct watermark {
	int64_t asked_us, succeeded_us;
};
int watermark_read(struct pg *p, const char *source, const struct source_ask *ask,
		   struct watermark *ret, struct err *e);
/* Moves forward only. In the caller's transaction. succeeded false: it was refused. */
int watermark_write(struct pg *p, const char *source, const struct source_ask *ask, int64_t us,
		    bool succeeded, const char *run_id, struct err *e);

#endif
