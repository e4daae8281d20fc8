/* SPDX-License-Identifier: MIT */
/* fresh: a stored good answer to the very question that is about to be asked.
 *
 * Equal questions have equal query_hash (raw.h): source, parameters, page or cursor. Within the
 * window their answer is used as it stands, at no call and no processing. A 304 renews the answer
 * it is about.
 * Of equal calls under way at once one has the lease (jobfleet.asking) and the others wait. */
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

/* 1 = this task asks, for at most so long; 0 = another one is asking. */
int fresh_lease(struct pg *p, const char *query_hash, const char *task_id, int64_t ms,
		struct err *e);
/* Takes away leases that ended long ago: of tasks that never came back. */
int fresh_prune(struct pg *p, struct err *e);
int fresh_release(struct pg *p, const char *query_hash, const char *task_id, struct err *e);

#endif
