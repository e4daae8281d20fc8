/* SPDX-License-Identifier: MIT */
/* plan: which sources an order goes to, and what each is asked.
 *
 * An order that names sources goes to them in its own order; one that names none goes to every
 * source that queues.conf enables and that a file serves, the weightiest first.
 * What a source is asked follows from its kind: a search each pair of query and location, a feed
 * one question whatever is wanted, a board each name in its `boards` (without any it is not asked).
 * Postings by id are one question to a source that takes so many at once, and none to the others.
 * Ownership: everything is borrowed from the order, the configuration and the plan. */
#ifndef WORKERS_COLLECTION_PLAN_H
#define WORKERS_COLLECTION_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "sources/source.h"

struct conf;
struct conf_source;
struct err;
struct order;

enum { PLAN_SOURCES = 64, PLAN_BOARDS = 500, PLAN_BOARD_BYTES = 100 };

struct plan_source {
	const struct conf_source *conf;
	const struct source *source;
	const char *key, *id;		/* of struct source_ask */
	bool keyless;			/* needs a key and has none */
	const char *backup_of;		/* the source that it stands in for; NULL */
};

struct plan {
	struct plan_source sources[PLAN_SOURCES];
	size_t n;
	bool all;			/* the order named none */
};

/* -ERR_INVALID: no such source, or none of postings; -ERR_REFUSED: one is disabled; -ERR_CONFIG:
 * none was named and none is enabled. */
int plan_make(struct plan *ret, const struct conf *conf, const struct order *order, struct err *e);
/* The backup of s, if there is one that can be asked and that is not in the plan: true. */
bool plan_backup(const struct plan *plan, const struct conf *conf, const struct plan_source *s,
		 struct plan_source *ret);

/* How many questions there are for this source. */
int plan_questions(const struct plan_source *s, const struct order *order);
/* Fills what the numbered question asks. board (PLAN_BOARD_BYTES) holds its board's name. */
void plan_question(const struct plan_source *s, const struct order *order, int number,
		   char board[PLAN_BOARD_BYTES], struct source_ask *ret);

#endif
