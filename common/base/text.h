/* SPDX-License-Identifier: MIT */
/* text: whatever a provider calls text, made into clean UTF-8.
 *
 * Repaired on the way: HTML (once or twice escaped), bytes that are no UTF-8 (read as
 * Windows-1252), UTF-8 that was decoded as Latin-1 once too often ("donâ\x80\x99t"), every kind
 * of space and invisible character, U+2010/U+2011 (to '-'), U+FFFD where a hyphen or an
 * apostrophe stood, combining marks (to composed letters).
 * Pure, linear, never fails; what is longer than its limit is cut between two characters. */
#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum { TEXT_MAX_BYTES = 256 * 1024 };	/* of one description; the longest seen is 40 kB */

/* Lines and paragraphs kept (at most one empty line between), spaces collapsed, ends trimmed. */
void text_clean(const char *text, size_t len, struct buf *out);
/* The same as one line, at most size - 1 bytes. Returns its length. NULL gives "". */
size_t text_line(const char *text, char *out, size_t size);
/* For matching: letters and digits in lower case without accents, '+' and '#' (C++, C#), and one
 * space where anything else stood. text is clean UTF-8. Returns the length. */
size_t text_fold(const char *text, char *out, size_t size);

/* The same bytes with those that are no UTF-8 read as Windows-1252: what PostgreSQL takes. */
void text_to_utf8(const char *text, size_t len, struct buf *out);

/* Does the folded text hold the folded word (or words) as a whole? */
bool text_has_word(const char *folded, const char *word);

#endif
