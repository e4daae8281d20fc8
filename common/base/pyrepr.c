/* SPDX-License-Identifier: MIT */
#include "common/base/pyrepr.h"

#include "common/base/buf.h"
#include "common/base/utf8.h"

static const char CUT[] = "...";

struct repr {
	struct buf *out;
	const char *at, *end;
	size_t first, max;		/* out's length before; bytes that may come */
	int depth, commas;
};

static bool is_full(const struct repr *r)
{
	return r->out->len - r->first > r->max - sizeof CUT;
}

static bool starts_with(const struct repr *r, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(r->end - r->at) >= n && memcmp(r->at, word, n) == 0;
}

static int hex4(const struct repr *r)
{
	int v = 0;

	if (r->end - r->at < 6)
		return -1;
	for (int i = 2; i < 6; i++) {
		char c = r->at[i];

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v * 16 + ((c | 32) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static void put_character(struct buf *out, uint32_t v)
{
	if (v == '\n' || v == '\r' || v == '\t')
		buf_printf(out, "\\%c", v == '\n' ? 'n' : v == '\r' ? 'r' : 't');
	else if (v < 0x20 || v == 0x7f)
		buf_printf(out, "\\x%02x", (unsigned)v);
	else
		utf8_append(out, v);
}

static void put_unicode_escape(struct repr *r, char quote)
{
	int high = hex4(r), low;

	if (high < 0) {
		r->at = r->end;
		return;
	}
	r->at += 6;
	if (high >= 0xd800 && high < 0xe000) {
		low = r->end - r->at > 1 && r->at[0] == '\\' && r->at[1] == 'u' ? hex4(r) : -1;
		if (high >= 0xdc00 || low < 0xdc00 || low >= 0xe000) {
			buf_printf(r->out, "\\u%04x", (unsigned)high);
			return;
		}
		r->at += 6;
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	if (high == quote || high == '\\')
		buf_putc(r->out, '\\');
	put_character(r->out, (uint32_t)high);
}

static void put_escape(struct repr *r, char quote)
{
	char c = r->end - r->at > 1 ? r->at[1] : '\0';

	if (c == 'u') {
		put_unicode_escape(r, quote);
		return;
	}
	r->at += c ? 2 : 1;
	if (c == '"' || c == '/')
		buf_putc(r->out, c);
	else if (c == 'b' || c == 'f')
		buf_puts(r->out, c == 'b' ? "\\x08" : "\\x0c");
	else if (c)
		buf_printf(r->out, "\\%c", c);
}

/* Python quotes with ' unless the text has one and no ". */
static char quote_of(const struct repr *r)
{
	char quote = '\'';

	for (const char *p = r->at + 1; p < r->end && *p != '"'; p++) {
		if (*p == '\'')
			quote = '"';
		if (*p == '\\' && p + 1 < r->end && *++p == '"')
			return '\'';
	}
	return quote;
}

static void put_string(struct repr *r)
{
	char quote = quote_of(r);

	r->at++;
	buf_putc(r->out, quote);
	while (r->at < r->end && *r->at != '"' && !is_full(r)) {
		/* never in the middle of a UTF-8 sequence */
		do {
			if (*r->at == '\\') {
				put_escape(r, quote);
				break;
			}
			if (*r->at == quote)
				buf_putc(r->out, '\\');
			buf_putc(r->out, *r->at++);
		} while (r->at < r->end && ((unsigned char)*r->at & 0xc0) == 0x80);
	}
	if (r->at < r->end && *r->at == '"') {
		r->at++;
		buf_putc(r->out, quote);
	}
}

static void put_word(struct repr *r, size_t skip, const char *word)
{
	r->at += skip;
	buf_puts(r->out, word);
}

static void put_bracket(struct repr *r, bool tuple)
{
	char c = *r->at++;

	if (c == ']' || c == '}')
		r->depth--;
	if (tuple && r->depth == 0 && c == '[')
		c = '(';
	if (tuple && r->depth == 0 && c == ']') {
		if (r->commas == 0 && r->out->len - r->first > 1)
			buf_putc(r->out, ',');
		c = ')';
	}
	if (c == '[' || c == '{' || c == '(')
		r->depth++;
	buf_putc(r->out, c);
}

static void put_token(struct repr *r, bool tuple)
{
	char c = *r->at;

	if (c == '"')
		put_string(r);
	else if (c == '[' || c == ']' || c == '{' || c == '}')
		put_bracket(r, tuple);
	else if (starts_with(r, "true"))
		put_word(r, 4, "True");
	else if (starts_with(r, "false"))
		put_word(r, 5, "False");
	else if (starts_with(r, "null"))
		put_word(r, 4, "None");
	else if (starts_with(r, "NaN"))
		put_word(r, 3, "nan");
	else if (starts_with(r, "Infinity"))
		put_word(r, 8, "inf");
	else if (c == ',' || c == ':') {
		r->commas += c == ',' && r->depth == 1;
		put_word(r, 1, c == ',' ? ", " : ": ");
	} else {
		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			buf_putc(r->out, c);
		r->at++;
	}
}

/* The last piece may have gone past the end. */
static void cut(struct repr *r)
{
	size_t n = r->out->len - r->first, room = r->max - (sizeof CUT - 1);

	if (n > room)
		r->out->len = r->first + utf8_cut(buf_text(r->out) + r->first, n, room);
	buf_puts(r->out, CUT);
}

void pyrepr_put(struct buf *out, const char *json, size_t len, bool tuple, size_t max)
{
	struct repr r = { .out = out, .at = json, .end = json + len, .first = out->len,
			  .max = max };

	while (r.at < r.end && !is_full(&r))
		put_token(&r, tuple);
	if (r.at < r.end || out->len - r.first > max)
		cut(&r);
}
