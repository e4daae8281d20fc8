/* SPDX-License-Identifier: MIT */
/* redis: one Redis connection; hiredis formats and reads, net/conn carries the bytes.
 *
 * URL: redis://[[user]:password@]host[:6379][,host…][/db], rediss:// for TLS with verification,
 * unix://[[user]:password@]/path[?db=N]. Of several hosts the first that answers as master is
 * taken. Every call ends within the connection's timeout, or by the deadline if one is set.
 * Limits: an answer of 64 MiB, a million elements an array.
 * Errors: -ERR_REDIS (transient: connection, LOADING, OOM, READONLY, MASTERDOWN; the connection
 * is broken after a lost or late answer, and after READONLY), -ERR_TIMEOUT, -ERR_REFUSED (NOAUTH,
 * NOPERM, WRONGPASS), -ERR_CONFIG (wrong URL), -ERR_INVALID (any other error answer, its text in
 * e), -ERR_TOO_BIG, -ERR_PROTOCOL (no Redis there).
 * Ownership: replies belong to you until redis_reply_free. Nothing here logs. */
#ifndef COMMON_STORE_REDIS_H
#define COMMON_STORE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;

/* REDIS_ERROR occurs only inside an array (of EXEC, of a script): a whole answer that is an error
 * is an error code instead. */
enum redis_type { REDIS_NIL, REDIS_STRING, REDIS_INTEGER, REDIS_ARRAY, REDIS_STATUS, REDIS_ERROR };

struct redis_reply {
	enum redis_type type;
	int64_t integer;
	char *str;		/* NUL-terminated after len bytes */
	size_t len;
	struct redis_reply **items;
	size_t nitems;
};

/* Whether redis_open could ever take it; -ERR_CONFIG says why not. */
int redis_check_url(const char *url, struct err *e);
int redis_open(struct redis **ret, const char *url, int timeout_ms, struct err *e);
void redis_close(struct redis *r);
bool redis_is_alive(const struct redis *r);
/* Calls after this one end by then (monotonic ms); 0 = timeout_ms of redis_open each. */
void redis_set_deadline(struct redis *r, int64_t mono_ms);

/* One command of n words. ret may be NULL. */
int redis_run(struct redis *r, const char *const *words, const size_t *lens, size_t n,
	      struct redis_reply **ret, struct err *e);
/* The same for NUL-terminated words: redis_cmd(r, &reply, e, "SETEX", key, "10", value, NULL). */
int redis_cmd(struct redis *r, struct redis_reply **ret, struct err *e, ...)
	__attribute__((sentinel));
/* EVALSHA with EVAL behind it: nkeys of the n words are keys. script is borrowed and must stay. */
int redis_eval(struct redis *r, const char *script, size_t nkeys, const char *const *words,
	       const size_t *lens, size_t n, struct redis_reply **ret, struct err *e);
/* Waits for a pushed message after SUBSCRIBE: 1 = *ret filled, 0 = none in timeout_ms. */
int redis_wait(struct redis *r, int timeout_ms, struct redis_reply **ret, struct err *e);
void redis_reply_free(struct redis_reply *reply);

#endif
