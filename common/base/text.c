/* SPDX-License-Identifier: MIT */
#include "common/base/text.h"

#include <ctype.h>
#include <endian.h>
#include <stdint.h>
#include <utf8proc.h>

#include "common/base/buf.h"
#include "common/base/html.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

enum { DROPPED = 0, HARD_LIMIT_FACTOR = 2 };

/* UTF-8 read as Latin-1 or Windows-1252: a lead byte's character followed by those of
 * continuation bytes. Only what Western text consists of is believed (Latin letters, punctuation,
 * the euro sign, emoji), so that „Spaß“ stays what it is. */
static uint32_t mojibake_at(const char *p, const char *end, size_t *ret_bytes)
{
	size_t used, step;
	uint32_t lead = utf8_next(p, end, &used);
	int need = lead == 0xE2 || lead == 0xEF ? 2 : lead == 0xF0 ? 3 : 1;
	char raw[4] = { (char)lead };
	uint32_t cp;

	if (!((lead >= 0xC2 && lead <= 0xC5) || lead == 0xE2 || lead == 0xEF || lead == 0xF0))
		return 0;
	for (int i = 1; i <= need; i++) {
		int byte;

		if (p + used >= end)
			return 0;
		byte = utf8_to_cp1252(utf8_next(p + used, end, &step));
		if (byte < 0x80 || byte > 0xBF)
			return 0;
		raw[i] = (char)byte;
		used += step;
	}
	cp = utf8_next(raw, raw + need + 1, &step);
	if (step != (size_t)need + 1 || (lead == 0xE2 && (cp < 0x2010 || cp > 0x27BF)) ||
	    (lead == 0xEF && cp != 0xFEFF && cp != 0xFFFD) || (lead == 0xF0 && cp < 0x1F000))
		return 0;
	*ret_bytes = used;
	return cp;
}

static bool is_letter(uint32_t cp)
{
	return cp < 0x80 ? isalpha((int)cp) : cp >= 0xC0 && cp != 0xD7 && cp != 0xF7 && cp < 0x2000;
}

/* A replacement character stands for what somebody's decoder lost: an apostrophe before the
 * endings English and French hang on one, else a hyphen between letters, else nothing. */
static uint32_t lost_character(const struct buf *out, const char *rest, const char *end)
{
	static const char *const ENDINGS[] = { "s", "t", "re", "ve", "ll", "d", "m" };
	size_t n, len = 0;

	if (out->len == 0 || !isalpha((unsigned char)out->data[out->len - 1]) || rest >= end ||
	    !is_letter(utf8_next(rest, end, &n)))
		return DROPPED;
	while (rest + len < end && isalpha((unsigned char)rest[len]))
		len++;
	for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++)
		if (strlen(ENDINGS[i]) == len && !memcmp(rest, ENDINGS[i], len))
			return '\'';
	return '-';
}

/* What a character above ASCII becomes; DROPPED for the invisible ones. */
static uint32_t mapped(uint32_t cp)
{
	if (cp < 0xA0)
		return cp == 0x85 ? '\n' : DROPPED;
	switch (cp) {
	case 0xA0: case 0x202F: case 0x205F: case 0x3000: case 0x1680:
		return ' ';
	case 0xAD: case 0x200B: case 0x200C: case 0x200D: case 0x200E: case 0x200F: case 0x2060:
	case 0xFEFF: case 0x180E:
		return DROPPED;
	case 0x2010: case 0x2011: case 0x2212: case 0xFE63: case 0xFF0D:
		return '-';
	case 0x2028: case 0x2029:
		return '\n';
	case 0xF0B7: case 0xF0A7:		/* Word's bullets, from its Symbol and Wingdings fonts */
		return 0x2022;
	default:
		break;
	}
	if (cp >= 0x2000 && cp <= 0x200A)
		return ' ';
	if ((cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069))
		return DROPPED;
	return cp;
}

/* White space to come is only counted, so that runs collapse and ends are trimmed for free. */
struct gap {
	bool space;
	int lines;
};

static void put_gap(struct buf *out, struct gap *gap)
{
	if (out->len > 0) {
		if (gap->lines)
			buf_append(out, "\n\n", gap->lines > 1 ? 2 : 1);
		else if (gap->space)
			buf_putc(out, ' ');
	}
	*gap = (struct gap){ 0 };
}

static void put_cp(struct buf *out, struct gap *gap, uint32_t cp)
{
	if (cp == DROPPED)
		return;
	if (cp == '\n') {
		gap->lines++;
	} else if (cp == ' ') {
		gap->space = true;
	} else {
		put_gap(out, gap);
		utf8_append(out, cp);
	}
}

/* Reads one character above ASCII at p; returns the bytes it took. */
static size_t put_special(struct buf *out, struct gap *gap, const char *p, const char *end,
			  bool *marks)
{
	size_t n;
	uint32_t cp = utf8_next(p, end, &n), repaired;

	if (cp >= 0xC2 && cp <= 0xF0) {
		size_t used;

		repaired = mojibake_at(p, end, &used);
		if (repaired) {
			cp = repaired;
			n = used;
		}
	}
	if (cp == 0xFFFD)
		cp = gap->space || gap->lines ? DROPPED : lost_character(out, p + n, end);
	else
		cp = mapped(cp);
	if (cp >= 0x300 && cp < 0x370)
		*marks = true;
	put_cp(out, gap, cp);
	return n;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The high bit of each byte of x that is zero. */
static uint64_t zero_bytes(uint64_t x)
{
	return ~(((x & EACH(0x7F)) + EACH(0x7F)) | x | EACH(0x7F));
}

/* ASCII without controls and with single spaces is the bulk of every description: how much of it
 * stands at p, looked at eight bytes at a time. No space begins or ends it. */
static size_t plain_run(const char *p, const char *end)
{
	const char *q = p;
	uint64_t eight, spaces, before = 0x80;

	for (; end - q >= 8; q += 8) {
		memcpy(&eight, q, sizeof eight);
		eight = le64toh(eight);
		spaces = zero_bytes(eight ^ EACH(' '));
		if ((((eight - EACH(' ')) & ~eight) | eight) & EACH(0x80) ||
		    zero_bytes(eight ^ EACH(0x7F)) || spaces & (spaces << 8 | before))
			break;
		before = spaces >> 56;
	}
	while (q < end && *q >= ' ' && *q < 0x7F && !(*q == ' ' && (q == p || q[-1] == ' ')))
		q++;
	while (q > p && q[-1] == ' ')
		q--;
	return (size_t)(q - p);
}

/* Characters that stay as they are and begin no mojibake: letters with marks but those few, and
 * the dashes, quotes and bullets of U+2013 to U+2026. Returns their bytes, 0 for any other. */
static size_t kept_as_is(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;

	if (u[0] == 0xC3 && end - p > 1 && u[1] >= 0x80 && u[1] <= 0xBF)
		return u[1] >= 0x86 && u[1] != 0xA2 && u[1] != 0xAF && u[1] != 0xB0 ? 2 : 0;
	if (u[0] == 0xE2 && end - p > 2 && u[1] == 0x80 && u[2] >= 0x93 && u[2] <= 0xA6)
		return 3;
	return 0;
}

static void normalise(const char *text, size_t len, struct buf *out, bool *marks)
{
	const char *p = text, *end = text + len;
	struct gap gap = { 0 };

	if (len < out->max - out->len)
		buf_reserve(out, len);
	while (p < end) {
		size_t run = plain_run(p, end);

		if (!run && (unsigned char)*p >= 0x80)
			run = kept_as_is(p, end);
		if (run) {
			put_gap(out, &gap);
			buf_append(out, p, run);
			p += run;
		} else if (*p == '\n') {
			gap.lines++;
			p++;
		} else if (*p == '\r') {
			gap.lines += p + 1 >= end || p[1] != '\n';
			p++;
		} else if ((unsigned char)*p < 0x80) {
			gap.space =
				gap.space || *p == ' ' || *p == '\t' || *p == '\v' || *p == '\f';
			p++;
		} else {
			p += put_special(out, &gap, p, end, marks);
		}
	}
}

static void compose(struct buf *out)
{
	utf8proc_uint8_t *nfc = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)out->data,
		(utf8proc_ssize_t)out->len, &nfc, UTF8PROC_STABLE | UTF8PROC_COMPOSE);

	mem_check(n == UTF8PROC_ERROR_NOMEM ? NULL : out);
	if (n >= 0) {
		buf_clear(out);
		buf_append(out, nfc, (size_t)n);
	}
	free(nfc);
}

/* Mark-up and entities, as many times as the text was escaped. Two buffers take turns. */
static void unmark(struct buf *text, struct buf *spare)
{
	struct buf t;

	if (!html_has_tags(text->data, text->len) && html_has_escaped_tags(text->data, text->len)) {
		buf_clear(spare);
		html_unescape(text->data, text->len, spare);
		t = *text, *text = *spare, *spare = t;
	}
	if (html_has_tags(text->data, text->len)) {
		buf_clear(spare);
		html_strip(buf_text(text), text->len, spare);
		t = *text, *text = *spare, *spare = t;
	}
	for (int i = 0; i < 2 && html_has_entities(buf_text(text), text->len); i++) {
		buf_clear(spare);
		html_unescape(text->data, text->len, spare);
		t = *text, *text = *spare, *spare = t;
	}
}

static void clean_marked(const char *text, size_t len, struct buf *out, bool *marks)
{
	struct buf a, b;

	buf_init(&a, HARD_LIMIT_FACTOR * TEXT_MAX_BYTES);
	buf_init(&b, HARD_LIMIT_FACTOR * TEXT_MAX_BYTES);
	buf_reserve(&a, len);
	buf_append(&a, text, len);
	unmark(&a, &b);
	normalise(buf_text(&a), a.len, out, marks);
	buf_release(&a);
	buf_release(&b);
}

void text_clean(const char *text, size_t len, struct buf *out)
{
	bool marks = false;

	if (len > TEXT_MAX_BYTES)
		len = utf8_cut(text, len, TEXT_MAX_BYTES);
	if (len == 0)
		return;
	if (html_is_marked(text, len))
		clean_marked(text, len, out, &marks);
	else
		normalise(text, len, out, &marks);
	if (marks)
		compose(out);
}

static size_t one_line(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n')
			text[n++] = text[i];
		else if (n > 0 && text[n - 1] != ' ')
			text[n++] = ' ';
	return n;
}

/* Most names and titles are clean already. */
static bool is_plain_line(const char *text, size_t len)
{
	return plain_run(text, text + len) == len && !memchr(text, '<', len) &&
		!memchr(text, '&', len);
}

size_t text_line(const char *text, char *out, size_t size)
{
	struct buf b;
	size_t n, len = text ? strlen(text) : 0;

	out[0] = '\0';
	if (len == 0)
		return 0;
	if (len < size && is_plain_line(text, len)) {
		memcpy(out, text, len + 1);
		return len;
	}
	buf_init(&b, HARD_LIMIT_FACTOR * TEXT_MAX_BYTES);
	text_clean(text, len > 8 * size ? utf8_cut(text, len, 8 * size) : len, &b);
	b.len = one_line(b.data, b.len);
	n = utf8_cut(buf_text(&b), b.len, size - 1);
	memcpy(out, buf_text(&b), n);
	buf_release(&b);
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return n;
}

/* Appends cp folded; returns the new length, or size when it does not fit. */
static size_t fold_cp(uint32_t cp, char *out, size_t n, size_t size, bool *pending_space)
{
	utf8proc_int32_t parts[8];
	int boundary = 0;
	utf8proc_ssize_t count = utf8proc_decompose_char((utf8proc_int32_t)cp, parts, 8,
		UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK |
		UTF8PROC_IGNORE, &boundary);

	if (cp == 0x2019)			/* as the ASCII apostrophe: no gap */
		return n;
	for (utf8proc_ssize_t i = 0; i < count && i < 8; i++) {
		utf8proc_category_t kind = utf8proc_category(parts[i]);
		char bytes[4];
		size_t len;

		if (kind > UTF8PROC_CATEGORY_LO && kind != UTF8PROC_CATEGORY_ND) {
			*pending_space = *pending_space || kind < UTF8PROC_CATEGORY_MN ||
				kind > UTF8PROC_CATEGORY_ME;
			continue;
		}
		len = utf8_put((uint32_t)parts[i], bytes);
		if (n + len + 1 >= size)
			return size;
		if (*pending_space && n > 0)
			out[n++] = ' ';
		*pending_space = false;
		memcpy(out + n, bytes, len);
		n += len;
	}
	return n;
}

size_t text_fold(const char *text, char *out, size_t size)
{
	const char *p = text, *end = text + strlen(text);
	bool space = false;
	size_t n = 0, step;

	while (p < end) {
		unsigned char c = (unsigned char)*p;

		if (c >= 0x80) {
			size_t next = fold_cp(utf8_next(p, end, &step), out, n, size, &space);

			if (next == size)
				break;
			n = next;
			p += step;
			continue;
		}
		p++;
		if (!isalnum(c) && c != '+' && c != '#') {
			space = space || c != '\'';
			continue;
		}
		if (n + 2 >= size)
			break;
		if (space && n > 0)
			out[n++] = ' ';
		space = false;
		out[n++] = (char)tolower(c);
	}
	out[n] = '\0';
	return n;
}

static const char *skip_ascii(const char *p, const char *end)
{
	uint64_t eight;

	for (; end - p >= 8; p += 8) {
		memcpy(&eight, p, sizeof eight);
		if (eight & EACH(0x80))
			break;
	}
	while (p < end && (unsigned char)*p < 0x80)
		p++;
	return p;
}

/* Whatever is UTF-8 already goes through in pieces. */
void text_to_utf8(const char *text, size_t len, struct buf *out)
{
	const char *p = text, *end = text + len, *from = text;

	while ((p = skip_ascii(p, end)) < end) {
		size_t n;
		uint32_t cp = utf8_next(p, end, &n);

		if (n == 1) {			/* a byte of Windows-1252 */
			buf_append(out, from, (size_t)(p - from));
			utf8_append(out, cp);
			from = p + 1;
		}
		p += n;
	}
	buf_append(out, from, (size_t)(end - from));
}

bool text_has_word(const char *folded, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = strstr(folded, word); p; p = strstr(p + 1, word))
		if ((p == folded || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}
