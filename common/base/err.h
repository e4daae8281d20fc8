/* SPDX-License-Identifier: MIT */
/* err: why something failed, as a value.
 *
 * A function that can fail returns 0 or a positive answer, or a negative code of the list
 * below, and fills the caller's struct err. The code alone decides what happens next:
 * transient errors are worth a retry, permanent ones are not. Nobody compares texts.
 * The text is for people and may reach clients: it never holds a secret.
 * `e` may be NULL where a caller only wants the code. */
#ifndef COMMON_BASE_ERR_H
#define COMMON_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

/* name, transient?, the exception type a Celery client sees by default, text.
 * exc_type is a Python builtin where one fits, so that clients raise the real class. */
#define ERR_LIST(X) \
	X(INVALID,    false, "ValueError",        "invalid value") \
	X(TYPE,       false, "TypeError",         "wrong arguments") \
	X(NOT_FOUND,  false, "LookupError",       "not found") \
	X(CONFIG,     false, "RuntimeError",      "wrong configuration") \
	X(USAGE,      false, "RuntimeError",      "wrong usage") \
	X(TOO_BIG,    false, "OverflowError",     "larger than its limit") \
	X(PROTOCOL,   false, "ValueError",        "malformed data from a peer") \
	X(CONFLICT,   false, "RuntimeError",      "already there") \
	X(REFUSED,    false, "PermissionError",   "refused") \
	X(SCHEMA,     false, "RuntimeError",      "database schema does not fit") \
	X(INTERNAL,   false, "RuntimeError",      "internal error") \
	X(CANCELLED,  false, "RuntimeError",      "cancelled") \
	X(SOFT_LIMIT, false, "SoftTimeLimitExceeded", "soft time limit exceeded") \
	X(HARD_LIMIT, false, "TimeLimitExceeded", "hard time limit exceeded") \
	X(LOST,       false, "WorkerLostError",   "worker process died") \
	X(QUOTA,      true,  "RuntimeError",      "quota used up") \
	X(LIMITED,    true,  "RuntimeError",      "rate limited") \
	X(PARKED,     true,  "RuntimeError",      "source parked") \
	X(TIMEOUT,    true,  "TimeoutError",      "timed out") \
	X(IO,         true,  "OSError",           "input/output error") \
	X(NET,        true,  "ConnectionError",   "network error") \
	X(HTTP,       true,  "ConnectionError",   "HTTP server error") \
	X(BROKER,     true,  "ConnectionError",   "RabbitMQ unavailable") \
	X(UNROUTED,   true,  "ConnectionError",   "no queue takes the message") \
	X(DB,         true,  "ConnectionError",   "PostgreSQL unavailable") \
	X(REDIS,      true,  "ConnectionError",   "Redis unavailable") \
	X(AGAIN,      true,  "RuntimeError",      "try again")

enum err_code {
	ERR_NONE,
#define X(name, transient, exc, text) ERR_##name,
	ERR_LIST(X)
#undef X
	ERR_COUNT
};

#define ERR_MSG_SIZE 1024

struct err {
	enum err_code code;
	char exc_type[64];		/* overrides the code's exception type; "" = the list's */
	int64_t retry_after_ms;		/* > 0: a peer said when to come back (Retry-After) */
	char msg[ERR_MSG_SIZE];
};

/* Fills e (if not NULL) and returns -code, so that `return err_set(e, ERR_X, "…")` reads well.
 * A longer text is cut at ERR_MSG_SIZE between letters; bytes that are no UTF-8 become '?'. e's own
 * text may be among the arguments. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text already in e; returns -e->code. With a NULL e nobody knows the
 * code: who may be called so returns the first call's answer instead. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *e);

bool err_is_transient(enum err_code code);
const char *err_name(enum err_code code);	/* "DB" */
const char *err_text(enum err_code code);	/* "PostgreSQL unavailable" */
const char *err_exc_type(const struct err *e);	/* what a Celery client sees as exc_type */
const char *err_exc_module(const struct err *e);	/* the Python module of that type */

#endif
