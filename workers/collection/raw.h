/* SPDX-License-Identifier: MIT */
/* raw: one provider's answer exactly as it came, with what was asked (public.raw_job_collections).
 *
 * The bytes stand in raw_body (zstd), with content_type and http_status; raw_response holds them as
 * jsonb where jsonb takes them, else {} with the reason in error_info ({"reason": "html", "detail":
 * …}). Reasons: no_body, html, cut_off, nul (\u0000 or a zero byte), too_deep, not_utf8, not_json,
 * refused_by_jsonb.
 * query_hash: SHA-256 (hex) of the provider and the sorted query, equal for equal questions.
 * The answer's headers, without cookies, stand in metadata.response_headers.
 * Memory: a body of more than 1 MiB is never parsed into a tree. Beside it storing needs libpq's
 * copy of it as text and the packed bytes, so collecting an answer of 50 MB takes some 110 MB in
 * all; a test holds it under 200.
 * When PostgreSQL is away, a raw is written to a file and picked up later (rawfile.h). */
#ifndef WORKERS_COLLECTION_RAW_H
#define WORKERS_COLLECTION_RAW_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/uuid.h"
#include "common/net/http.h"

struct err;
struct pg;

#define RAW_DEPTH 900		/* cJSON gives up at 1,000 levels; a file wraps its raw in one more */

/* Everything is borrowed. */
struct raw_taken {
	char id[UUID_SIZE];
	int64_t taken_us;		/* wall time of the answer */
	const char *provider, *run_id;
	const cJSON *query;		/* what was asked, no secret in it */
	const cJSON *metadata;
	const char *content_type;	/* "" = none */
	int http_status;		/* 0 = there was no HTTP (sample data) */
	const void *body;		/* one more byte can be read: a NUL spares a copy */
	size_t body_len;
	bool complete;			/* false: the peer cut it off */
	bool demo;			/* invented: marked in every row that comes of it */
};

/* A raw read back, as the answer it was: status, type, headers and body. */
struct raw_kept {
	char id[UUID_SIZE];
	struct http_response answer;
	bool picked_up;			/* came from a file; its processing is enqueued already */
};

/* 1 = inserted, 0 = that id is there already (nothing changes). Call it inside a transaction. */
int raw_store(struct pg *p, const struct raw_taken *raw, struct err *e);
/* Of the first n of ids, one whose row is there and was not judged a failure; for the last of them
 * a failure will do. 1, or 0 for none. max bounds the unpacked body. */
int raw_load(struct pg *p, const char (*ids)[UUID_SIZE], size_t n, size_t max,
	     struct raw_kept *ret, struct err *e);
void raw_kept_release(struct raw_kept *k);

/* The header lines that are kept; malloc'ed. */
char *raw_headers(const struct http_response *r);

/* After judging: adds to metadata; error NULL leaves error_info. status as the table's check. */
int raw_settle(struct pg *p, const char *id, const char *status, const cJSON *metadata,
	       const cJSON *error, struct err *e);

/* Why jsonb would not take these bytes, NULL if it should; *ret_detail (may be NULL) says where. */
const char *raw_unfit(const void *body, size_t len, bool complete, char *ret_detail, size_t size);
void raw_query_hash(const char *provider, const cJSON *query, char ret[65]);
/* zstd; *ret malloc'ed. */
void raw_pack(const void *body, size_t len, void **ret, size_t *ret_len);
int raw_unpack(const void *packed, size_t len, size_t max, char **ret, size_t *ret_len,
	       struct err *e);

#endif
