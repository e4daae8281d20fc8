/* SPDX-License-Identifier: MIT */
/* plot: a picture of numbers as one inline SVG element. Pure: numbers in, text out.
 *
 * Widths are shares of the place that the page gives it, heights and letters are pixels: one
 * picture serves every width without a script. Below PAGE_NARROW the page hides what has the class
 * "minor", which is every second label in time. Colours are the page's (page.h has the looks); each
 * mark also says what it is in a <title>. Every <title>, label and name may be hostile text.
 * The element has the role of a picture, with title and description. What has no number has no
 * mark; whoever has no numbers at all writes page_empty instead. */
#ifndef CTL_PLOT_H
#define CTL_PLOT_H

#include <stddef.h>
#include <stdint.h>

#include "workers/ctl/amount.h"

struct buf;
struct span;

struct plot {
	const char *id;		/* of the element, unique in the page: letters and '-' */
	const char *title;	/* what it shows */
	const char *desc;	/* what there is to see, for who does not see it */
	const char *axis;	/* what the numbers are: "tasks in 15 min" */
	enum amount_unit unit;
};

/* One number an interval of the span; not a number: none. */
struct plot_series {
	const char *name;
	const char *look;	/* a class of the page */
	const double *values;
};

/* Columns, the series stacked; a zero has no mark. */
void plot_columns(struct buf *out, const struct plot *p, const struct span *span,
		  const struct plot_series *series, size_t n);
/* Lines on a logarithmic axis of seconds, a dot for each number. */
void plot_lines(struct buf *out, const struct plot *p, const struct span *span,
		const struct plot_series *series, size_t n);

struct plot_bar {
	const char *label;
	const char *text;	/* beside it: "80 of 100"; NULL: its number */
	const char *look;
	double value;		/* not a number: no bar */
	double before;		/* a line across, where it was; not a number: none */
};

/* Lying bars from 0 on; top: where the axis ends, 0 = at the longest. */
void plot_bars(struct buf *out, const struct plot *p, const struct plot_bar *bars, size_t n,
	       double top);

struct plot_stretch {
	const char *label;
	const char *text;	/* beside it */
	const char *look;
	int64_t from_s, to_s;	/* what lies outside of the span is cut off */
};

/* Stretches of time, a line each. */
void plot_stretches(struct buf *out, const struct plot *p, const struct span *span,
		    const struct plot_stretch *stretches, size_t n);

#endif
