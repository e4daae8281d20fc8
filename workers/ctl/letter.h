/* SPDX-License-Identifier: MIT */
/* letter: one row of jobfleet.dead_letters, read, printed, replayed or dropped. */
#ifndef CTL_LETTER_H
#define CTL_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct message;
struct pg;
struct pg_rows;

struct letter {
	int64_t id;
	const char *task_id, *task, *queue, *cause, *reason, *detail, *state, *died_at;	/* "" = none */
	int generation;
	void *props, *body;	/* NULL = none kept */
	size_t props_len, body_len;
	struct pg_rows *rows;	/* what the texts are borrowed from */
};

/* id is text as typed. lock: for update, in p's transaction. -ERR_NOT_FOUND; -ERR_USAGE. */
int letter_load(struct letter *ret, struct pg *p, const char *id, bool lock, struct err *e);
void letter_release(struct letter *l);
void letter_print(const struct letter *l, bool json, FILE *out);

/* The message that a replay sends: of the next generation, with fresh retries, due now. m is
 * initialised here; release it, also after an error. -ERR_CONFLICT: not dead any more;
 * -ERR_INVALID: no message can be made of it. */
int letter_message(const struct letter *l, struct message *m, struct err *e);

/* In p's transaction. replay puts that message into jobfleet.pending, for queue; NULL = the
 * letter's. */
int letter_replay(const struct letter *l, const struct message *m, struct pg *p, const char *queue,
		  struct err *e);
int letter_drop(const struct letter *l, struct pg *p, struct err *e);

#endif
