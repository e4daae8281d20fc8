/* SPDX-License-Identifier: MIT */
/* answer: one raw collection as it stands in raw_job_collections, cut into rows.
 *
 * The body is read from raw_response, or where that holds nothing ({}) from the exact bytes in
 * raw_body (zstd, at most ANSWER_MAX_BYTES unpacked). Escapes of lone surrogates and of NUL in it
 * are mended. It stays text: rows are parsed one by one, so an answer costs its own size twice at
 * most, 128 MiB.
 * A body that is no JSON, or JSON without a list of postings, is no error here: rows is RAW_NONE
 * then and refusal says why. */
#ifndef WORKERS_PROCESSING_ANSWER_H
#define WORKERS_PROCESSING_ANSWER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/raw.h"
#include "workers/processing/posting.h"

struct err;
struct pg;
struct source;

enum { ANSWER_MAX_BYTES = 64 * 1024 * 1024 };

struct answer {
	char provider[64], status[24], country[3];
	char *run_id;			/* "" none */
	int64_t fetched_us;
	bool is_demo;
	size_t bytes;			/* of the body */
	const struct source *source;	/* of provider; NULL: none is called so */
	cJSON *query;			/* what was asked, as stored */
	char *text;
	struct raw rows;		/* the array of rows, in text; at NULL = none */
	struct refusal refusal;
};

/* Reads the row and locks it to the end of the transaction, so that one collection is processed
 * by one process at a time. -ERR_NOT_FOUND: there is none. */
int answer_open(struct answer *ret, struct pg *pg, const char *collection_id, struct err *e);
/* Reads the body and fills text and rows, or refusal. */
int answer_read(struct answer *a, struct pg *pg, const char *collection_id, struct err *e);
void answer_close(struct answer *a);

/* The cutting alone; source is set. */
void answer_parse(struct answer *a, const char *text, size_t len);

#endif
