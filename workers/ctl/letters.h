/* SPDX-License-Identifier: MIT */
/* letters: a choice of dead letters: by their ids, or by what they have in common. */
#ifndef CTL_LETTERS_H
#define CTL_LETTERS_H

#include <stddef.h>
#include <stdint.h>

#include "workers/ctl/letter.h"

struct ctl;
struct err;

struct letters {
	const char *queue, *task, *cause, *fingerprint, *since;	/* options as typed; NULL = any */
	char since_iso[40];
};

#define LETTERS_QUEUE_OPTION(l) { "queue", "NAME", "only those of this queue", &(l)->queue, NULL }
#define LETTERS_TASK_OPTION(l) { "task", "NAME", "only this task's", &(l)->task, NULL }
#define LETTERS_CAUSE_OPTION(l) \
	{ "cause", "CAUSE", "only this cause: lost, exhausted, malformed, ...", &(l)->cause, NULL }
#define LETTERS_FINGERPRINT_OPTION(l) \
	{ "fingerprint", "F", "only this group (its first letters will do)", &(l)->fingerprint, NULL }
#define LETTERS_SINCE_OPTION(l) \
	{ "since", "WHEN", "died since then: a duration or a time", &(l)->since, NULL }

/* The condition over jobfleet.dead_letters and its five parameters. */
#define LETTERS_WHERE \
	"($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR task = $2 OR task LIKE '%.' || $2)" \
	" AND ($3::text IS NULL OR cause = $3)" \
	" AND ($4::text IS NULL OR starts_with(fingerprint, $4))" \
	" AND ($5::timestamptz IS NULL OR died_at >= $5)"
#define LETTERS_PARAMS(l) \
	PG_TEXT((l)->queue), PG_TEXT((l)->task), PG_TEXT((l)->cause), PG_TEXT((l)->fingerprint), \
	PG_TEXT((l)->since ? (l)->since_iso : NULL)

/* Checks the options and reads --since. */
int letters_init(struct letters *l, struct err *e);
/* The dead ones' ids as text, oldest first, NULL-terminated, each malloc'ed like the list: those of
 * operands if there are some, else what fits the options. -ERR_USAGE: both or neither is given. */
int letters_choose(const struct letters *l, struct ctl *c, char *const *operands, char ***ret,
		   size_t *ret_n, struct err *e);
void letters_free(char **ids);

typedef int letters_act(void *ctx, struct letter *l, struct pg *p, struct err *e);
/* One letter in a transaction of its own, so that one that cannot be moved holds up no other. */
int letters_move(struct ctl *c, const char *id, letters_act *act, void *ctx, struct err *e);

#endif
