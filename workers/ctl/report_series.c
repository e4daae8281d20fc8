/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "common/base/mem.h"
#include "workers/ctl/page.h"
#include "workers/ctl/report.h"

void report_series_load(struct report_series *s, const struct report *r, const struct pg_rows *rows,
			int first, size_t n)
{
	s->n = n;
	for (size_t k = 0; k < n; k++) {
		s->of[k].values = s->values[k];
		for (size_t i = 0; i < r->span.n; i++)
			s->values[k][i] = NAN;
	}
	for (size_t row = 0; row < pg_rows_count(rows); row++) {
		int64_t i = pg_int(rows, row, 0);

		for (size_t k = 0; i >= 0 && i < (int64_t)r->span.n && k < n; k++) {
			int column = first + (int)k;

			if (pg_cell(rows, row, column))
				s->values[k][i] = pg_num(rows, row, column);
		}
	}
}

double report_series_most(const struct report_series *s, const struct report *r, size_t k)
{
	double most = NAN;

	for (size_t i = 0; i < r->span.n; i++)
		most = fmax(most, s->values[k][i]);
	return most;
}

bool report_series_any(const struct report_series *s, const struct report *r)
{
	for (size_t k = 0; k < s->n; k++) {
		if (report_series_most(s, r, k) > 0)
			return true;
	}
	return false;
}

void report_series_legend(const struct report_series *s, const struct report *r)
{
	page_legend_open(r->out);
	for (size_t k = 0; k < s->n; k++)
		page_legend(r->out, s->of[k].look, s->of[k].name);
	page_legend_close(r->out);
}

static bool has_number(const struct report_series *s, size_t i)
{
	for (size_t k = 0; k < s->n; k++) {
		if (!isnan(s->values[k][i]))
			return true;
	}
	return false;
}

void report_series_table(const struct report_series *s, const struct report *r, const char *caption,
			 enum amount_unit unit)
{
	struct page_column columns[REPORT_SERIES_MAX + 1] = { { "time", false } };
	char text[SPAN_LABEL_SIZE], amount[AMOUNT_SIZE];

	for (size_t k = 0; k < s->n; k++)
		columns[k + 1] = (struct page_column){ s->of[k].name, true };
	page_table_open(r->out, caption, columns, s->n + 1, true);
	for (size_t i = 0; i < r->span.n; i++) {
		if (!has_number(s, i))
			continue;
		page_row(r->out);
		span_label(&r->span, i, text);
		page_cell(r->out, &columns[0], text);
		for (size_t k = 0; k < s->n; k++) {
			amount_text(unit, s->values[k][i], amount);
			page_cell(r->out, &columns[k + 1], amount);
		}
		page_row_close(r->out);
	}
	page_table_close(r->out, true);
}
