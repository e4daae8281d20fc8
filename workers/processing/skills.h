/* SPDX-License-Identifier: MIT */
/* skills: canonical skills in a text, found in one pass.
 *
 * The taxonomy is skills.tsv beside this file (canonical name, kind, aliases), our own compilation
 * for all occupations, linked into the program and read once into the lexicon's table
 * (lexicon.h). The longest alias at a word counts; its words are not looked at again; a plural
 * 's' at its end does not matter. A mark before an alias says when it counts:
 *   !SAS    written with these capitals
 *   ^excel  with a capital that the beginning of a sentence does not explain ("to excel at" not)
 *   ?go     an everyday word or a letter (C, Go, R, Swift, Spring, Chef …): with a capital, next to
 *           another skill in a list, or before or after a word that speaks of programming; not in
 *           "Series C", "C-level", "vitamin C", "Go to market", "R. Miller"
 *   *sales  an everyday noun: in a list of skills or beside "skills", "experience in", "strong" …
 *   ~french the name of a language: beside "fluent", "bilingual", "Kenntnisse", a CEFR level …
 * A canonical name is an alias too, and one with a mark has it in the list. Pure, linear. */
#ifndef WORKERS_PROCESSING_SKILLS_H
#define WORKERS_PROCESSING_SKILLS_H

#include <stddef.h>
#include <stdint.h>

enum { SKILLS_MAX = 64, SKILLS_TAXONOMY_MAX = 4096 };

struct skills {
	const char *names[SKILLS_MAX];		/* canonical, in order of first mention */
	size_t n;
	uint8_t seen[SKILLS_TAXONOMY_MAX / 8];
	const char *last;		/* where the text's last skill ends; for skills.c only */
};

void skills_init(struct skills *s);
/* Adds what the text mentions; past SKILLS_MAX the rest is left out. text is clean UTF-8. */
void skills_find(struct skills *s, const char *text, size_t len);
size_t skills_taxonomy_size(void);

#endif
