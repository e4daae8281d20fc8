/* SPDX-License-Identifier: MIT */
/* parcel: one row of jobfleet.pending, made into the message that goes to the broker.
 *
 * A row holds either the properties of a message as it came (props), or the headers that SQL
 * gave it (headers, JSON, by Celery's names). Both leave with hop + 1, which tells the worker
 * that the message was parked once and must not be asked for its eta again. */
#ifndef DISPATCHER_PARCEL_H
#define DISPATCHER_PARCEL_H

#include <stddef.h>

struct buf;
struct err;
struct message;

/* Borrowed from the row; one of props and headers is NULL. */
struct parcel {
	const char *task, *task_id;
	int generation, nesting, retries, hop;
	int priority; /* MESSAGE_NO_PRIORITY = none of its own */
	const void *props;
	size_t props_len;
	const char *headers;
	const void *body;
	size_t body_len;
};

/* Fills m (cleared first) and appends its encoded properties to props; the body to publish is
 * m->body. -ERR_PROTOCOL or -ERR_TOO_BIG: this row can never be published. */
int parcel_pack(const struct parcel *p, struct message *m, struct buf *props, struct err *e);

#endif
