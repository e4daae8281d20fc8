/* SPDX-License-Identifier: MIT */
/* pay_words: the words around an amount that tell pay from other money, and its period. Words come
 * folded: lower case, no accents ("vergutung", "remuneration"). Inside of pay (pay.h is the
 * interface). Compounds are known by their ends ("…gehalt", "…zuschuss"), Romance words by their
 * stems. Looked up in a hash that is built once per process. Pure. */
#ifndef WORKERS_PROCESSING_PAY_WORDS_H
#define WORKERS_PROCESSING_PAY_WORDS_H

#include <stddef.h>

#include "workers/processing/pay.h"

enum pay_language {
	PAY_LANGUAGE_NONE,
	PAY_LANGUAGE_EN,
	PAY_LANGUAGE_DE,
	PAY_LANGUAGE_FR,
	PAY_LANGUAGE_ES			/* and Italian: their single amounts are read alike */
};

enum pay_word_flags {
	PAY_WORD_CUE = 1 << 0,		/* "salary": pay follows */
	PAY_WORD_HINT = 1 << 1,		/* "range", "package": pay may follow */
	PAY_WORD_OTHER = 1 << 2,	/* "bonus", "umsatz": other money follows */
	PAY_WORD_BUDGET = 1 << 3,	/* other money, but "budget for the role" */
	PAY_WORD_ROLE = 1 << 4,
	PAY_WORD_PAYER = 1 << 5,	/* "customers" pay: a price */
	PAY_WORD_FILLER = 1 << 6,	/* "brutto", "the": between an amount and its period */
	PAY_WORD_PER = 1 << 7,
	PAY_WORD_LINK = 1 << 8,		/* "to": between the bounds of a range */
	PAY_WORD_WEAK_LINK = 1 << 9,	/* "and": so, behind "between" only */
	PAY_WORD_BETWEEN = 1 << 10,
	PAY_WORD_MOST = 1 << 11,	/* "maximum" */
	PAY_WORD_LEAST = 1 << 12,	/* "from", "mindestens" */
	PAY_WORD_STOP = 1 << 13,	/* "plus": what follows is beside the amount */
	PAY_WORD_SHORT = 1 << 14,	/* "zzgl.": its full stop ends no sentence */
	PAY_WORD_TOTAL = 1 << 15,	/* "OTE": more than base pay */
	PAY_WORD_OTE = 1 << 16,
	PAY_WORD_EQUITY = 1 << 17,
	PAY_WORD_CONTRACTOR = 1 << 18,
	PAY_WORD_HOURS = 1 << 19,	/* "weekly hours": working time, no period of pay */
	PAY_WORD_SALARIES = 1 << 20,	/* "14 pagas" */
	PAY_WORD_PREPOSITION = 1 << 21,
	PAY_WORD_PAYS = 1 << 22,	/* a verb: who pays? */
	PAY_WORD_EXTRA = 1 << 24,	/* what pay comes with: "$90,000 plus bonus" */
	PAY_WORD_VARIABLE = 1 << 23	/* other money, but "base + commission: …" */
};

struct pay_term {
	unsigned flags;
	enum pay_language language;	/* of a cue, a hint or a common word */
	enum pay_period unit;		/* "hour", "monat": behind an amount */
	enum pay_period rate;		/* "hourly", "jahresgehalt": on either side */
};

struct pay_term pay_term_of(const char *folded, size_t len);

#endif
