/* SPDX-License-Identifier: MIT */
/* conf_text: the text of one configuration file, read whole and made fit for libconfuse.
 *
 * libconfuse 3.3 (Debian 12) counts every comment line three times, drops characters outside
 * quotes that it does not know ('*', a lone '+'), takes an unclosed comment for the end of the
 * file, and begins the next file inside the string that this one left open. So comments are
 * blanked here (line feeds stay) and the rest of that list is refused with its line.
 * Limits: CONF_TEXT_BYTES a file, CONF_TEXT_DEPTH open braces. Text is UTF-8. */
#ifndef COMMON_BASE_CONF_TEXT_H
#define COMMON_BASE_CONF_TEXT_H

#include <stdbool.h>

struct conf_faults;

enum { CONF_TEXT_BYTES = 1024 * 1024, CONF_TEXT_DEPTH = 4 };

/* The text, malloc'ed; NULL after adding a fault, which is laid to line `line` of the file `from`
 * that includes this one (NULL: none does). */
char *conf_text_load(const char *path, const char *from, int line, struct conf_faults *faults);

/* Blanks and checks text in place; false after adding faults that name file. */
bool conf_text_clean(char *text, const char *file, struct conf_faults *faults);

#endif
