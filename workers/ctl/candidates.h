/* SPDX-License-Identifier: MIT */
/* candidates: what may stand at the cursor of a command line that somebody is typing.
 *
 * Commands, methods and options are read from the commands' own --help, so they are always those
 * there are; names of queues, tasks and programs are queues.conf's. */
#ifndef CTL_CANDIDATES_H
#define CTL_CANDIDATES_H

#include <stddef.h>
#include <stdio.h>

struct conf;

/* words: what stands before the cursor, without the program's name; typed: the word at the cursor.
 * conf may be NULL: no names then. One candidate a line, each beginning with typed; an option that
 * wants a value ends in '='. */
void candidates_print(const struct conf *conf, char *const *words, size_t n, const char *typed,
		      FILE *out);

#endif
