/* SPDX-License-Identifier: MIT */
/* money: amounts in running text, as integers in cents.
 *
 * Reads "90,000", "75.000,00", "1'200", "26 000", "1,50,000", "13,90", "$211.4K", "35-45k€" (one
 * amount at a time), "6 LPA", "2 lakh", "30 mil", "70M€". A ',' or '.' before exactly three digits
 * parts thousands, before any other number of digits it is the decimal mark. A currency is told by
 * ISO code, else by a symbol with its country ("CA$"), else by a symbol, on either side.
 * Percentages, parts of words and numbers, and "401k" are no amounts. Pure, linear. */
#ifndef WORKERS_PROCESSING_MONEY_H
#define WORKERS_PROCESSING_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum money_scale { MONEY_ONE, MONEY_THOUSAND, MONEY_LAKH, MONEY_MILLION };

struct money {
	size_t start, end;		/* bytes of the text, marks included */
	int64_t cents;			/* scale applied */
	enum money_scale scale;
	bool marked;			/* a currency stands at it */
	char currency[4];		/* "" unknown; "$" when it is any country's dollar */
	bool per_annum;			/* "LPA": lakh per annum */
	bool open_top;			/* "100,000+" */
	bool whole;			/* no decimals, no separators: might be a year or a count */
};

/* The next amount at or after *pos, which moves behind it; false: no more. */
bool money_next(const char *text, size_t len, size_t *pos, struct money *ret);
/* Is it ISO 4217 as far as our countries use it? Three capitals. */
bool money_is_code(const char *code);
/* Numbers as providers give them as text: "32318.0000", "95,200.00"; -1: not one or negative. */
int64_t money_cents(const char *text);

#endif
