/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "workers/ctl/markup.h"
#include "workers/ctl/plot_private.h"
#include "workers/ctl/axis.h"
#include "workers/ctl/span.h"

enum { ROW = 34, LABEL_Y = 13, BAR_Y = 19, BAR_HEIGHT = 9, LABEL_COLUMNS = 44 };
enum { EDGE = 4 };	/* percent of the axis */

void plot_open(struct buf *out, const struct plot *p, const char *class, int height)
{
	buf_printf(out,
		   "<svg class=\"plot %s\" id=\"%s\" role=\"img\" aria-labelledby=\"%s-t %s-d\""
		   " style=\"--h:%dpx\">\n<title id=\"%s-t\">", class, p->id, p->id, p->id, height,
		   p->id);
	markup_text(out, p->title);
	buf_printf(out, "</title><desc id=\"%s-d\">", p->id);
	markup_text(out, p->desc);
	buf_puts(out, "</desc>\n<text class=\"unit\" y=\"-10\">");
	markup_text(out, p->axis);
	buf_puts(out, "</text>\n");
}

void plot_close(struct buf *out)
{
	buf_puts(out, "</svg>\n");
}

/* A label in the middle of its tick would stand out where the tick is at the edge. */
static const char *edge_of(double percent)
{
	return percent < EDGE ? " first" : percent > 100 - EDGE ? " last" : "";
}

void plot_time_axis(struct buf *out, const struct span *span, int height)
{
	int64_t ticks[SPAN_TICKS_MAX];
	size_t n = span_ticks(span, ticks);

	for (size_t i = 0; i < n; i++) {
		double x = 100 * span_place(span, ticks[i]);
		char label[SPAN_LABEL_SIZE];

		span_tick_label(span, ticks[i], label);
		buf_printf(out, "<line class=\"tick\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\""
			   " y2=\"%d\"/><text class=\"time%s%s\" x=\"%.3f%%\" y=\"%d\">%s"
			   "</text>\n", x, x, height, height + 4, i % 2 ? " minor" : "",
			   edge_of(x), x, height + 18, label);
	}
}

/* ---- rows ---- */

static void put_grid(struct buf *out, const struct axis *s, enum amount_unit unit, int height)
{
	for (int i = 0; i < s->nticks; i++) {
		double x = 100 * axis_place(s, s->ticks[i]);
		char label[AMOUNT_SIZE];

		amount_text(unit, s->ticks[i], label);
		buf_printf(out, "<line class=\"grid\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"0\""
			   " y2=\"%d\"/><text class=\"time %s\" x=\"%.3f%%\" y=\"%d\">%s</text>\n",
			   x, x, height, i == 0 ? "first" : i == s->nticks - 1 ? "last" : "", x,
			   height + 16, label);
	}
}

/* A label of its own element is cut off where the text beside it begins. */
static void put_names(struct buf *out, int row, const char *label, const char *text)
{
	int y = row * ROW;

	buf_printf(out, "<svg class=\"clip\" x=\"0\" y=\"%d\" width=\"58%%\" height=\"18\"><text"
		   " class=\"label\" y=\"%d\">", y, LABEL_Y);
	markup_line(out, label, LABEL_COLUMNS);
	buf_printf(out, "</text></svg><svg class=\"clip\" x=\"59%%\" y=\"%d\" width=\"41%%\""
		   " height=\"18\"><text class=\"value\" x=\"100%%\" y=\"%d\">", y, LABEL_Y);
	markup_text(out, text);
	buf_puts(out, "</text></svg>");
}

static void put_bar(struct buf *out, const struct plot_bar *b, const char *text, double x,
		    double width, int row)
{
	int y = row * ROW + BAR_Y;

	buf_printf(out, "<rect class=\"track\" x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\"/>", y,
		   BAR_HEIGHT);
	if (width >= 0) {
		buf_printf(out, "<rect class=\"mark %s\" x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\""
			   " height=\"%d\" rx=\"2\"><title>", b->look, x, y, width, BAR_HEIGHT);
		markup_text(out, b->label);
		buf_puts(out, ": ");
		markup_text(out, text);
		buf_puts(out, "</title></rect>");
	}
}

void plot_bars(struct buf *out, const struct plot *p, const struct plot_bar *bars, size_t n,
	       double top)
{
	int height = (int)n * ROW;
	struct axis s;
	double most = top;

	for (size_t i = 0; i < n && top <= 0; i++)
		most = fmax(most, bars[i].value);
	axis_init(&s, most, p->unit == AMOUNT_COUNT);
	plot_open(out, p, "rows", height);
	put_grid(out, &s, p->unit, height);
	for (size_t i = 0; i < n; i++) {
		char amount[AMOUNT_SIZE];
		const char *text = bars[i].text ? bars[i].text : amount;
		double width = isnan(bars[i].value) ? -1 : 100 * axis_place(&s, bars[i].value);

		amount_text(p->unit, bars[i].value, amount);
		put_names(out, (int)i, bars[i].label, text);
		put_bar(out, &bars[i], text, 0, width, (int)i);
		if (!isnan(bars[i].before)) {
			double x = 100 * axis_place(&s, bars[i].before);
			int y = (int)i * ROW + BAR_Y;

			buf_printf(out, "<line class=\"before\" x1=\"%.3f%%\" x2=\"%.3f%%\""
				   " y1=\"%d\" y2=\"%d\"/>", x, x, y - 3, y + BAR_HEIGHT + 3);
		}
		buf_putc(out, '\n');
	}
	plot_close(out);
}

void plot_stretches(struct buf *out, const struct plot *p, const struct span *span,
		    const struct plot_stretch *stretches, size_t n)
{
	int height = (int)n * ROW;

	plot_open(out, p, "rows", height);
	for (size_t i = 0; i < n; i++) {
		const struct plot_stretch *t = &stretches[i];
		double from = 100 * span_place(span, t->from_s);
		double to = 100 * span_place(span, t->to_s);
		struct plot_bar bar = { .label = t->label, .look = t->look };

		put_names(out, (int)i, t->label, t->text);
		/* a moment is seen, too */
		put_bar(out, &bar, t->text, fmin(from, 99), fmax(to - from, 1), (int)i);
		buf_putc(out, '\n');
	}
	plot_time_axis(out, span, height);
	plot_close(out);
}
