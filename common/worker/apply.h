/* SPDX-License-Identifier: MIT */
/* apply: what applying a signature publishes (celery-wire 3.1 and 3.3).
 *
 * A task becomes one message, a chain the message of its first step with the rest inside, a group
 * and a chord one message per member. The messages and the chords that begin go into an outbox;
 * nothing is sent here. Ids that have to be born are UUIDv5(source, position), so that who repeats
 * an apply repeats the same messages.
 * One struct apply serves one source (an attempt's settle, the end of a join), one call after the
 * other. Errors: -ERR_PROTOCOL, -ERR_TYPE, -ERR_TOO_BIG, -ERR_INVALID with a text for clients. */
#ifndef COMMON_WORKER_APPLY_H
#define COMMON_WORKER_APPLY_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "common/worker/signature.h"

struct catalog;
struct conf;
struct outbox;

struct apply {
	const struct conf *conf;
	const struct catalog *catalog;	/* whose tasks have queues of their own; may be NULL */
	const char *queue;		/* for what neither its options nor queues.conf route */
	const char *source;		/* names the ids that are born here */
	const struct message *from;	/* whose trace is handed on; may be NULL */
	int generation;
	struct outbox *outbox;
	struct arena arena;
	/* private */
	struct message message;
	struct buf work;
	int position;
	char origin[300];
};

/* conf, outbox and strings are borrowed. */
void apply_init(struct apply *a, const struct conf *conf, struct outbox *outbox,
		const char *source);
void apply_release(struct apply *a);

/* partial: the text between the brackets of the arguments that go before the signature's own.
 * over: options that win over the signature's (celery-wire 3.3 names those that do not); may be
 * NULL. tuple (may be NULL) gets the result tuple of what was published. */
int apply_signature(struct apply *a, const struct signature *s, struct raw partial,
		    const struct signature_options *over, struct buf *tuple, struct err *e);
/* Gives ids to whatever of s a caller may ask about later; returns the id under which s's result
 * will stand (of a group: the group's). */
const char *apply_freeze(struct apply *a, struct signature *s);
void apply_new_id(struct apply *a, char out[UUID_SIZE]);

#endif
