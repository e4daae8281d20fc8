/* SPDX-License-Identifier: MIT */
/* markup: text put into HTML and SVG so that none of it becomes an element, an attribute or an
 * entity, whoever wrote it. What is no UTF-8 is read as Windows-1252; characters that HTML does not
 * know, that steer a terminal, or that turn the direction of what follows are shown as U+FFFD. */
#ifndef CTL_MARKUP_H
#define CTL_MARKUP_H

struct buf;

/* Also fit for an attribute in double quotes. NULL is nothing. */
void markup_text(struct buf *out, const char *text);
/* The same as one line of at most so many columns (an East Asian character takes two), the last of
 * them "…" if something was left out. */
void markup_line(struct buf *out, const char *text, int columns);

#endif
