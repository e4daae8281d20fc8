/* SPDX-License-Identifier: MIT */
/* dates: when a posting was published, from any form that providers use.
 *
 * Absolute: ISO 8601 (with Z, +hh, +hh:mm, any number of fraction digits; no zone is UTC), epoch
 * seconds or milliseconds (as text too), RFC 2822 ("Sat, 21 Nov 2026 10:00:00 GMT"), a day with its
 * month's name in English, German, French, Spanish or Italian, "21.11.2026", "2026/11/21"; of
 * "11/21/2026" and "21/11/2026" each is the only date it can be, "03/04/2026" is refused.
 * Relative, in the same languages: "15 days ago", "Posted Today", "30+ days ago", "3d", "last
 * week", "vor 3 Tagen", "vorgestern", "il y a 5 jours", "hace un mes", "4 giorni fa", "ieri",
 * counted back from the time of collection. Months are 30 days, years 365: the source rounded
 * anyway. "A few" is two.
 * Years before 2000 or more than ten years after the collection are refused as nonsense. */
#ifndef WORKERS_PROCESSING_DATES_H
#define WORKERS_PROCESSING_DATES_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct date {
	int64_t us;		/* since the epoch, UTC */
	bool exact;		/* false: counted back from a relative text, or a day without a time */
};

/* reference_us: when the answer was fetched. -ERR_INVALID quotes the text. */
int dates_parse(const char *text, int64_t reference_us, struct date *ret, struct err *e);
/* A number that is epoch seconds or, above 10^11, milliseconds. */
int dates_from_epoch(int64_t value, int64_t reference_us, struct date *ret, struct err *e);

#endif
