/* SPDX-License-Identifier: MIT */
/* http: bounded HTTP requests by libcurl, one at a time or several under way at once;
 * connections are reused.
 *
 * Several at once: http_begin each, then http_next until it gives NULL. Calls come back in the
 * order they end, and more may be begun between two of them:
 *
 *	http_begin(h, &a);
 *	http_begin(h, &b);
 *	while ((done = http_next(h)))
 *		read(done);
 *
 * Bounds of each request: total time, response bytes (decompressed), header bytes (64 KiB). TLS is
 * verified. Plain http is refused except to loopback. Redirects are not followed unless asked for,
 * and then only within the same host and scheme, at most 3.
 * Errors: -ERR_TIMEOUT, -ERR_NET (resolve, connect, TLS, cut off: transient), -ERR_TOO_BIG,
 * -ERR_REFUSED (plain http, redirect to another host), -ERR_CANCELLED. An HTTP status is no
 * error here: the caller classifies it. URLs in error texts carry no query string.
 * Secrets of ours (conf_secret) that an answer quotes are asterisks in the response.
 * Ownership: the response is yours until http_response_release; an error leaves nothing to release.
 * With an account the board (common/base/board.h) counts the call and its time: "source_calls" by
 * outcome ("answered", "limited" = 429, "failed" = no answer or 5xx) and "source_seconds".
 * A call, and what its request points to, must stay where it is until http_next gave it back. */
#ifndef COMMON_NET_HTTP_H
#define COMMON_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

struct http;

struct http_request {
	const char *method;		/* "GET", "POST"; NULL = GET */
	const char *url;
	const char *account;		/* whose call the board counts (a source's name); NULL = none */
	const char *const *headers;	/* "Name: value" …, NULL-terminated; may be NULL */
	const void *body;
	size_t body_len;
	int64_t timeout_ms;		/* 0 = 30 s */
	int64_t max_bytes;		/* 0 = 64 MiB */
	bool follow_same_host;
	bool once;			/* on a new connection: what an old one loses libcurl repeats by itself */
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
/* Asked while waiting, a few times a second; true ends every request with -ERR_CANCELLED. */
void http_set_cancel(struct http *h, bool (*cancelled)(void *ctx), void *ctx);

struct http_call {
	struct http_request request;
	int64_t delay_ms;		/* sent so much later; the time-out counts from then */
	struct http_response response;	/* when code is 0 */
	int code;
	struct err err;			/* when code is negative */
};
void http_begin(struct http *h, struct http_call *call);
/* Waits until one of the calls is over; NULL when none is under way. */
struct http_call *http_next(struct http *h);
/* Ends all that are under way with -ERR_CANCELLED; http_next still gives each back. */
void http_abort(struct http *h);

/* One request; no other may be under way. */
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
