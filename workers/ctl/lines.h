/* SPDX-License-Identifier: MIT */
/* lines: a file, pipe or terminal line by line; while nothing comes, idle gets its turn. */
#ifndef CTL_LINES_H
#define CTL_LINES_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct lines;

/* path "-" = stdin. Every 50 ms of waiting idle(ctx) is called; it answers 0 to go on waiting. */
int lines_open(struct lines **ret, const char *path, size_t most_bytes, int (*idle)(void *ctx),
	       void *ctx, struct err *e);
void lines_close(struct lines *l);
int64_t lines_size(const struct lines *l);	/* bytes of a regular file, else 0 */

/* 1 = a line without its end, valid until the next call; *ret_text is NULL for one of more than
 * most_bytes. 0 = end, or idle wanted no more. */
int lines_next(struct lines *l, const char **ret_text, size_t *ret_len, struct err *e);

#endif
