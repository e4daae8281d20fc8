/* SPDX-License-Identifier: MIT */
/* pay_words: the words around an amount that tell pay from other money, and its period; and the
 * search through a text that uses them. Inside of pay (pay.h is the interface). */
#ifndef WORKERS_PROCESSING_PAY_WORDS_H
#define WORKERS_PROCESSING_PAY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "workers/processing/pay.h"

enum pay_language {
	PAY_LANGUAGE_NONE,
	PAY_LANGUAGE_EN,
	PAY_LANGUAGE_DE,
	PAY_LANGUAGE_FR,
	PAY_LANGUAGE_ES
};

/* All words are folded (text_fold). */
enum pay_language pay_word_cue(const char *word);	/* "salary", "gehalt": pay follows */
bool pay_word_negative(const char *word);		/* "bonus", "umsatz": other money follows */
enum pay_period pay_word_period(const char *word);	/* "hour", "monat": behind an amount */
enum pay_period pay_word_rate(const char *word);	/* "hourly", "jahresgehalt": on either side */
bool pay_word_filler(const char *word);			/* "per", "brutto": between amount and period */

/* Fills pay with the span of all offers in the text; pay->ranges is how many there are. */
void pay_find(const char *text, size_t len, bool is_pay, struct pay *pay);

#endif
