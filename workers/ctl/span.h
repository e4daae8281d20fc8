/* SPDX-License-Identifier: MIT */
/* span: a time from-to, cut into equal intervals, and its axis in a time zone.
 *
 * Intervals begin at round local times: the first may begin before what was asked for, the last is
 * cut off by the end. Seconds since the epoch. Pure; the zone is borrowed. */
#ifndef CTL_SPAN_H
#define CTL_SPAN_H

#include <stddef.h>
#include <stdint.h>

struct zone;

enum { SPAN_INTERVALS_MAX = 100, SPAN_TICKS_MAX = 10, SPAN_LABEL_SIZE = 64 };

struct span {
	int64_t from_s, to_s, step_s;
	size_t n;		/* intervals, at most SPAN_INTERVALS_MAX */
	const struct zone *zone;
};

/* to_s > from_s. */
void span_init(struct span *s, int64_t from_s, int64_t to_s, const struct zone *zone);
/* 0 = the beginning, 1 = the end of the last interval; what lies beyond is put there. */
double span_place(const struct span *s, int64_t at_s);
/* Round local times, at most SPAN_TICKS_MAX. */
size_t span_ticks(const struct span *s, int64_t ret[SPAN_TICKS_MAX]);

/* "14:30", "14:30:05" where it matters, "Nov 21" for a midnight. */
void span_tick_label(const struct span *s, int64_t at_s, char out[SPAN_LABEL_SIZE]);
/* "Nov 21 14:30 to 14:45" of interval i. */
void span_label(const struct span *s, size_t i, char out[SPAN_LABEL_SIZE]);
/* "2026-11-21 14:30" */
void span_time(const struct span *s, int64_t at_s, char out[SPAN_LABEL_SIZE]);
/* "15 min", "1 h" */
void span_step_text(const struct span *s, char out[SPAN_LABEL_SIZE]);

#endif
