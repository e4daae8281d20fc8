/* SPDX-License-Identifier: MIT */
/* message: one Celery task message, protocol 2 (protocol 1 is read), both ways.
 *
 * Source: ../shared celery-wire sections 1.2 to 1.9; docs.celeryq.dev "Message Protocol".
 * On the wire a message is its properties (the payload of the AMQP content header behind the
 * body size: flags, then values; here "props") and its body.
 * Ownership: strings and header values belong to the message's arena and live until
 * message_clear or message_release; setters copy. Decoding copies, too: nothing points into
 * the caller's buffers afterwards.
 * Limits: props 128 KiB, 256 headers, nesting 32; the body is bounded by whoever read it.
 * Headers we do not know are kept as they came, with their AMQP types, and encoded again. */
#ifndef COMMON_BROKER_MESSAGE_H
#define COMMON_BROKER_MESSAGE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

struct err;
struct message_arena;

#define MESSAGE_NO_PRIORITY (-1)

struct message {
	/* properties */
	const char *content_type, *content_encoding, *correlation_id, *reply_to, *expiration;
	int priority;			/* MESSAGE_NO_PRIORITY = absent */
	int delivery_mode;
	/* headers; NULL or the stated value when absent */
	const char *task, *id, *root_id, *parent_id, *group, *shadow, *origin, *lang;
	const char *eta, *expires;	/* ISO 8601 as it came */
	const char *argsrepr, *kwargsrepr, *compression;
	int retries;			/* 0 */
	int group_index;		/* -1 */
	int nesting;			/* replaced_task_nesting, 0 */
	int64_t hard_ms, soft_ms;	/* timelimit; -1 */
	bool ignore_result;
	/* headers of our own, x-jobfleet-…; all 0 when absent */
	int generation, hop, forwards, admitted;
	int64_t slot_ms;		/* x-jobfleet-slot: not before this, epoch; 0 */
	bool unique;			/* read: there is an x-jobfleet-unique-key */
	/* body as it came (compressed if compression is set); owned, malloc'ed */
	char *body;
	size_t body_len;
	struct message_arena *arena;
};

void message_init(struct message *m);
void message_clear(struct message *m);		/* ready for the next one, keeps memory */
void message_release(struct message *m);

/* Fills m from props; the body is copied. -ERR_PROTOCOL says what is wrong; m then holds what
 * could be read (id, if there was one), so that a FAILURE can be stored. A protocol 1 message
 * (no task header) is turned into protocol 2 here; its body is rewritten. */
int message_decode(struct message *m, const void *props, size_t props_len, const void *body,
		   size_t body_len, struct err *e);
/* Appends the props; message_set_* and the fields decide, unknown headers follow. */
int message_encode(const struct message *m, struct buf *props, struct err *e);

/* The body's text, decompressed (zlib and gzip) and checked (JSON, UTF-8) up to max bytes;
 * malloc'ed. -ERR_PROTOCOL for another content type, codec or encoding (ContentDisallowed). */
int message_text(const struct message *m, size_t max_bytes, char **ret, size_t *ret_len,
		 struct err *e);

/* The three parts of a protocol 2 body as raw JSON texts, each malloc'ed; missing or null parts
 * are "[]", "{}", "{}". -ERR_PROTOCOL unless list, object, object. */
int message_split(const char *text, size_t len, char **ret_args, char **ret_kwargs,
		  char **ret_embed, struct err *e);

/* A new task message: fresh id when id is NULL, root = own id, args/kwargs raw JSON (NULL = none),
 * delivery_mode 2, argsrepr/kwargsrepr cut at 1024 bytes. */
int message_new(struct message *m, const char *task, const char *id, const char *args,
		const char *kwargs, struct err *e);

const char *message_strdup(struct message *m, const char *s);	/* into the arena; NULL gives NULL */
void message_take_body(struct message *m, char *owned, size_t len);

/* A header of any name as JSON (tables and arrays included); NULL if absent. cJSON_Delete it. */
cJSON *message_header(const struct message *m, const char *name);
/* All of them as one object, those that are fields included as far as they are set. */
cJSON *message_headers(const struct message *m);
/* Sets a header from JSON: string, whole number (int32 or int64), double, bool, null, array,
 * object. Known names must be set by their fields. */
int message_set_header(struct message *m, const char *name, const cJSON *value, struct err *e);

/* Takes out the headers whose names begin so; those that are fields stay. */
void message_drop_headers(struct message *m, const char *prefix);

#endif
