/* SPDX-License-Identifier: MIT */
/* buf: a growing byte buffer with a mandatory maximum.
 *
 * Invariant: data[len] is NUL once anything was written, so text can be read in place.
 * A write that would pass `max` writes nothing and returns -ERR_TOO_BIG; the buffer also
 * remembers it (buf_overflowed), so that a chain of appends may be checked once at its end.
 * Ownership: init/release embed it; buf_take hands the bytes to the caller (free()). */
#ifndef COMMON_BASE_BUF_H
#define COMMON_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len, cap, max;
	bool overflow;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_release(struct buf *b);
void buf_clear(struct buf *b);			/* keeps the memory */

int buf_append(struct buf *b, const void *p, size_t n);
int buf_puts(struct buf *b, const char *s);
int buf_putc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_put_u8(struct buf *b, uint8_t v);
int buf_put_u16(struct buf *b, uint16_t v);	/* network byte order, as the next ones */
int buf_put_u32(struct buf *b, uint32_t v);
int buf_put_u64(struct buf *b, uint64_t v);
int buf_put_json_string(struct buf *b, const char *s);	/* quoted and escaped, ASCII only as Python does */

/* Room for n more bytes at data+len; returns NULL past the maximum. Then buf_commit(n used). */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);
void buf_consume(struct buf *b, size_t n);	/* drops n bytes from the front */
bool buf_overflowed(const struct buf *b);
const char *buf_text(const struct buf *b);	/* never NULL */
char *buf_take(struct buf *b);			/* the bytes, NUL-terminated; buf is empty after */

#endif
