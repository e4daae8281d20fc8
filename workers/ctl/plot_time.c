/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "workers/ctl/markup.h"
#include "workers/ctl/plot_private.h"
#include "workers/ctl/axis.h"
#include "workers/ctl/span.h"

/* The wide area inside is drawn in so many units across, whatever its width. */
enum { HEIGHT = 180, ACROSS = 1000 };

static double height_of(const struct axis *s, double v)
{
	return HEIGHT * (1 - axis_place(s, v));
}

static void put_axes(struct buf *out, const struct plot *p, const struct span *span,
		     const struct axis *s)
{
	for (int i = 0; i < s->nticks; i++) {
		double y = height_of(s, s->ticks[i]);
		char label[AMOUNT_SIZE];

		amount_text(p->unit, s->ticks[i], label);
		buf_printf(out, "<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\""
			   " y2=\"%.1f\"/><text class=\"amount\" x=\"-8\" y=\"%.1f\">%s</text>\n",
			   y, y, y + 4, label);
	}
	plot_time_axis(out, span, HEIGHT);
}

static void put_title(struct buf *out, const struct plot *p, const struct span *span, size_t i,
		      const struct plot_series *s)
{
	char when[SPAN_LABEL_SIZE], amount[AMOUNT_SIZE];

	span_label(span, i, when);
	amount_text(p->unit, s->values[i], amount);
	buf_printf(out, "<title>%s: %s ", when, amount);
	markup_text(out, s->name);
	buf_puts(out, "</title>");
}

static void put_column(struct buf *out, const struct plot *p, const struct span *span,
		       const struct axis *axis, size_t i, const struct plot_series *series,
		       size_t n)
{
	double wide = 100.0 / (double)span->n, below = 0;

	for (size_t k = 0; k < n; k++) {
		double v = series[k].values[i], y = height_of(axis, below + v);

		if (isnan(v) || v <= 0)
			continue;
		buf_printf(out, "<rect class=\"mark %s\" x=\"%.3f%%\" y=\"%.2f\" width=\"%.3f%%\""
			   " height=\"%.2f\">", series[k].look, (double)i * wide + wide * 0.08, y,
			   wide * 0.84, height_of(axis, below) - y);
		put_title(out, p, span, i, &series[k]);
		buf_puts(out, "</rect>\n");
		below += v;
	}
}

void plot_columns(struct buf *out, const struct plot *p, const struct span *span,
		  const struct plot_series *series, size_t n)
{
	struct axis axis;
	double most = 0;

	for (size_t i = 0; i < span->n; i++) {
		double sum = 0;

		for (size_t k = 0; k < n; k++)
			sum += isnan(series[k].values[i]) ? 0 : series[k].values[i];
		most = fmax(most, sum);
	}
	axis_init(&axis, most, true);
	plot_open(out, p, "wide", HEIGHT);
	put_axes(out, p, span, &axis);
	for (size_t i = 0; i < span->n; i++)
		put_column(out, p, span, &axis, i, series, n);
	plot_close(out);
}

/* ---- lines ---- */

static double middle(const struct span *span, size_t i, double all)
{
	return all * ((double)i + 0.5) / (double)span->n;
}

/* A line from each number to the next; where one is missing it begins anew. */
static void put_line(struct buf *out, const struct span *span, const struct axis *axis,
		     const struct plot_series *s)
{
	bool open = false;

	for (size_t i = 0; i < span->n; i++) {
		if (isnan(s->values[i])) {
			buf_puts(out, open ? "\"/>\n" : "");
			open = false;
			continue;
		}
		if (!open)
			buf_printf(out, "<polyline class=\"line %s\" points=\"", s->look);
		buf_printf(out, "%.1f,%.2f ", middle(span, i, ACROSS),
			   height_of(axis, s->values[i]));
		open = true;
	}
	buf_puts(out, open ? "\"/>\n" : "");
}

static void put_dots(struct buf *out, const struct plot *p, const struct span *span,
		     const struct axis *axis, const struct plot_series *s)
{
	for (size_t i = 0; i < span->n; i++) {
		if (isnan(s->values[i]))
			continue;
		buf_printf(out, "<circle class=\"mark %s\" cx=\"%.3f%%\" cy=\"%.2f\" r=\"2.5\">",
			   s->look, middle(span, i, 100), height_of(axis, s->values[i]));
		put_title(out, p, span, i, s);
		buf_puts(out, "</circle>\n");
	}
}

void plot_lines(struct buf *out, const struct plot *p, const struct span *span,
		const struct plot_series *series, size_t n)
{
	double least = INFINITY, most = 0;
	struct axis axis;

	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < span->n; i++) {
			least = fmin(least, series[k].values[i]);	/* fmin leaves out a NaN */
			most = fmax(most, series[k].values[i]);
		}
	}
	axis_init_seconds(&axis, least, most);
	plot_open(out, p, "wide", HEIGHT);
	put_axes(out, p, span, &axis);
	buf_printf(out, "<svg class=\"lines\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %d %d\""
		   " preserveAspectRatio=\"none\">\n", HEIGHT, ACROSS, HEIGHT);
	for (size_t k = 0; k < n; k++)
		put_line(out, span, &axis, &series[k]);
	buf_puts(out, "</svg>\n");
	for (size_t k = 0; k < n; k++)
		put_dots(out, p, span, &axis, &series[k]);
	plot_close(out);
}
