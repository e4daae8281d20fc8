/* SPDX-License-Identifier: MIT */
/* What plot.c (rows: bars, stretches) and plot_time.c (columns, lines) share. */
#ifndef CTL_PLOT_PRIVATE_H
#define CTL_PLOT_PRIVATE_H

#include "workers/ctl/plot.h"

/* The element with its names; height: pixels of the plot's own area. The class says which room the
 * page keeps around it. */
void plot_open(struct buf *out, const struct plot *p, const char *class, int height);
void plot_close(struct buf *out);
/* Ticks of time at the lower end of an area so high. */
void plot_time_axis(struct buf *out, const struct span *span, int height);

#endif
