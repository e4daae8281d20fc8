/* SPDX-License-Identifier: MIT */
/* utf8: one code point at a time, quickly; bytes that are no UTF-8 are read as Windows-1252.
 *
 * utf8proc does the tables (folding, decomposition); its decoder is an extern call per code
 * point, which costs more than the rest of a description's cleaning together. */
#ifndef COMMON_BASE_UTF8_H
#define COMMON_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* The code point at p (p < end) and how many bytes it takes. An invalid byte is one code point,
 * as Windows-1252 has it. */
uint32_t utf8_next(const char *p, const char *end, size_t *ret_bytes);
/* 1 to 4 bytes into out. */
size_t utf8_put(uint32_t cp, char out[4]);
void utf8_append(struct buf *out, uint32_t cp);
/* The largest n <= limit that does not cut a character of text in two. */
size_t utf8_cut(const char *text, size_t len, size_t limit);
/* The byte that Windows-1252 (or Latin-1, for its unassigned ones) gives cp; -1: none. */
int utf8_to_cp1252(uint32_t cp);

#endif
