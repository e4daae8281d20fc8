/* SPDX-License-Identifier: MIT */
/* How much of postings got how far, what providers were asked, and what waits in the queues. */
#include <math.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/census.h"
#include "workers/ctl/page.h"
#include "workers/ctl/report.h"

enum { BARS_MOST = 24, BAR_TEXT = 120 };

/* Each stage at the time when it was done with an answer. */
static const char SQL_PIPELINE[] =
	"SELECT i, sum(loaded), sum(merged), sum(refused) FROM ("
	" SELECT " REPORT_INTERVAL("completed_at") " AS i, 0 AS loaded, 0 AS merged,"
	"  jobs_failed AS refused FROM public.job_processing_log WHERE " REPORT_WITHIN("completed_at")
	" UNION ALL SELECT " REPORT_INTERVAL("loaded_at") ", jobs_loaded, jobs_merged, 0"
	"  FROM public.job_processing_log WHERE " REPORT_WITHIN("loaded_at") ") AS stages GROUP BY i";

/* Over all sources. */
static const char SQL_STAGES[] =
	"SELECT sum(items) FILTER (WHERE stage = 'collection'),"
	" sum(items) FILTER (WHERE stage = 'processing'), sum(errors) FILTER (WHERE stage = 'processing'),"
	" sum(inserts) FILTER (WHERE stage = 'loading'),"
	" sum(duplicates) FILTER (WHERE stage = 'loading'),"
	" sum(waiting) FILTER (WHERE stage = 'loading') FROM jobfleet.stage_figures("
	" to_timestamp($2::bigint), ($2::bigint - $1::bigint) * interval '1 s')";

static const char SQL_BY_SOURCE[] =
	"SELECT stage, coalesce(nullif(source, ''), '-'), runs, items, errors, inserts, duplicates,"
	" waiting, round(oldest_s::numeric), round(seconds::numeric, 1) FROM jobfleet.stage_figures("
	" to_timestamp($2::bigint), ($2::bigint - $1::bigint) * interval '1 s')"
	" ORDER BY array_position(ARRAY['collection', 'processing', 'loading'], stage), items DESC, 2";

static const struct page_column STAGE_COLUMNS[] = {
	{ "stage", false }, { "source", false }, { "runs", true }, { "postings", true },
	{ "errors", true }, { "new", true }, { "duplicates", true }, { "waiting", true },
	{ "oldest waits s", true }, { "took s", true },
};

static int put_stages(struct report *r, struct err *e)
{
	static const struct {
		const char *label, *look;
	} bars_of[] = {
		{ "collected", "other" }, { "processed", "other" },
		{ "rejected by processing", "bad" }, { "loaded as new", "good" },
		{ "merged as duplicates", "again" }, { "waiting to be loaded", "other" },
	};
	struct plot_bar bars[COUNT(bars_of)];
	struct pg_rows *sums = NULL, *rows = NULL;
	int got = ctl_query(r->ctl, SQL_STAGES,
			    PG_PARAMS(PG_INT(r->span.from_s), PG_INT(r->span.to_s)), &sums, e);

	if (got == 0)
		got = ctl_query(r->ctl, SQL_BY_SOURCE,
				PG_PARAMS(PG_INT(r->span.from_s), PG_INT(r->span.to_s)), &rows, e);
	for (size_t i = 0; got == 0 && i < COUNT(bars_of); i++)
		bars[i] = (struct plot_bar){ bars_of[i].label, NULL, bars_of[i].look,
					     pg_num(sums, 0, (int)i), NAN };
	if (got == 0) {
		page_section(r->out, "pipeline", "Pipeline",
			     "Postings that each stage was done with, and those that wait.", false);
		if (pg_rows_count(rows) > 0) {
			plot_bars(r->out, &(struct plot){
				"p-stages", "Postings by stage",
				"Postings collected, processed, rejected, loaded, merged and waiting.",
				"postings", AMOUNT_COUNT }, bars, COUNT(bars), 0);
			page_table(r->out, "postings by stage and source", STAGE_COLUMNS,
				   COUNT(STAGE_COLUMNS), rows, true);
		} else {
			page_empty(r->out, "No stage was done with anything in this time.");
		}
		page_section_close(r->out);
	}
	pg_rows_free(sums);
	pg_rows_free(rows);
	return got;
}

static void put_postings(struct report *r, const struct pg_rows *rows)
{
	struct report_series *s = mem_zalloc(sizeof *s);
	char step[SPAN_LABEL_SIZE], axis[2 * SPAN_LABEL_SIZE];

	report_series_load(s, r, rows, 1, 3);
	s->of[0].name = "loaded as new", s->of[0].look = "good";
	s->of[1].name = "merged as duplicates", s->of[1].look = "again";
	s->of[2].name = "rejected by processing", s->of[2].look = "bad";
	page_section(r->out, "postings", "Postings over time", NULL, false);
	if (report_series_any(s, r)) {
		span_step_text(&r->span, step);
		snprintf(axis, sizeof axis, "postings in %s, by time (%s)", step, r->tz);
		plot_columns(r->out, &(struct plot){ "p-postings", "Postings over time",
						     "Postings loaded, merged and rejected.", axis,
						     AMOUNT_COUNT }, &r->span, s->of, s->n);
		report_series_legend(s, r);
		report_series_table(s, r, "postings over time", AMOUNT_COUNT);
	} else {
		page_empty(r->out, "No posting came to an end in this time.");
	}
	page_section_close(r->out);
	free(s);
}

int report_pipeline(struct report *r, struct err *e)
{
	struct pg_rows *rows = NULL;
	int got = ctl_query(r->ctl, SQL_PIPELINE, PG_PARAMS(REPORT_SPAN(r)), &rows, e);

	if (got == 0)
		got = put_stages(r, e);
	if (got == 0)
		put_postings(r, rows);
	pg_rows_free(rows);
	return got;
}

/* ---- quota ---- */

/* Each bound of a source; of one without any, the calls alone. */
static const char SQL_QUOTA[] =
	"SELECT s.source, q.period, q.used, q.allowed, s.calls,"
	" round(100 * s.success_rate::numeric, 1), round(s.mean_s::numeric, 3), s.circuit, s.reason,"
	" CASE WHEN isfinite(s.parked_until) THEN " REPORT_LOCAL("s.parked_until", "$3")
	"  WHEN s.parked_until IS NOT NULL THEN 'somebody acts' END"
	" FROM jobfleet.source_figures(to_timestamp($2::bigint), ($2::bigint - $1::bigint)"
	"  * interval '1 s') s"
	" LEFT JOIN LATERAL (VALUES ('day', s.day_used, s.day_allowed),"
	"  ('month', s.month_used, s.month_allowed)) AS q (period, used, allowed) ON q.used IS NOT NULL"
	" ORDER BY q.used::float8 / nullif(q.allowed, 0) DESC NULLS LAST, 1, 2 LIMIT $4::integer";

enum { SOURCE, PERIOD, USED, ALLOWED };

static void put_quota(struct report *r, const struct pg_rows *rows)
{
	struct plot_bar bars[BARS_MOST] = { 0 };
	char labels[BARS_MOST][BAR_TEXT], texts[BARS_MOST][BAR_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < pg_rows_count(rows) && n < BARS_MOST; i++) {
		double used = pg_num(rows, i, USED), allowed = pg_num(rows, i, ALLOWED);
		double share = 100 * used / allowed;

		if (allowed <= 0)
			continue;
		snprintf(labels[n], BAR_TEXT, "%s, this %s", pg_text(rows, i, SOURCE),
			 pg_text(rows, i, PERIOD));
		snprintf(texts[n], BAR_TEXT, "%.0f of %.0f", used, allowed);
		bars[n] = (struct plot_bar){ labels[n], texts[n], share >= 100 ? "bad" :
					     share >= 80 ? "again" : "good", share, NAN };
		n++;
	}
	if (n == 0) {
		page_empty(r->out, "No source that was asked has a bound.");
		return;
	}
	plot_bars(r->out, &(struct plot){ "p-quota", "Quota used by source",
					  "Calls used of those allowed, by source and period.",
					  "share of the calls that are allowed", AMOUNT_PERCENT },
		  bars, n, 100);
	page_legend_open(r->out);
	page_legend(r->out, "good", "under 80 %");
	page_legend(r->out, "again", "80 % or more");
	page_legend(r->out, "bad", "used up");
	page_legend_close(r->out);
}

int report_quota(struct report *r, struct err *e)
{
	static const struct page_column columns[] = {
		{ "source", false }, { "period", false }, { "used", true }, { "allowed", true },
		{ "calls in this time", true }, { "answered %", true }, { "mean s", true },
		{ "circuit", false }, { "parked for", false }, { "until", false },
	};
	struct pg_rows *rows = NULL;
	int got = ctl_query(r->ctl, SQL_QUOTA,
			    PG_PARAMS(PG_INT(r->span.from_s), PG_INT(r->span.to_s), PG_TEXT(r->tz),
				      PG_INT(4 * BARS_MOST)), &rows, e);

	if (got < 0)
		return got;
	page_section(r->out, "quota", "Quota by source",
		     "Of the day and the month in which this time ends.", false);
	if (pg_rows_count(rows) > 0) {
		put_quota(r, rows);
		page_table(r->out, "quota and calls by source", columns, COUNT(columns), rows,
			   true);
	} else {
		page_empty(r->out, "No source was asked.");
	}
	page_section_close(r->out);
	pg_rows_free(rows);
	return 0;
}

/* ---- queues ---- */

static const struct page_column QUEUE_COLUMNS[] = {
	{ "queue", false }, { "ready", true }, { "unacked", true }, { "consumers", true },
	{ "oldest", true }, { "waiting in PostgreSQL", true }, { "state", false },
};

static void put_number(struct report *r, int column, int64_t n)
{
	char text[24];

	pg_int_text(text, n);
	page_cell(r->out, &QUEUE_COLUMNS[column], n < 0 ? NULL : text);
}

static void put_queue_row(struct report *r, const struct census_queue *q)
{
	char text[160];
	int c = 0;

	page_row(r->out);
	page_cell(r->out, &QUEUE_COLUMNS[c++], q->name);
	put_number(r, c++, q->ready);
	put_number(r, c++, q->unacked);
	put_number(r, c++, q->consumers);
	census_age_text(q, text, sizeof text);
	page_cell(r->out, &QUEUE_COLUMNS[c++], text);
	put_number(r, c++, census_waiting(q));
	census_state(q, text, sizeof text);
	page_cell(r->out, &QUEUE_COLUMNS[c], text);
	page_row_close(r->out);
}

static void put_queues(struct report *r, const struct census *x)
{
	struct plot_bar bars[BARS_MOST] = { 0 };
	char texts[BARS_MOST][BAR_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < x->n && n < BARS_MOST; i++) {
		const struct census_queue *q = &x->queues[i];
		char age[48];

		census_age_text(q, age, sizeof age);
		if (q->ready < 0)
			snprintf(texts[n], BAR_TEXT, "not declared");
		else if (q->ready > 0)
			snprintf(texts[n], BAR_TEXT, "%lld, oldest %s", (long long)q->ready, age);
		else
			snprintf(texts[n], BAR_TEXT, "0");
		bars[n] = (struct plot_bar){ q->name, texts[n],
					     q->consumers > 0 ? "good" : "bad",
					     q->ready < 0 ? NAN : (double)q->ready, NAN };
		n++;
	}
	plot_bars(r->out, &(struct plot){ "p-queues", "Queues now", "Messages ready, by queue.",
					  "messages ready", AMOUNT_COUNT }, bars, n, 0);
	page_legend_open(r->out);
	page_legend(r->out, "good", "somebody consumes");
	page_legend(r->out, "bad", "nobody consumes");
	page_legend_close(r->out);
	page_table_open(r->out, "queues now", QUEUE_COLUMNS, COUNT(QUEUE_COLUMNS), true);
	for (size_t i = 0; i < x->n; i++)
		put_queue_row(r, &x->queues[i]);
	page_table_close(r->out, true);
}

int report_queues(struct report *r, struct err *e)
{
	struct census x = { 0 };
	int got = census_take(&x, r->ctl, NULL, false, NULL, e);

	if (got < 0)
		return got;
	page_section(r->out, "queues", "Queues now", "When the report was written.", false);
	if (x.n > 0)
		put_queues(r, &x);
	else
		page_empty(r->out, "queues.conf names no queue.");
	page_section_close(r->out);
	census_release(&x);
	return 0;
}
