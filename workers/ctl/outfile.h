/* SPDX-License-Identifier: MIT */
/* outfile: a whole text into a file that somebody named. */
#ifndef CTL_OUTFILE_H
#define CTL_OUTFILE_H

#include <stddef.h>

struct err;

/* A regular file appears whole or not at all: written beside its place, then renamed over what is
 * there (through a symbolic link, with the mode of what it replaces). What is no regular file is
 * written to as it stands; "-" is standard output. -ERR_USAGE: the path cannot be; -ERR_IO: no room
 * or another fault, and then what was there before stays. */
int outfile_put(const char *path, const char *text, size_t len, struct err *e);

#endif
