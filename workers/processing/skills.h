/* SPDX-License-Identifier: MIT */
/* skills: canonical skills in a text, found in one pass.
 *
 * The taxonomy is skills.tsv beside this file (canonical name, kind, aliases), linked into the
 * program and read once at first use. An alias of one to four words is looked up at every word of
 * the text by hash, longest first; matched words are not looked at again.
 * Aliases marked '?' in the file (C, Go, R, Swift, Spring …) are also everyday words or letters:
 * they count only written as in the file's canonical name (case matters) and in context: next to
 * another skill in a list, or before or after a word that speaks of programming or experience.
 * Words are what is between blanks and punctuation, with '+', '#', and '.' inside kept: C++, C#,
 * .NET, Node.js. Not thread-safe at first use; pure otherwise; linear in the text. */
#ifndef WORKERS_PROCESSING_SKILLS_H
#define WORKERS_PROCESSING_SKILLS_H

#include <stddef.h>
#include <stdint.h>

enum { SKILLS_MAX = 64, SKILLS_TAXONOMY_MAX = 4096 };

struct skills {
	const char *names[SKILLS_MAX];		/* canonical, in order of first mention */
	size_t n;
	uint8_t seen[SKILLS_TAXONOMY_MAX / 8];
};

void skills_init(struct skills *s);
/* Adds what the text mentions; past SKILLS_MAX the rest is left out. text is clean UTF-8. */
void skills_find(struct skills *s, const char *text, size_t len);
size_t skills_taxonomy_size(void);

#endif
