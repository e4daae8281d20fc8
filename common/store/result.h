/* SPDX-License-Identifier: MIT */
/* result: task states in Redis, in Celery's format (celery-wire section 2).
 *
 * One Lua script writes and publishes: nothing goes over a final state of the same generation, no
 * older attempt over a newer one. Two keys of our own in the JSON carry what the script compares;
 * Celery clients pass over them: "retries" (also Celery's, in extended results) and
 * "jobfleet_generation". Dates have six digits and an offset. */
#ifndef COMMON_STORE_RESULT_H
#define COMMON_STORE_RESULT_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct redis;

/* What fleet.result_extended adds (celery-wire 2.4). Raw JSON where it says so; NULL = null. */
struct result_extra {
	const char *name, *worker, *queue;
	const char *args, *kwargs;	/* raw */
	const char *stamped_headers, *stamps;	/* raw; a list, and the object with their values */
};

struct result {
	const char *task_id;
	const char *status;		/* SUCCESS, FAILURE, REVOKED, RETRY, STARTED, or custom */
	const char *json;		/* raw JSON of "result"; NULL = null */
	const char *traceback;		/* NULL = null */
	const char *group_id, *parent_id;	/* NULL = left out */
	const char *children;		/* comma separated result tuples (2.5); NULL = none */
	const struct result_extra *extra;	/* NULL: plain */
	int generation, retries;
};

bool result_is_final(const char *status);

/* Appends the JSON text. */
int result_print(struct buf *out, const struct result *r, struct err *e);
/* The "result" of FAILURE, RETRY and REVOKED: {exc_type, exc_message: [message], exc_module}. */
int result_print_error(struct buf *out, const char *exc_type, const char *message,
		       const char *exc_module, struct err *e);

/* 1 = written, 0 = refused because something final or newer is there. expires_s 0 = never. */
int result_store(struct redis *redis, const char *task_id, const char *meta,
		 int generation, int retries, int64_t expires_s, struct err *e);

#endif
