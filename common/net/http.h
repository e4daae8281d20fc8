/* SPDX-License-Identifier: MIT */
/* http: one bounded HTTP request at a time, by libcurl; connections are reused.
 *
 * Bounds: total time, response bytes (decompressed), header bytes (64 KiB). TLS is verified.
 * Plain http is refused except to loopback. Redirects are not followed unless asked for, and then
 * only within the same host and scheme, at most 3.
 * Errors: -ERR_TIMEOUT, -ERR_NET (resolve, connect, TLS, cut off: transient), -ERR_TOO_BIG,
 * -ERR_REFUSED (plain http, redirect to another host), -ERR_CANCELLED. An HTTP status is no
 * error here: the caller classifies it. URLs in error texts carry no query string.
 * Ownership: the response is yours until http_response_release. */
#ifndef COMMON_NET_HTTP_H
#define COMMON_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

struct err;
struct http;

struct http_request {
	const char *method;		/* "GET", "POST"; NULL = GET */
	const char *url;
	const char *const *headers;	/* "Name: value" …, NULL-terminated; may be NULL */
	const void *body;
	size_t body_len;
	int64_t timeout_ms;		/* 0 = 30 s */
	int64_t max_bytes;		/* 0 = 64 MiB */
	bool follow_same_host;
};

struct http_response {
	int status;
	struct buf body;
	struct buf headers;		/* raw "Name: value\r\n" lines of the last response */
	char content_type[128];		/* lower case, without parameters; "" if none */
	int64_t elapsed_ms;
	bool complete;			/* false: the peer cut the body off (what came is kept) */
};

int http_open(struct http **ret, const char *user_agent, struct err *e);
void http_close(struct http *h);
/* Asked while waiting, a few times a second; true ends the request with -ERR_CANCELLED. */
void http_set_cancel(struct http *h, bool (*cancelled)(void *ctx), void *ctx);
int http_perform(struct http *h, const struct http_request *req, struct http_response *ret,
		 struct err *e);
void http_response_release(struct http_response *r);
/* The value of a header, any case, trimmed, into out; false if absent. */
bool http_header(const struct http_response *r, const char *name, char *out, size_t size);
/* Percent-encodes text as one query value and appends it. */
int http_put_query(struct buf *b, const char *name, const char *value);
/* The same for one part of a path, with its "/" before it. */
int http_put_path(struct buf *b, const char *part);

#endif
