/* SPDX-License-Identifier: MIT */
#include "workers/processing/pay_context.h"

#include <ctype.h>
#include <stdint.h>

#include "common/base/mem.h"

/* A word and what parts it from the next are two bytes at least. */
enum { WINDOW_WORDS = 96, WINDOW_BYTES = 2 * WINDOW_WORDS, ORDINAL_MAX = 2 };

/* ASCII's letters and digits in lower case, then U+00C0 to U+00FF without their accents. */
static const char FOLDED[256] = {
	['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
	['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q',
		'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
	['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q',
		'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
};
static const char LATIN[] = "aaaaaaaceeeeiiiidnooooo ouuuuyts"
			    "aaaaaaaceeeeiiiidnooooo ouuuuyty";

struct reader {
	const char *text;
	size_t at, end;
	struct pay_word words[WINDOW_WORDS];
	size_t n;
	enum pay_gap gap;		/* since the last word */
	bool bracketed;
};

static int byte_at(const struct reader *r, size_t i)
{
	return i < r->end ? (unsigned char)r->text[i] : 0;
}

/* The letter at r->at, folded; *ret_width its bytes; 0: none. */
static inline int letter(const struct reader *r, size_t *ret_width)
{
	int c = byte_at(r, r->at), next = byte_at(r, r->at + 1);

	*ret_width = 1;
	if (c < 0x80)
		return FOLDED[c];
	*ret_width = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
	if (c == 0xC3)
		return LATIN[next & 0x3F] == ' ' ? 0 : LATIN[next & 0x3F];
	if (c == 0xC5 && (next == 0x93 || next == 0x92))
		return 'o';
	if (c == 0xC5 && (next == 0x81 || next == 0x82))
		return 'l';
	return c >= 0xC4 && c <= 0xDF ? '?' : 0;
}

static void widen(struct reader *r, enum pay_gap gap)
{
	if (gap == PAY_GAP_LINE && r->gap == PAY_GAP_OPEN)
		gap = PAY_GAP_HEADING;
	if (gap > r->gap)
		r->gap = gap;
}

/* "p. a.", "mind. 17", "1. Jahr", "Std. - ": no sentence ends there. */
static bool ends_sentence(const struct reader *r)
{
	const struct pay_word *last = r->n ? &r->words[r->n - 1] : NULL;
	int next = byte_at(r, r->at + 1), after = byte_at(r, r->at + 2);

	if (next != ' ' && next != '\n' && next != 0)
		return false;
	if (last && (last->len < ORDINAL_MAX || last->term.flags & PAY_WORD_SHORT ||
		     (last->len == ORDINAL_MAX && isdigit((unsigned char)last->text[0]))))
		return false;
	return !islower(after) && after != '-' && (!isdigit(after) || !last || last->len > 4);
}

static void read_separator(struct reader *r, size_t width)
{
	int c = byte_at(r, r->at);

	if (c == '(' || c == ')' || c == '\n')
		r->bracketed = c == '(';
	switch (c) {
	case '\n': case '|': case '*':
		widen(r, PAY_GAP_LINE);
		break;
	case '.': case '!': case '?':
		if (ends_sentence(r))
			widen(r, PAY_GAP_SENTENCE);
		break;
	case ';':
		widen(r, PAY_GAP_SENTENCE);
		break;
	case ',': case '+': case ')': case ']':
		widen(r, PAY_GAP_COMMA);
		break;
	case ':': case '(': case '[':
		widen(r, PAY_GAP_OPEN);
		break;
	case '-':
		if (byte_at(r, r->at + 1) == ' ')
			widen(r, PAY_GAP_OPEN);
		break;
	case '/':
		widen(r, PAY_GAP_SLASH);
		break;
	case 0xC2:
		if (byte_at(r, r->at + 1) == 0xB7)		/* · */
			widen(r, PAY_GAP_LINE);
		break;
	case 0xE2:
		if (byte_at(r, r->at + 1) == 0x80 && byte_at(r, r->at + 2) == 0xA2)	/* • */
			widen(r, PAY_GAP_LINE);
		else if (byte_at(r, r->at + 1) == 0x80 && byte_at(r, r->at + 2) >= 0x90 &&
			 byte_at(r, r->at + 2) <= 0x95)
			widen(r, PAY_GAP_OPEN);			/* dashes */
		else if (byte_at(r, r->at + 1) >= 0x86)		/* arrows, boxes, dingbats */
			widen(r, PAY_GAP_LINE);
		break;
	default:
		if (c >= 0xF0)
			widen(r, PAY_GAP_LINE);
	}
	r->at += width;
}

static void read_word(struct reader *r)
{
	struct pay_word *w = &r->words[r->n];
	size_t width, n = 0;
	int c;

	w->gap = r->gap;
	w->bracketed = r->bracketed;
	while (r->at < r->end && (c = letter(r, &width))) {
		if (n < sizeof w->text - 1)
			w->text[n++] = (char)c;
		r->at += width;
	}
	w->text[n] = '\0';
	w->len = n;
	w->term = pay_term_of(w->text, n);
	r->gap = PAY_GAP_NONE;
	r->n++;
}

static void read_words(struct reader *r, size_t most)
{
	size_t width;

	while (r->at < r->end) {
		if (!letter(r, &width)) {
			read_separator(r, width);
			continue;
		}
		if (r->n == most)
			break;
		read_word(r);
	}
}

void pay_context_before(struct pay_context *c, const char *text, size_t start, size_t limit)
{
	struct reader r = { .text = text, .end = start };
	enum pay_gap gap;

	if (limit > WINDOW_BYTES)
		limit = WINDOW_BYTES;
	r.at = start > limit ? start - limit : 0;

	/* Not from the middle of a word on. */
	while (r.at > 0 && r.at < start && !isspace((unsigned char)text[r.at - 1]))
		r.at++;
	read_words(&r, WINDOW_WORDS);
	gap = r.gap;
	for (c->n = 0; c->n < PAY_CONTEXT_WORDS && r.n > 0; c->n++) {
		enum pay_gap farther = r.words[--r.n].gap;

		c->words[c->n] = r.words[r.n];
		c->words[c->n].gap = gap;
		gap = farther;
	}
	c->bracketed = r.bracketed;
}

void pay_context_after(struct pay_context *c, const char *text, size_t len, size_t end,
		       size_t limit)
{
	struct reader r = { .text = text, .at = end, .end = end + limit < len ? end + limit : len };

	read_words(&r, PAY_CONTEXT_WORDS);
	c->n = r.n;
	c->bracketed = false;
	memcpy(c->words, r.words, r.n * sizeof r.words[0]);
}

bool pay_word_is(const struct pay_word *w, const char *text)
{
	return !strcmp(w->text, text);
}
