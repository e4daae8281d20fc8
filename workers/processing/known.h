/* SPDX-License-Identifier: MIT */
/* known: which postings of a batch the main table has already.
 *
 * In this order: by equal dedupe key, by link (dedupe.h), and by description (alike.h); two
 * questions a batch, whose cost does not grow with the table. Sample data and real postings never
 * meet.
 *
 * Within 7 days and beyond: a posting that says it was posted more than KNOWN_REPOST_DAYS after the
 * known one was last seen is the same job advertised again. It becomes a posting of its own, with
 * repost_of naming the earlier one, so that how long and how often a job stood open can be told.
 * In all other cases (also without a date of posting) it is the same posting, and merged. */
#ifndef WORKERS_PROCESSING_KNOWN_H
#define WORKERS_PROCESSING_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/uuid.h"

struct alike_keys;
struct dedupe_keys;
struct err;
struct pg;
struct tokens;

enum { KNOWN_REPOST_DAYS = 7 };

/* By row: it made that posting when its collection was processed before (earlier.h). */
enum known_how { KNOWN_NOT, KNOWN_BY_KEY, KNOWN_BY_LINK, KNOWN_BY_TEXT, KNOWN_BY_ROW };

struct known_ask {
	const struct dedupe_keys *keys;
	const struct tokens *tokens;
	const struct alike_keys *near;	/* NULL: near detection is off */
	bool has_posted;
	int64_t posted_us;
};

struct known {
	enum known_how how;
	char job_id[UUID_SIZE];		/* "" unless how */
	char *key;			/* the known one's dedupe key; NULL unless how; free() */
	bool repost;			/* advertised again, not seen again */
	int64_t last_seen_us;
};

/* ret has n entries, released by known_release. */
int known_find(struct pg *pg, const struct known_ask *asks, size_t n, bool is_demo,
	       struct known *ret, struct err *e);
void known_release(struct known *known, size_t n);

#endif
