/* SPDX-License-Identifier: MIT */
#include "workers/ctl/markup.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "common/base/buf.h"
#include "common/base/utf8.h"

enum { UNKNOWN = 0xFFFD };

static bool is_shown(uint32_t cp)
{
	if (cp == '\n' || cp == '\t')
		return true;
	return !(cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || (cp >= 0x202A && cp <= 0x202E) ||
		 (cp >= 0x2066 && cp <= 0x2069) || (cp & 0xFFFE) == 0xFFFE ||
		 (cp >= 0xD800 && cp < 0xE000));
}

static void put(struct buf *out, uint32_t cp)
{
	switch (cp) {
	case '&':
		buf_puts(out, "&amp;");
		break;
	case '<':
		buf_puts(out, "&lt;");
		break;
	case '>':
		buf_puts(out, "&gt;");
		break;
	case '"':
		buf_puts(out, "&quot;");
		break;
	case '\'':
		buf_puts(out, "&#39;");
		break;
	default:
		utf8_append(out, is_shown(cp) ? cp : UNKNOWN);
	}
}

void markup_text(struct buf *out, const char *text)
{
	const char *end = text ? text + strlen(text) : NULL;
	size_t n;

	for (; text < end; text += n)
		put(out, utf8_next(text, end, &n));
}

static int width_of(uint32_t cp)
{
	return cp < 0x80 ? 1 : utf8proc_charwidth((utf8proc_int32_t)cp);
}

void markup_line(struct buf *out, const char *text, int columns)
{
	const char *end = text ? text + strlen(text) : NULL;
	int all = 0, used = 0;
	size_t n;

	for (const char *p = text; p < end && all <= columns; p += n)
		all += width_of(utf8_next(p, end, &n));
	for (; text < end; text += n) {
		uint32_t cp = utf8_next(text, end, &n);

		used += width_of(cp);
		if (all > columns && used >= columns) {
			utf8_append(out, 0x2026);
			return;
		}
		put(out, cp == '\n' || cp == '\t' ? ' ' : cp);
	}
}
