/* SPDX-License-Identifier: MIT */
/* amount: a number as people read it, with its unit. */
#ifndef CTL_AMOUNT_H
#define CTL_AMOUNT_H

enum { AMOUNT_SIZE = 40 };

enum amount_unit {
	AMOUNT_COUNT,	/* "1,234", "2.5", "1.2 M" from a million on */
	AMOUNT_SECONDS,	/* "12 ms", "1.5 s", "10 min", "2 h", "3 d" */
	AMOUNT_PERCENT,	/* "95 %", "99.9 %": never rounded up to 100 */
};

/* Not a number is "-". */
void amount_text(enum amount_unit unit, double v, char out[AMOUNT_SIZE]);

#endif
