/* SPDX-License-Identifier: MIT */
/* Schedules and tasks over the last 24 hours beside those before, and the alerts of the time. */
#include <math.h>

#include "common/base/mem.h"
#include "workers/ctl/page.h"
#include "workers/ctl/report.h"

enum { BARS_MOST = 20, BAR_TEXT = 120, ALERTS_MOST = 200, TASKS_MOST = 200 };

#define TREND \
	"CASE WHEN success_rate > success_rate_before THEN 'better'" \
	" WHEN success_rate < success_rate_before THEN 'worse'" \
	" WHEN success_rate_before IS NULL OR success_rate IS NULL THEN NULL ELSE 'same' END," \
	" round(100 * (mean_s / nullif(mean_s_before, 0) - 1), 1)"

static const char SQL_SCHEDULES[] =
	"SELECT schedule, runs, success_rate, mean_s, runs_before, success_rate_before,"
	" mean_s_before, " TREND ", records FROM jobfleet.schedule_stats(to_timestamp($1::bigint))"
	" ORDER BY success_rate NULLS LAST, runs DESC, schedule LIMIT $2::integer";
static const char SQL_TASKS[] =
	"SELECT task, runs, success_rate, mean_s, runs_before, success_rate_before, mean_s_before,"
	" " TREND " FROM jobfleet.task_stats(to_timestamp($1::bigint))"
	" ORDER BY runs DESC, task LIMIT $2::integer";

enum { NAME, RUNS, RATE, MEAN, RUNS_BEFORE, RATE_BEFORE, MEAN_BEFORE };

static const struct page_column ROLLING[] = {
	{ "name", false }, { "runs in 24 h", true }, { "success %", true }, { "mean s", true },
	{ "runs before", true }, { "success % before", true }, { "mean s before", true },
	{ "trend", false }, { "mean changed by %", true }, { "records", true },
};

struct rolling {
	const char *id, *title, *about, *empty, *caption, *sql;
	size_t columns;
};

static double cell(const struct pg_rows *rows, size_t i, int column)
{
	return pg_cell(rows, i, column) ? pg_num(rows, i, column) : NAN;
}

static void put_text(char *out, const struct pg_rows *rows, size_t i)
{
	char rate[AMOUNT_SIZE], mean[AMOUNT_SIZE];

	amount_text(AMOUNT_PERCENT, cell(rows, i, RATE), rate);
	amount_text(AMOUNT_SECONDS, cell(rows, i, MEAN), mean);
	if (pg_int(rows, i, RUNS) == 0)
		snprintf(out, BAR_TEXT, "no run");
	else
		snprintf(out, BAR_TEXT, "%s of %s, %s", rate, pg_text(rows, i, RUNS), mean);
}

static void put_rolling(struct report *r, const struct rolling *x, const struct pg_rows *rows)
{
	struct plot_bar bars[BARS_MOST] = { 0 };
	char texts[BARS_MOST][BAR_TEXT], id[40], more[80];
	size_t all = pg_rows_count(rows), n = all < BARS_MOST ? all : BARS_MOST;

	for (size_t i = 0; i < n; i++) {
		double rate = cell(rows, i, RATE);

		put_text(texts[i], rows, i);
		bars[i] = (struct plot_bar){ pg_text(rows, i, NAME), texts[i],
					     rate < 95 ? "bad" : "good", rate,
					     cell(rows, i, RATE_BEFORE) };
	}
	snprintf(id, sizeof id, "p-%s", x->id);
	plot_bars(r->out, &(struct plot){ id, x->title, x->about,
					  "share that ended well; beside it runs and mean duration",
					  AMOUNT_PERCENT }, bars, n, 100);
	page_legend_open(r->out);
	page_legend(r->out, "good", "95 % or more");
	page_legend(r->out, "bad", "less");
	page_legend(r->out, "upright", "the 24 hours before");
	page_legend_close(r->out);
	if (all > n) {
		snprintf(more, sizeof more, "%zu more stand in the table.", all - n);
		page_note(r->out, more);
	}
	page_table(r->out, x->caption, ROLLING, x->columns, rows, true);
}

static int rolling(struct report *r, const struct rolling *x, struct err *e)
{
	struct pg_rows *rows = NULL;
	int got = ctl_query(r->ctl, x->sql, PG_PARAMS(PG_INT(r->span.to_s), PG_INT(TASKS_MOST)),
			    &rows, e);

	if (got < 0)
		return got;
	page_section(r->out, x->id, x->title, x->about, false);
	if (pg_rows_count(rows) > 0)
		put_rolling(r, x, rows);
	else
		page_empty(r->out, x->empty);
	page_section_close(r->out);
	pg_rows_free(rows);
	return 0;
}

int report_schedules(struct report *r, struct err *e)
{
	return rolling(r, &(struct rolling){
		"schedules", "Schedules", "Runs that ended in the last 24 hours of this time.",
		"No run of a schedule ended in the last two days of this time.",
		"schedules, 24 hours and those before", SQL_SCHEDULES, COUNT(ROLLING) }, e);
}

int report_tasks(struct report *r, struct err *e)
{
	return rolling(r, &(struct rolling){
		"tasks", "Tasks", "All that ended in the last 24 hours of this time, scheduled or not.",
		"No task ended in the last two days of this time.",
		"tasks, 24 hours and those before", SQL_TASKS, COUNT(ROLLING) - 1 }, e);
}

/* ---- alerts ---- */

static const char SQL_ALERTS[] =
	"SELECT level, name, subject, message, occurrences, " REPORT_LOCAL("first_at", "$4") ","
	" " REPORT_LOCAL("last_at", "$4") ", " REPORT_LOCAL("resolved_at", "$4") ","
	" floor(extract(epoch FROM first_at))::bigint,"
	" floor(extract(epoch FROM coalesce(resolved_at, to_timestamp($2::bigint))))::bigint"
	" FROM jobfleet.alerts WHERE first_at < to_timestamp($2::bigint)"
	" AND coalesce(resolved_at, 'infinity') >= to_timestamp($1::bigint)"
	" ORDER BY (resolved_at IS NULL) DESC, array_position(ARRAY['CRITICAL', 'ERROR', 'WARNING',"
	"  'INFO'], level), last_at DESC LIMIT $3::integer";

enum { LEVEL, ALERT, SUBJECT, MESSAGE, TIMES, FIRST, LAST, RESOLVED, FROM_S, TO_S };

static const struct page_column ALERT_COLUMNS[] = {
	{ "level", false }, { "alert", false }, { "of", false }, { "message", false },
	{ "times", true }, { "first", false }, { "last", false }, { "resolved", false },
};

static const char *look_of(const char *level)
{
	if (strcmp(level, "INFO") == 0)
		return "other";
	return strcmp(level, "WARNING") == 0 ? "again" : "bad";
}

static void put_alerts(struct report *r, const struct pg_rows *rows)
{
	struct plot_stretch stretches[BARS_MOST];
	char labels[BARS_MOST][BAR_TEXT], texts[BARS_MOST][BAR_TEXT], axis[SPAN_LABEL_SIZE + 40];
	size_t all = pg_rows_count(rows), n = all < BARS_MOST ? all : BARS_MOST;

	for (size_t i = 0; i < n; i++) {
		snprintf(labels[i], BAR_TEXT, "%s: %s", pg_text(rows, i, ALERT),
			 pg_text(rows, i, SUBJECT));
		snprintf(texts[i], BAR_TEXT, "%s%s", pg_text(rows, i, LEVEL),
			 pg_cell(rows, i, RESOLVED) ? "" : ", open");
		stretches[i] = (struct plot_stretch){ labels[i], texts[i],
						      look_of(pg_text(rows, i, LEVEL)),
						      pg_int(rows, i, FROM_S),
						      pg_int(rows, i, TO_S) };
	}
	snprintf(axis, sizeof axis, "when it was open (%s)", r->tz);
	plot_stretches(r->out, &(struct plot){ "p-alerts", "Alerts over time",
					       "Open ones first, then by level.", axis,
					       AMOUNT_COUNT }, &r->span, stretches, n);
	page_legend_open(r->out);
	page_legend(r->out, "bad", "ERROR or CRITICAL");
	page_legend(r->out, "again", "WARNING");
	page_legend(r->out, "other", "INFO");
	page_legend_close(r->out);
	page_table(r->out, "alerts", ALERT_COLUMNS, COUNT(ALERT_COLUMNS), rows, true);
}

int report_alerts(struct report *r, struct err *e)
{
	struct pg_rows *rows = NULL;
	int got = ctl_query(r->ctl, SQL_ALERTS,
			    PG_PARAMS(PG_INT(r->span.from_s), PG_INT(r->span.to_s),
				      PG_INT(ALERTS_MOST), PG_TEXT(r->tz)), &rows, e);

	if (got < 0)
		return got;
	page_section(r->out, "alerts", "Alerts", "Those that were open in this time.", true);
	if (pg_rows_count(rows) > 0)
		put_alerts(r, rows);
	else
		page_empty(r->out, "No alert was open in this time.");
	page_section_close(r->out);
	pg_rows_free(rows);
	return 0;
}
