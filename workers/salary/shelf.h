/* SPDX-License-Identifier: MIT */
/* shelf: what the sources have said lately, in parts, so that many questions cost few calls.
 *
 * A part is the least that a source can be asked for by itself: one series, one cell of a table,
 * else a whole call (question.h says which). It is what was said, or only wanted so far.
 * Parts are kept in jobfleet.salary_parts, so that a repeat, and another sync, goes on where one
 * ended. How long a part is taken for granted goes by how often its source tells something new:
 * wages and census tables once a year (a weekly sync asks again), unemployment and FRED's series
 * monthly (a daily one does).
 * A source in trouble (refused, quota used up, away) is not asked again by this shelf.
 * Ownership: parts belong to the shelf and stay where they are until shelf_free. */
#ifndef SALARY_SHELF_H
#define SALARY_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct shelf;

#define SHELF_SOURCE_SIZE 16

struct part {
	char source[SHELF_SOURCE_SIZE];
	char *name;			/* as question.h forms it */
	char *text;			/* JSON; "" = the source knows no such thing; NULL = wanted */
	char *key_parameter;		/* of a whole call that is wanted; else NULL */
	bool wanted, free_of_charge;
	bool bought;			/* asked for by this shelf: it cost (part of) a call */
};

struct shelf *shelf_new(void);
void shelf_free(struct shelf *s);

/* Takes what the table has that is fresh and not older than since_s (epoch; 0 = any fresh one), for
 * what is not here yet. */
int shelf_load(struct shelf *s, struct pg *pg, int64_t since_s, struct err *e);
/* Writes a part that is here into the table. */
int shelf_save(struct pg *pg, const struct part *p, struct err *e);
/* Parts too old for anybody go. */
int shelf_prune(struct pg *pg, struct err *e);

/* The part, wanted from now on if it is not here. */
struct part *shelf_want(struct shelf *s, const char *source, const char *name);
void shelf_put(struct part *p, const char *text, size_t len);
/* How often something was wanted, of sources not in trouble, since the last call of this. */
size_t shelf_missed(struct shelf *s);

size_t shelf_count(const struct shelf *s);
struct part *shelf_at(struct shelf *s, size_t i);	/* in order of their first mention */

/* From now on the source is not asked: code and text answer instead. */
void shelf_set_trouble(struct shelf *s, const char *source, int code, const char *text);
/* 0 = none; else the code, and the text in e. */
int shelf_trouble(const struct shelf *s, const char *source, struct err *e);
const char *shelf_trouble_text(const struct shelf *s, size_t i);	/* NULL past the last one */

#endif
