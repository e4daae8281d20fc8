/* SPDX-License-Identifier: MIT */
/* axis: a numeric axis: from where to where, and where its ticks are. Pure. */
#ifndef CTL_AXIS_H
#define CTL_AXIS_H

#include <stdbool.h>

enum { AXIS_TICKS_MAX = 12 };

struct axis {
	double low, top;
	double ticks[AXIS_TICKS_MAX];
	int nticks;
	bool log;
};

/* From 0 to at least most, with 3 to 6 round ticks; whole: of whole numbers. */
void axis_init(struct axis *s, double most, bool whole);
/* Of durations in seconds, logarithmic: ticks are 1, 10 and 100 ms, 1 and 10 s, 1 and 10 min, 1 and
 * 10 h …; from a tick at or below least to one at or above most. */
void axis_init_seconds(struct axis *s, double least, double most);

/* 0 = the lower end, 1 = the upper one; what lies beyond is put there. */
double axis_place(const struct axis *s, double v);

#endif
