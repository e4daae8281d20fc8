/* SPDX-License-Identifier: MIT */
/* lexicon: the words of a posting, read once for all who look for words in them.
 *
 * One pass over the text finds skills (skills.h), benefits (benefits.h) and the degree asked for
 * (education.h): their tables share one hash table of phrases of one to six words, so that a word
 * costs one look-up whoever wants it. The table is built at the first use or by lexicon_prepare,
 * which a program calls before it forks, so that its children share the pages (under 600 kB).
 * Not thread-safe at first use; pure otherwise; linear in the text. */
#ifndef WORKERS_PROCESSING_LEXICON_H
#define WORKERS_PROCESSING_LEXICON_H

#include <stddef.h>

struct skills;
struct benefits;
struct education;

void lexicon_prepare(void);
/* As skills_find, benefits_find and education_find do, at once; NULL for what is not wanted. */
void lexicon_read(const char *text, size_t len, struct skills *skills, struct benefits *benefits,
		  struct education *education);

#endif
