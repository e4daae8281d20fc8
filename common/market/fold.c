/* SPDX-License-Identifier: MIT */
#include "common/market/fold.h"

#include <ctype.h>
#include <stdint.h>
#include <utf8proc.h>

static bool is_separator(utf8proc_int32_t c)
{
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_ND:
		return false;
	default:
		return c != '+' && c != '#';
	}
}

static bool is_mark(utf8proc_int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);

	/* an apostrophe joins: "bachelor's" is one word */
	return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || c == '\'' || c == 0x2019;
}

/* Writes one decomposed, case-folded character; false when it does not fit. */
static bool put(char *out, size_t *n, utf8proc_int32_t c)
{
	utf8proc_uint8_t bytes[4];
	utf8proc_ssize_t len = utf8proc_encode_char(c, bytes);

	if (*n + (size_t)len + 1 >= FOLD_SIZE)
		return false;
	memcpy(out + *n, bytes, (size_t)len);
	*n += (size_t)len;
	return true;
}

static bool put_character(char *out, size_t *n, bool *gap, utf8proc_int32_t c)
{
	utf8proc_int32_t parts[8];
	int last = 0;
	utf8proc_ssize_t count = utf8proc_decompose_char(c, parts, 8,
		UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD, &last);

	for (utf8proc_ssize_t i = 0; i < count && i < 8; i++) {
		if (is_mark(parts[i]))
			continue;
		if (is_separator(parts[i])) {
			*gap = true;
			continue;
		}
		if (*gap && *n > 0 && !put(out, n, ' '))
			return false;
		*gap = false;
		if (!put(out, n, parts[i]))
			return false;
	}
	return true;
}

static void cut_word(char *out, size_t *n)
{
	while (*n > 0 && out[*n - 1] != ' ')
		--*n;
	if (*n > 0)
		--*n;
}

size_t fold_text(const char *text, char out[FOLD_SIZE])
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)(text ? text : "");
	utf8proc_ssize_t left = (utf8proc_ssize_t)strlen((const char *)p);
	bool gap = false;
	size_t n = 0;

	while (left > 0) {
		utf8proc_int32_t c;
		utf8proc_ssize_t used = utf8proc_iterate(p, left, &c);

		if (used < 1) {
			used = 1;
			gap = true;
		} else if (!put_character(out, &n, &gap, c)) {
			cut_word(out, &n);
			break;
		}
		p += used;
		left -= used;
	}
	out[n] = '\0';
	return n;
}

size_t fold_slug(const char *text, char *out, size_t size)
{
	char folded[FOLD_SIZE];
	size_t n = 0;

	fold_text(text, folded);
	for (const char *p = folded; *p && n + 1 < size; p++) {
		bool plain = isascii((unsigned char)*p) && isalnum((unsigned char)*p);

		if (plain)
			out[n++] = *p;
		else if (n > 0 && out[n - 1] != '_')
			out[n++] = '_';
	}
	while (n > 0 && out[n - 1] == '_')
		n--;
	if (size > 0)
		out[n] = '\0';
	return n;
}

void fold_title(const char *folded, char *out, size_t size)
{
	size_t n = 0;

	for (; folded[n] && n + 1 < size; n++)
		out[n] = n == 0 || folded[n - 1] == ' ' ? (char)toupper((unsigned char)folded[n])
							: folded[n];
	out[n] = '\0';
}

bool fold_has_words(const char *whole, const char *part)
{
	size_t len = strlen(part);

	for (const char *p = whole; len > 0 && (p = strstr(p, part)); p++)
		if ((p == whole || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' '))
			return true;
	return false;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

int fold_distance(const char *a, const char *b, int limit)
{
	int rows[3][FOLD_SIZE + 1];
	int na = (int)strlen(a), nb = (int)strlen(b);
	int *before = rows[0], *last = rows[1], *now = rows[2];

	if (na >= FOLD_SIZE || nb >= FOLD_SIZE || abs(na - nb) > limit)
		return limit + 1;
	for (int j = 0; j <= nb; j++)
		last[j] = j;
	for (int i = 1; i <= na; i++) {
		int best = now[0] = i, *spare = before;

		for (int j = 1; j <= nb; j++) {
			int cost = a[i - 1] != b[j - 1];

			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
			best = least(best, now[j]);
		}
		if (best > limit)
			return limit + 1;
		before = last;
		last = now;
		now = spare;
	}
	return least(last[nb], limit + 1);
}
