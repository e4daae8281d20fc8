/* SPDX-License-Identifier: MIT */
#include "common/base/raw.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "common/base/mem.h"

enum { DEPTH_MAX = 1000 };

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* All of these: the end of the value that begins at p, or NULL with *bad at the fault. */

static const char *skip_escape(const char *p, const char *end)
{
	if (p + 1 >= end)
		return NULL;
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? p + 2 : NULL;
	for (int i = 2; i < 6; i++)
		if (p + i >= end || !is_hex(p[i]))
			return NULL;
	return p + 6;
}

/* Of 8 bytes: is there a quote, a backslash or a control character? (S. E. Anderson, Bit Twiddling
 * Hacks: "Determine if a word has a byte less than n", "… equal to n".) */
static bool has_special(const char *p)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
	uint64_t v, quote, backslash;

	memcpy(&v, p, sizeof v);
	quote = v ^ ones * '"';
	backslash = v ^ ones * '\\';
	return (((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) |
		((backslash - ones) & ~backslash)) & high;
}

static const char *skip_string(const char *p, const char *end, const char **bad)
{
	for (p++;;) {
		while (end - p >= 8 && !has_special(p))
			p += 8;
		while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
			p++;
		if (p < end && *p == '"')
			return p + 1;
		*bad = p;
		p = p < end && *p == '\\' ? skip_escape(p, end) : NULL;
		if (!p)
			return NULL;
	}
}

static const char *skip_digits(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && is_digit(*p))
		p++;
	return p > from ? p : NULL;
}

static const char *skip_number(const char *p, const char *end)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = skip_digits(p, end);
	if (p && p < end && *p == '.')
		p = skip_digits(p + 1, end);
	if (p && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(p, end);
	}
	return p;
}

static const char *skip_word(const char *p, const char *end, const char *word, size_t n)
{
	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0 ? p + n : NULL;
}

static const char *skip_scalar(const char *p, const char *end)
{
#define WORD(text) skip_word(p, end, text, sizeof(text) - 1)
	switch (*p) {
	case 't': return WORD("true");
	case 'f': return WORD("false");
	case 'n': return WORD("null");
	case 'N': return WORD("NaN");
	case 'I': return WORD("Infinity");
	case '-': return p + 1 < end && p[1] == 'I' ? WORD("-Infinity") : skip_number(p, end);
	default: return is_digit(*p) ? skip_number(p, end) : NULL;
	}
#undef WORD
}

static const char *skip_value(const char *p, const char *end, int depth, const char **bad);

static const char *skip_key(const char *p, const char *end, const char **bad)
{
	*bad = p;
	if (p >= end || *p != '"')
		return NULL;
	p = skip_string(p, end, bad);
	if (!p)
		return NULL;
	p = skip_space(p, end);
	*bad = p;
	return p < end && *p == ':' ? skip_space(p + 1, end) : NULL;
}

static const char *skip_container(const char *p, const char *end, int depth, const char **bad)
{
	char close = *p == '[' ? ']' : '}';

	*bad = p;
	if (depth > DEPTH_MAX)
		return NULL;
	p = skip_space(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	for (;;) {
		if (close == '}')
			p = skip_key(p, end, bad);
		if (p)
			p = skip_value(p, end, depth + 1, bad);
		if (!p)
			return NULL;
		p = skip_space(p, end);
		*bad = p;
		if (p >= end || (*p != ',' && *p != close))
			return NULL;
		if (*p++ == close)
			return p;
		p = skip_space(p, end);
	}
}

static const char *skip_value(const char *p, const char *end, int depth, const char **bad)
{
	*bad = p;
	if (p >= end)
		return NULL;
	if (*p == '"')
		return skip_string(p, end, bad);
	if (*p == '{' || *p == '[')
		return skip_container(p, end, depth, bad);
	return skip_scalar(p, end);
}

bool raw_whole(const char *text, size_t len, struct raw *ret, size_t *ret_bad)
{
	const char *end = text + len, *from = skip_space(text, end), *bad = from;
	const char *to = skip_value(from, end, 1, &bad);

	if (to && skip_space(to, end) != end) {
		bad = to;
		to = NULL;
	}
	if (ret_bad)
		*ret_bad = (size_t)(bad - text);
	if (to)
		*ret = (struct raw){ from, (size_t)(to - from) };
	return to;
}

struct raw_walk raw_walk(struct raw r)
{
	struct raw_walk w = { .at = r.at, .end = r.at ? r.at + r.len : NULL };

	if (raw_is_array(r))
		w.close = ']';
	else if (raw_is_object(r))
		w.close = '}';
	else
		w.bad = true;
	if (!w.bad) {
		w.at = skip_space(w.at + 1, w.end);
		if (w.at < w.end && *w.at == w.close)
			w.close = 0;
	}
	return w;
}

static bool stop(struct raw_walk *w, const char *bad)
{
	w->bad = true;
	w->close = 0;
	w->at = bad;
	return false;
}

bool raw_next(struct raw_walk *w, struct raw *ret_key, struct raw *ret_item)
{
	const char *p = w->at, *to, *bad = p;
	struct raw key = RAW_NONE;

	if (w->bad || !w->close)
		return false;
	if (w->close == '}') {
		key.at = p;
		p = skip_key(p, w->end, &bad);
		if (!p)
			return stop(w, bad);
		key.len = (size_t)((const char *)memrchr(key.at, '"', (size_t)(p - key.at)) -
				   key.at) + 1;
	}
	to = skip_value(p, w->end, 2, &bad);
	if (!to)
		return stop(w, bad);
	w->at = skip_space(to, w->end);
	if (w->at >= w->end || (*w->at != ',' && *w->at != w->close))
		return stop(w, w->at);
	if (*w->at == w->close)
		w->close = 0;
	else
		w->at = skip_space(w->at + 1, w->end);
	if (ret_key)
		*ret_key = key;
	*ret_item = (struct raw){ p, (size_t)(to - p) };
	return true;
}

bool raw_is(struct raw r, const char *text)
{
	return r.at && r.len == strlen(text) && memcmp(r.at, text, r.len) == 0;
}

bool raw_key_is(struct raw key, const char *name)
{
	size_t n = strlen(name);

	return key.at && key.len == n + 2 && memcmp(key.at + 1, name, n) == 0;
}

bool raw_is_null(struct raw r)
{
	return !r.at || raw_is(r, "null");
}

bool raw_is_string(struct raw r)
{
	return r.at && r.len >= 2 && *r.at == '"';
}

bool raw_is_array(struct raw r)
{
	return r.at && r.len >= 2 && *r.at == '[';
}

bool raw_is_object(struct raw r)
{
	return r.at && r.len >= 2 && *r.at == '{';
}

struct raw raw_member(struct raw object, const char *name)
{
	struct raw_walk w = raw_walk(object);
	struct raw key, item;

	while (raw_next(&w, &key, &item))
		if (raw_key_is(key, name))
			return raw_is_null(item) ? RAW_NONE : item;
	return RAW_NONE;
}

struct raw raw_inside(struct raw r)
{
	const char *from, *to;

	if (!raw_is_array(r) && !raw_is_object(r))
		return (struct raw){ "", 0 };
	from = skip_space(r.at + 1, r.at + r.len - 1);
	to = r.at + r.len - 1;
	while (to > from && strchr(" \t\r\n", to[-1]))
		to--;
	return (struct raw){ from, (size_t)(to - from) };
}

/* Where the string begins whose closing quote is at p: at a quote that no backslash escapes. */
static const char *string_start(const char *from, const char *p)
{
	size_t escapes;

	do {
		p = memrchr(from, '"', (size_t)(p - from));
		for (escapes = 0; p && p - escapes > from && p[-1 - (ptrdiff_t)escapes] == '\\';)
			escapes++;
	} while (p && escapes % 2);
	return p;
}

bool raw_last(struct raw array, struct raw *ret_last, struct raw *ret_before)
{
	struct raw in = raw_inside(array);
	const char *end = in.at + in.len, *p = end;
	int depth = 0;

	if (!raw_is_array(array) || in.len == 0)
		return false;
	while (p > in.at && (depth > 0 || p[-1] != ',')) {
		char c = *--p;

		if (c == '"' && !(p = string_start(in.at, p)))
			return false;
		depth += c == ']' || c == '}';
		depth -= c == '[' || c == '{';
	}
	*ret_before = (struct raw){ in.at, p > in.at ? (size_t)(p - 1 - in.at) : 0 };
	p = skip_space(p, end);
	*ret_last = (struct raw){ p, (size_t)(end - p) };
	return true;
}

char *raw_string(struct raw r)
{
	cJSON *v;
	char *s = NULL;

	if (!raw_is_string(r))
		return NULL;
	if (!memchr(r.at, '\\', r.len))
		return mem_strndup(r.at + 1, r.len - 2);
	if (memmem(r.at, r.len, "\\u0000", 6))
		return NULL;
	v = cJSON_ParseWithLength(r.at, r.len);
	if (cJSON_IsString(v))
		s = mem_strdup(v->valuestring);
	cJSON_Delete(v);
	return s;
}

bool raw_number(struct raw r, double *ret)
{
	bool looks = r.at && r.len && r.len < 64 && (*r.at == '-' || is_digit(*r.at));
	cJSON *v = looks ? cJSON_ParseWithLength(r.at, r.len) : NULL;
	bool is = cJSON_IsNumber(v) && isfinite(v->valuedouble);

	if (is)
		*ret = v->valuedouble;
	cJSON_Delete(v);
	return is;
}

char *raw_dup(struct raw r)
{
	return r.at ? mem_strndup(r.at, r.len) : NULL;
}
