/* SPDX-License-Identifier: MIT */
#include "workers/processing/pay_timing.h"

#include <ctype.h>
#include <string.h>

#include "common/base/scan.h"

enum { CLAUSE_WORDS = 7, RHYTHM_FROM_CENTS = 1200000 };

/* "bi weekly", "every two weeks", "p. a.", "b/a": periods of several words. */
static enum pay_period phrase_at(const struct pay_context *c, size_t i)
{
	const struct pay_word *w = &c->words[i], *next = i + 1 < c->n ? w + 1 : NULL;
	static const char TWO[] = " bi two other second zwei alle deux quince dos due ";
	static const char WEEKS[] = " weekly weeks week wochen semaines semanas settimane dias ";
	char padded[PAY_WORD_SIZE + 2];

	if (!next)
		return PAY_UNKNOWN;
	if (w->len == 1 && next->len == 1 && strchr("pb", w->text[0]))
		return next->text[0] == 'a' ? PAY_YEAR
			: next->text[0] == 'h' ? PAY_HOUR
			: next->text[0] == 'd' ? PAY_DAY
			: next->text[0] == 'w' ? PAY_WEEK
			: next->text[0] == 'm' ? PAY_MONTH
					       : PAY_UNKNOWN;
	snprintf(padded, sizeof padded, " %s ", w->text);
	if (!strstr(TWO, padded))
		return PAY_UNKNOWN;
	snprintf(padded, sizeof padded, " %s ", next->text);
	return strstr(WEEKS, padded) ? PAY_TWO_WEEKS : PAY_UNKNOWN;
}

/* "35 hours", "wöchentliche Arbeitszeit": time worked, not time paid. */
static bool is_working_time(const struct pay_context *c, size_t i, int step)
{
	for (size_t k = 1; k <= 2; k++) {
		size_t at = step > 0 ? i + k : i - k;

		if (at < c->n && c->words[at].term.flags & PAY_WORD_HOURS)
			return true;
	}
	return false;
}

/* "$60,000 paid monthly": when it is paid, not for what. */
static bool is_rhythm(const struct pay_context *c, size_t i, int64_t cents)
{
	return i > 0 && cents >= RHYTHM_FROM_CENTS &&
		(pay_word_is(&c->words[i - 1], "paid") ||
		 pay_word_is(&c->words[i - 1], "payable") ||
		 pay_word_is(&c->words[i - 1], "verse"));
}

enum pay_period pay_timing_after(const struct pay_context *c, int64_t cents)
{
	size_t unknown = 0;

	for (size_t i = 0; i < c->n && i < CLAUSE_WORDS && unknown < 2; i++) {
		const struct pay_word *w = &c->words[i];
		enum pay_period phrase = phrase_at(c, i);
		bool article = w->term.flags & PAY_WORD_FILLER && i + 1 < c->n &&
			w[1].gap == PAY_GAP_NONE && w[1].term.unit;

		if (w->gap >= PAY_GAP_SENTENCE)
			return PAY_UNKNOWN;
		if (phrase)
			return phrase;
		if (w->term.rate && !is_working_time(c, i, 1))
			return is_rhythm(c, i, cents) ? PAY_UNKNOWN : w->term.rate;
		if (w->term.unit && !article)
			return unknown || w->gap == PAY_GAP_COMMA ? PAY_UNKNOWN : w->term.unit;
		if (!(w->term.flags & (PAY_WORD_FILLER | PAY_WORD_CUE)))
			unknown++;
		if (isdigit((unsigned char)w->text[0]) ||
		    w->term.flags & (PAY_WORD_STOP | PAY_WORD_OTHER))
			return PAY_UNKNOWN;
	}
	return PAY_UNKNOWN;
}

enum pay_period pay_timing_before(const struct pay_context *c)
{
	int lines = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct pay_word *w = &c->words[i];

		lines += w->gap >= PAY_GAP_LINE;
		if (lines > 1 || w->gap == PAY_GAP_SENTENCE || w->term.flags & PAY_WORD_OTHER)
			return PAY_UNKNOWN;
		if (w->term.rate && !is_working_time(c, i, -1))
			return w->term.rate;
		if (w->term.unit && i + 1 < c->n && c->words[i + 1].term.flags & PAY_WORD_PER)
			return w->term.unit;
		if (w->term.unit && pay_word_is(w, "day"))		/* "day rate" */
			return w->term.unit;
	}
	return PAY_UNKNOWN;
}

bool pay_timing_is_thing(const struct pay_context *c)
{
	const struct pay_word *w = c->words;
	bool per = c->n > 1 &&
		(pay_word_is(w, "per") || pay_word_is(w, "pro") || pay_word_is(w, "par"));

	if (per)
		w++;
	else if (!c->n || w->gap != PAY_GAP_SLASH)
		return false;
	if (phrase_at(c, (size_t)(w - c->words)) || pay_word_is(w, "rata"))
		return false;
	return !w->term.unit && !w->term.rate && !isdigit((unsigned char)w->text[0]) &&
		!(w->term.flags & (PAY_WORD_FILLER | PAY_WORD_CUE | PAY_WORD_HINT));
}

int pay_timing_salaries(const struct pay_context *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct pay_word *w = &c->words[i];
		char digits[3] = { w->text[0], w->text[1], 0 };
		int64_t n;

		if (w->text[0] == 'x' && w->len == 3)
			memcpy(digits, w->text + 1, 2);
		if (scan_int64(digits, 12, 16, &n, NULL) < 0)
			continue;
		if ((w->len == 3 && (w->text[0] == 'x' || w->text[2] == 'x')) ||
		    ((w->len == 2 || w->len == 3) && i + 1 < c->n &&
		     w[1].term.flags & PAY_WORD_SALARIES) ||
		    (w->len == 2 && ((i + 1 < c->n && pay_word_is(w + 1, "x")) ||
				     (i > 0 && pay_word_is(w - 1, "x")))))
			return (int)n;
	}
	return 0;
}
