/* SPDX-License-Identifier: MIT */
/* amount: a published figure (dollars, per cent, people), exact, as its publisher marks it.
 *
 * Kept as whole ten-thousandths, so that no amount ever passes through floating point. Marks of
 * the sources, one reader for all: "-" "." "*" "**" "N" "(X)" and nothing are absent; "#" and
 * "250,000+" are lower bounds, "2,500-" an upper one (absent here: a median below it is unknown);
 * thousands may carry commas. Census sentinels are the census noun's. Pure functions. */
#ifndef SALARY_AMOUNT_H
#define SALARY_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum amount_kind {
	AMOUNT_ABSENT,		/* not published */
	AMOUNT_SUPPRESSED,	/* exists, withheld by the publisher */
	AMOUNT_BOUND,		/* at least this much (top-coded) */
	AMOUNT_VALUE,
};

struct amount {
	enum amount_kind kind;
	int64_t e4;		/* ten-thousandths; 0 unless VALUE or BOUND */
};

#define AMOUNT_OF(whole) ((struct amount){ AMOUNT_VALUE, (int64_t)(whole) * 10000 })
#define AMOUNT_TEXT_SIZE 32

/* -ERR_PROTOCOL for what is neither a number below 10^12 nor a known mark. */
int amount_parse(const char *text, struct amount *ret, struct err *e);
bool amount_is_known(struct amount a);		/* VALUE or BOUND */
/* Rounded half up to so many decimals (0 to 4). NULL if not known, else out. */
const char *amount_text(struct amount a, int decimals, char out[AMOUNT_TEXT_SIZE]);
/* 100 * part / whole; absent if either is not known or whole is 0. */
struct amount amount_percent(struct amount part, struct amount whole);
/* 100 * (now - before) / before, rounded half away from 0; absent unless both are exact values and
 * before is above 0. */
struct amount amount_change(struct amount now, struct amount before);
double amount_number(struct amount a);		/* for scores only; 0 if not known */

#endif
