/* SPDX-License-Identifier: MIT */
/* answer: one raw collection as it stands in raw_job_collections, parsed.
 *
 * The body is read from raw_response, or where that holds nothing ({}) from the exact bytes in
 * raw_body (zstd, at most ANSWER_MAX_BYTES unpacked). Lone surrogates in it are mended before
 * parsing. A body that is no JSON, or JSON without a list of postings, is no error here: rows is
 * NULL then and refusal says why. */
#ifndef WORKERS_PROCESSING_ANSWER_H
#define WORKERS_PROCESSING_ANSWER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/processing/posting.h"

struct err;
struct pg;

enum { ANSWER_MAX_BYTES = 64 * 1024 * 1024 };

struct answer {
	char provider[64], status[24], country[3];
	char *run_id;			/* "" none */
	int64_t fetched_us;
	bool is_demo;
	size_t bytes;			/* of the body */
	cJSON *json;
	const cJSON *rows;		/* borrowed from json */
	struct refusal refusal;
};

/* Reads the row and locks it to the end of the transaction, so that one collection is processed
 * by one process at a time. -ERR_NOT_FOUND: there is none. */
int answer_open(struct answer *ret, struct pg *pg, const char *collection_id, struct err *e);
/* Reads the body and fills json and rows, or refusal. */
int answer_read(struct answer *a, struct pg *pg, const char *collection_id, struct err *e);
void answer_close(struct answer *a);

/* The parsing alone. */
void answer_parse(struct answer *a, const char *text, size_t len);

#endif
