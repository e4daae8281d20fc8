/* SPDX-License-Identifier: MIT */
/* timespan: a number of years or months as people write it, or a range of them.
 *
 * "5+ years", "3-5 Jahre", "two to three years", "five (5) or more years", "18 mois", "1,5 anni",
 * "5-year": digits (at most two, one decimal) or words up to ten in English, German, French,
 * Spanish and Italian, with the unit after the number or after both. Pure. */
#ifndef WORKERS_PROCESSING_TIMESPAN_H
#define WORKERS_PROCESSING_TIMESPAN_H

#include <stdbool.h>
#include <stddef.h>

struct timespan {
	const char *from, *to;		/* of the text: from the number to after the unit */
	int min, max;			/* months; max -1 = one number only */
};

/* Is one written at p? text is clean UTF-8. */
bool timespan_read(const char *p, const char *end, struct timespan *ret);
/* The words a span may begin with, folded, for who looks for spans: each to the callback. */
void timespan_each_word(void (*word)(const char *word, size_t len));

#endif
