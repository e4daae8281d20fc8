/* SPDX-License-Identifier: MIT */
/* pay_offer: an amount in a text, or two with a range word between, and the judgement whether it is
 * pay. Inside of pay (pay.h is the interface).
 *
 * The nearest telling word before it, or one a few words behind it, decides; a word of another
 * sentence or line reaches it only as a heading. Where no word tells, its form must: a period that
 * is stated with an amount that somebody is paid for it, or a range as narrow and high as a year's
 * pay. Pure. */
#ifndef WORKERS_PROCESSING_PAY_OFFER_H
#define WORKERS_PROCESSING_PAY_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/processing/money.h"
#include "workers/processing/pay.h"
#include "workers/processing/pay_words.h"

struct pay_offer {
	int64_t min, max;		/* cents; 0 = open */
	bool range, marked, open_top, whole;
	bool bounded;			/* "up to", "from": a single amount with a side */
	bool total;			/* base and more: OTE, total compensation */
	bool gloss;			/* in brackets behind another amount */
	bool stated;			/* its period is */
	bool ote, equity, contractor;
	int salaries;
	enum money_scale scale;
	char currency[4];
	enum pay_period period;
	enum pay_language language;	/* of its cue */
	size_t start, end;
};

/* The next offer at or after *pos, which moves behind it. Nothing is judged yet. is_pay: "and"
 * alone may join two amounts. */
bool pay_offer_next(const char *text, size_t len, size_t *pos, bool is_pay,
		    struct pay_offer *ret);
/* Is it pay? Fills period, bounds and flags then. */
bool pay_offer_judge(struct pay_offer *o, const char *text, size_t len,
		     const struct pay_hint *hint);
/* Its period by its size in that currency and language, and whether anybody is paid that. */
enum pay_period pay_offer_guess(int64_t cents, const char *currency, bool english);
bool pay_offer_is_plausible(int64_t cents, const char *currency, enum pay_period period);

#endif
