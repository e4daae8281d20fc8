/* SPDX-License-Identifier: MIT */
#include "common/base/utf8.h"

#include "common/base/buf.h"

/* 0x80 to 0x9F of Windows-1252; 0 = unassigned, kept as the C1 control. */
static const uint16_t CP1252[32] = {
	0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039,
	0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC,
	0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
};

static uint32_t from_cp1252(unsigned char c)
{
	return c >= 0x80 && c < 0xA0 && CP1252[c - 0x80] ? CP1252[c - 0x80] : c;
}

int utf8_to_cp1252(uint32_t cp)
{
	if (cp < 0x100)
		return (int)cp;
	for (int i = 0; i < 32; i++)
		if (CP1252[i] == cp)
			return 0x80 + i;
	return -1;
}

static size_t sequence_length(unsigned char lead)
{
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 1;
}

uint32_t utf8_next(const char *p, const char *end, size_t *ret_bytes)
{
	const unsigned char *u = (const unsigned char *)p;
	static const uint32_t LEAST[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n;
	uint32_t cp;

	*ret_bytes = 1;
	if (u[0] < 0x80)
		return u[0];
	n = sequence_length(u[0]);
	if (n == 1 || (size_t)(end - p) < n)
		return from_cp1252(u[0]);
	cp = u[0] & (0xFFu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xC0) != 0x80)
			return from_cp1252(u[0]);
		cp = cp << 6 | (u[i] & 0x3F);
	}
	if (cp < LEAST[n] || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return from_cp1252(u[0]);
	*ret_bytes = n;
	return cp;
}

size_t utf8_put(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

void utf8_append(struct buf *out, uint32_t cp)
{
	char bytes[4];

	buf_append(out, bytes, utf8_put(cp, bytes));
}

size_t utf8_cut(const char *text, size_t len, size_t limit)
{
	if (len <= limit)
		return len;
	while (limit > 0 && ((unsigned char)text[limit] & 0xC0) == 0x80)
		limit--;
	return limit;
}
