/* SPDX-License-Identifier: MIT */
/* endpoint: vectors from an OpenAI-compatible server (embedding_url and its kin in queues.conf).
 *
 * POST {"model", "input": [text, …]} with "Authorization: Bearer KEY", answered by {"data":
 * [{"index", "embedding": [1,536 numbers]}, …]} in any order
 * (platform.openai.com/docs/api-reference/embeddings). A text is cut at ENDPOINT_TEXT_MAX bytes.
 * 408, 429, 5xx, time-outs and network errors are asked again, ENDPOINT_TRIES times in all, after
 * half a second, then one, or as Retry-After says, at most 10 s: so a call lasts bounded time. No
 * key, URL's query or text stands in an error.
 * Errors: -ERR_CONFIG (another length than 1,536; no such model), -ERR_REFUSED (the key), and what
 * http.h and a server's failure give: transient, and the caller keeps the vector made here. */
#ifndef WORKERS_PROCESSING_ENDPOINT_H
#define WORKERS_PROCESSING_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct err;
struct http;

enum { ENDPOINT_TEXT_MAX = 24000, ENDPOINT_TRIES = 3, ENDPOINT_TIMEOUT_MS = 30000 };

bool endpoint_is_set(const struct conf *conf);
/* ret has n vectors of EMBED_DIMENSIONS, written only when all are there. */
int endpoint_ask(struct http *http, const struct conf *conf, const char *const *texts, size_t n,
		 float *ret, struct err *e);
/* Asks for one vector, with an HTTP client of its own: is the endpoint one that can be used? */
int endpoint_check(const struct conf *conf, struct err *e);
/* A vector for one text, by a client of its own. */
int endpoint_one(const struct conf *conf, const char *text, float *ret, struct err *e);

#endif
