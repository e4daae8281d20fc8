/* SPDX-License-Identifier: MIT */
/* dead_letter: one message that cannot go on, with its bytes and the cause. */
#ifndef COMMON_STORE_DEAD_LETTER_H
#define COMMON_STORE_DEAD_LETTER_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct message;
struct pg;

struct dead_letter {
	const char *mail_id;		/* of the mailbox message, NULL if it came another way */
	const char *task_id, *task;	/* NULL when unknown */
	int generation;
	const char *queue, *cause, *reason;
	const char *detail;		/* JSON object, NULL = {} */
	const void *props, *body;
	size_t props_len, body_len;
};

/* In p's transaction, or alone; a mail_id that is there already adds nothing, but
 * what was replayed or dropped and died again stands as dead again. Equal causes get
 * equal fingerprints: md5 of cause, task and the reason with its numbers blanked. */
int dead_letter_insert(struct pg *p, const struct dead_letter *d, struct err *e);

/* The message that sends it again: of the next generation, with fresh retries, due now. m is
 * initialised here; release it, also after an error. -ERR_INVALID: no message can be made of it. */
int dead_letter_message(const struct dead_letter *d, struct message *m, struct err *e);
/* Puts that message into jobfleet.pending for this queue, and the letter stands as replayed. In p's
 * transaction. */
int dead_letter_replay(struct pg *p, int64_t id, const struct message *m, const char *queue,
		       struct err *e);

#endif
