/* SPDX-License-Identifier: MIT */
#include "common/base/buf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <stdarg.h>

#include "common/base/err.h"
#include "common/base/mem.h"

enum { FIRST_BYTES = 256 };

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->data)
		b->data[0] = '\0';
}

char *buf_reserve(struct buf *b, size_t n)
{
	size_t need = b->len + n, cap = b->cap ? b->cap : FIRST_BYTES;

	if (n > b->max || need > b->max) {
		b->overflow = true;
		return NULL;
	}
	if (need + 1 > b->cap) {
		while (cap < need + 1)
			cap *= 2;
		b->data = mem_realloc(b->data, cap);
		b->data[b->len] = '\0';
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_commit(struct buf *b, size_t n)
{
	assert(b->len + n < b->cap);
	b->len += n;
	b->data[b->len] = '\0';
}

int buf_append(struct buf *b, const void *p, size_t n)
{
	char *room = buf_reserve(b, n);

	if (!room)
		return -ERR_TOO_BIG;
	if (n)
		memcpy(room, p, n);
	buf_commit(b, n);
	return 0;
}

int buf_puts(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int buf_putc(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	char *room;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	room = n < 0 ? NULL : buf_reserve(b, (size_t)n);
	if (room) {
		vsnprintf(room, (size_t)n + 1, fmt, again);
		buf_commit(b, (size_t)n);
	}
	va_end(again);
	return room ? 0 : -ERR_TOO_BIG;
}

int buf_put_u8(struct buf *b, uint8_t v)
{
	return buf_append(b, &v, sizeof v);
}

int buf_put_u16(struct buf *b, uint16_t v)
{
	v = htons(v);
	return buf_append(b, &v, sizeof v);
}

int buf_put_u32(struct buf *b, uint32_t v)
{
	v = htonl(v);
	return buf_append(b, &v, sizeof v);
}

int buf_put_u64(struct buf *b, uint64_t v)
{
	v = htobe64(v);
	return buf_append(b, &v, sizeof v);
}

/* One code point of UTF-8 from s into *cp; the bytes it took, or 0 for a broken sequence. */
static size_t utf8_next(const unsigned char *s, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xE0) == 0xC0 ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 :
		   (s[0] & 0xF8) == 0xF0 ? 4 : 0;

	if (n == 0)
		return 0;
	*cp = n == 1 ? s[0] : s[0] & (0xFFu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3F);
	}
	if (*cp < least[n] || *cp > 0x10FFFF || (*cp >= 0xD800 && *cp <= 0xDFFF))
		return 0;
	return n;
}

static int put_escaped(struct buf *b, uint32_t cp)
{
	switch (cp) {
	case '"': return buf_puts(b, "\\\"");
	case '\\': return buf_puts(b, "\\\\");
	case '\n': return buf_puts(b, "\\n");
	case '\r': return buf_puts(b, "\\r");
	case '\t': return buf_puts(b, "\\t");
	default: break;
	}
	if (cp >= 0x20 && cp < 0x7F)
		return buf_putc(b, (char)cp);
	if (cp < 0x10000)
		return buf_printf(b, "\\u%04x", cp);
	cp -= 0x10000;
	return buf_printf(b, "\\u%04x\\u%04x", 0xD800 + (cp >> 10), 0xDC00 + (cp & 0x3FF));
}

int buf_put_json_string(struct buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	int r = buf_putc(b, '"');

	while (*p && r == 0) {
		uint32_t cp = 0;
		size_t n = utf8_next(p, &cp);

		r = put_escaped(b, n ? cp : 0xFFFD);
		p += n ? n : 1;
	}
	return r ? r : buf_putc(b, '"');
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	b->data[b->len] = '\0';
}

bool buf_overflowed(const struct buf *b)
{
	return b->overflow;
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *p = b->data ? b->data : mem_strdup("");

	*b = (struct buf){ .max = b->max };
	return p;
}
