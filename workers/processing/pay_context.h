/* SPDX-License-Identifier: MIT */
/* pay_context: the words on either side of an amount, the nearest first, each with what parts it
 * from its neighbour towards the amount. Inside of pay (pay.h is the interface).
 * A full stop ends a sentence, but not behind an abbreviation or within "2.600"; a bullet, a bar or
 * an arrow ends a line as a line end does. Words are looked up as they are read; what is no letter
 * or digit parts them, accents are dropped. Pure. */
#ifndef WORKERS_PROCESSING_PAY_CONTEXT_H
#define WORKERS_PROCESSING_PAY_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "workers/processing/pay_words.h"

enum { PAY_CONTEXT_WORDS = 24, PAY_WORD_SIZE = 32 };

/* In order of strength. */
enum pay_gap {
	PAY_GAP_NONE,
	PAY_GAP_SLASH,			/* "€/Std": a unit may follow */
	PAY_GAP_OPEN,			/* a colon, dash, or opening bracket */
	PAY_GAP_COMMA,			/* a comma, plus sign, or closing bracket */
	PAY_GAP_SENTENCE,
	PAY_GAP_LINE,
	PAY_GAP_HEADING			/* a colon at a line's end */
};

struct pay_word {
	struct pay_term term;
	enum pay_gap gap;
	char text[PAY_WORD_SIZE];	/* folded; cut if longer */
	size_t len;
	bool bracketed;
};

struct pay_context {
	struct pay_word words[PAY_CONTEXT_WORDS];
	size_t n;
	bool bracketed;			/* the amount is */
};

/* From the words that end before start, at most limit bytes of them. */
void pay_context_before(struct pay_context *c, const char *text, size_t start, size_t limit);
/* From end on; digits are words too. */
void pay_context_after(struct pay_context *c, const char *text, size_t len, size_t end,
		       size_t limit);

bool pay_word_is(const struct pay_word *w, const char *text);

#endif
