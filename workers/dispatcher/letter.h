/* SPDX-License-Identifier: MIT */
/* letter: one dead letter on its way into jobfleet.dead_letters.
 *
 * Texts may come from any peer: letter_store makes them clean UTF-8 of bounded length first.
 * Letters with equal fingerprints died of the same thing: cause, queue, task and reason are the
 * same but for numbers and ids. */
#ifndef DISPATCHER_LETTER_H
#define DISPATCHER_LETTER_H

#include <stddef.h>

struct err;
struct pg;

struct letter {
	const char *mail_id;	    /* unique: a second letter with it adds nothing */
	const char *task_id, *task; /* NULL = not known */
	int generation, retries;
	const char *queue, *cause, *reason;
	const char *detail;	  /* JSON object; NULL = {} */
	const void *props, *body; /* NULL with length 0 = none */
	size_t props_len, body_len;
};

/* In p's transaction, or alone. With a task id that has no final outcome yet, a FAILURE result
 * (for cause "expired" a REVOKED one) goes to jobfleet.result_backlog as well.
 * 1 = stored, 0 = was there already. */
int letter_store(struct pg *p, const struct letter *l, struct err *e);

#endif
