/* SPDX-License-Identifier: MIT */
/* What the lexicon finds, as skills, benefits and education are told of it. */
#ifndef WORKERS_PROCESSING_LEXICON_PRIVATE_H
#define WORKERS_PROCESSING_LEXICON_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/processing/words.h"

struct skills;
struct benefits;
struct education;

enum lexicon_kind { LEXICON_SKILL, LEXICON_BENEFIT, LEXICON_DEGREE, LEXICON_KINDS };

/* What stands before an alias in the files: how it must be written, or where, to count. */
enum lexicon_mark {
	MARK_NONE,
	MARK_EXACT,			/* '!': with these capitals */
	MARK_CAPITAL,			/* '^': with a capital that no sentence's beginning explains */
	MARK_STRICT,			/* '?': an everyday word or a letter: where a technology stands */
	MARK_SOFT,			/* '*': an everyday noun: where an ability stands */
	MARK_SPOKEN,			/* '~': a language's or a people's name: where one is spoken */
};

/* Words that say something about their neighbours (skills.c has the lists). */
enum lexicon_cue {
	CUE_BEFORE = 1,			/* "in", "using": a technology may follow */
	CUE_BEFORE_WEAK = 2,		/* "and", "with": if a mark follows it */
	CUE_AFTER = 4,			/* "developer": a technology may stand before */
	CUE_NEVER_BEFORE = 8,		/* "vitamin" */
	CUE_NEVER_AFTER = 16,		/* "market" */
	CUE_AND = 32,
	CUE_SOFT_BEFORE = 64,		/* "strong" */
	CUE_SOFT_AFTER = 128,		/* "skills" */
	CUE_SPOKEN = 256,		/* "fluent" */
};

/* A phrase found in a text. */
struct spot {
	const struct word *words;	/* of the text, or a long part of it */
	size_t n, at, taken;		/* words[at … at + taken) are the phrase's */
	const char *begin, *end;	/* of the text */
	unsigned id;
	enum lexicon_mark mark;
	uint8_t capitals;		/* of the alias's first word: bit i = its letter i is one */
};

/* For files of lines "name, tab, group, tab, aliases separated by '|'"; '#' begins a comment. */
typedef void lexicon_name_fn(const char *name, size_t len);
void lexicon_add_file(enum lexicon_kind kind, const char *file, const char *end,
		      lexicon_name_fn *name);
void lexicon_add_alias(enum lexicon_kind kind, const char *text, size_t len, unsigned id);
void lexicon_add_cue(const char *words, enum lexicon_cue cue);	/* separated by blanks */

/* Of the text's word: its cues, 0 for NULL. */
unsigned lexicon_cues(const struct word *w);
/* The longest phrase of this kind that begins at words[at]; false: none. */
bool lexicon_match(enum lexicon_kind kind, const struct word *words, size_t n, size_t at,
		   struct spot *ret);

/* Each adds what it looks for to the lexicon, once. */
void skills_prepare(void);
void benefits_prepare(void);
void education_prepare(void);

/* Returns the words that are taken as a skill; 0: it is none here. */
bool skills_meet(struct skills *s, const struct spot *spot);
void benefits_meet(struct benefits *b, const struct spot *spot);
void education_meet(struct education *e, const struct spot *spot);

#endif
