/* SPDX-License-Identifier: MIT */
/* report: what the chapters of `jobfleet report` share. Each writes its sections into out; what it
 * shows is of the span, as PostgreSQL's clock has it, or of `to` where it says "now".
 * A chapter answers 0, or a negative code and has then written whole sections or nothing. */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <stdbool.h>

#include "common/store/pg.h"
#include "workers/ctl/amount.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/plot.h"
#include "workers/ctl/span.h"

struct buf;

struct report {
	struct ctl *ctl;
	struct buf *out;
	struct span span;
	const char *tz;		/* the span's zone, a name that PostgreSQL knows, too */
};

/* The first three parameters of most statements here: from and to as seconds since the epoch, and
 * the length of an interval. The fourth of some is the time zone. */
#define REPORT_SPAN(r) PG_INT((r)->span.from_s), PG_INT((r)->span.to_s), PG_INT((r)->span.step_s)
#define REPORT_WITHIN(column) \
	column " >= to_timestamp($1::bigint) AND " column " < to_timestamp($2::bigint)"
#define REPORT_INTERVAL(column) \
	"floor((extract(epoch FROM " column ") - $1::bigint) / $3::bigint)::integer"
#define REPORT_LOCAL(column, zone) \
	"to_char(" column " AT TIME ZONE " zone ", 'YYYY-MM-DD HH24:MI:SS')"

/* Several numbers an interval, from a result whose first column is the interval. */
enum { REPORT_SERIES_MAX = 4 };
struct report_series {
	struct plot_series of[REPORT_SERIES_MAX];
	size_t n;
	double values[REPORT_SERIES_MAX][SPAN_INTERVALS_MAX];
};

/* Series k is column first + k; what has no row or is null is not a number. Names and looks are to
 * be set. */
void report_series_load(struct report_series *s, const struct report *r, const struct pg_rows *rows,
			int first, size_t n);
/* Is there any number above 0? */
bool report_series_any(const struct report_series *s, const struct report *r);
double report_series_most(const struct report_series *s, const struct report *r, size_t k);
void report_series_legend(const struct report_series *s, const struct report *r);
/* The numbers, a line an interval that has some. */
void report_series_table(const struct report_series *s, const struct report *r, const char *caption,
			 enum amount_unit unit);

typedef int report_chapter(struct report *r, struct err *e);
report_chapter report_summary;				/* report_summary.c */
report_chapter report_flow, report_failures;		/* report_flow.c */
report_chapter report_pipeline, report_quota, report_queues;	/* report_work.c */
report_chapter report_quality;				/* report_quality.c */
report_chapter report_schedules, report_tasks, report_alerts;	/* report_plan.c */

#endif
