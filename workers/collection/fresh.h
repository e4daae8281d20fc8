/* SPDX-License-Identifier: MIT */
/* fresh: a stored good answer to the very question that is about to be asked.
 *
 * Equal questions have equal query_hash (raw.h): source, parameters, page or cursor. Within the
 * window their answer is used as it stands, at no call and no processing. A 304 renews the answer
 * it is about. Of equal calls under way at once one asks (common/store/asking.h). */
#ifndef WORKERS_COLLECTION_FRESH_H
#define WORKERS_COLLECTION_FRESH_H

#include <stdint.h>

struct err;
struct pg;
struct raw_kept;

/* The newest good answer: 1 = *ret filled (release ret->answer); 0 = none that was given or
 * confirmed within max_age_ms. */
int fresh_find(struct pg *p, const char *query_hash, int64_t max_age_ms, int64_t max_bytes,
	       struct raw_kept *ret, struct err *e);
/* Header lines for a conditional request, as the newest good answer's own headers allow: "" where
 * it gave none. Both malloc'ed; *ret_id is the answer they are about. 1, or 0 = none. */
int fresh_validators(struct pg *p, const char *query_hash, char **ret_etag, char **ret_modified,
		     char ret_id[37], struct err *e);

#endif
