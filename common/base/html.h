/* SPDX-License-Identifier: MIT */
/* html: mark-up of job postings to plain text with its structure kept.
 *
 * Not an HTML parser and not for browsers: postings come with a handful of tags, often unbalanced
 * and often escaped once too often. Only the names of real HTML elements count as tags, so that
 * "List<String>" and "x < 5" in plain text stay. Linear in the input, never fails. */
#ifndef COMMON_BASE_HTML_H
#define COMMON_BASE_HTML_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Is there anything to strip or to unescape? */
bool html_is_marked(const char *text, size_t len);
bool html_has_tags(const char *text, size_t len);
bool html_has_escaped_tags(const char *text, size_t len);	/* "&lt;p&gt;" */
bool html_has_entities(const char *text, size_t len);		/* known ones only */
/* Tags out, and line ends of the source where elements make the lines; blocks, breaks, items and
 * rows become line ends, items get "• ". Comments and the content of script and style go. Entities
 * stay. */
void html_strip(const char *text, size_t len, struct buf *out);
/* One level of entities (named as HTML 4 and the usual ones of HTML 5, decimal, hexadecimal) to
 * UTF-8. */
void html_unescape(const char *text, size_t len, struct buf *out);

#endif
