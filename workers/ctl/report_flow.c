/* SPDX-License-Identifier: MIT */
/* What ended and how, how long it waited and ran, and why it failed: all from the ledger. */
#include <math.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/ctl/page.h"
#include "workers/ctl/report.h"

enum { CAUSES_MOST = 12, GROUPS_MOST = 100, WAITS_KNOWN = 9 };

static const char SQL_FLOW[] =
	"SELECT " REPORT_INTERVAL("settled_at") ", count(*) FILTER (WHERE outcome = 'success'),"
	" count(*) FILTER (WHERE outcome IN ('failure', 'rejected')),"
	" count(*) FILTER (WHERE outcome = 'retry'),"
	" count(*) FILTER (WHERE outcome IN ('revoked', 'ignored', 'replaced')),"
	" percentile_cont(0.5) WITHIN GROUP (ORDER BY ran),"
	" percentile_cont(0.99) WITHIN GROUP (ORDER BY ran),"
	" percentile_cont(0.5) WITHIN GROUP (ORDER BY waited),"
	" percentile_cont(0.99) WITHIN GROUP (ORDER BY waited), count(waited)"
	" FROM (SELECT settled_at, outcome, CASE WHEN outcome <> 'revoked' AND started_at <= settled_at THEN"
	"   extract(epoch FROM settled_at - started_at)::float8 END AS ran,"
	"  CASE WHEN started_at >= sent_at THEN extract(epoch FROM started_at - sent_at)::float8 END"
	"   AS waited"
	"  FROM jobfleet.ledger WHERE " REPORT_WITHIN("settled_at") ") l GROUP BY 1";

static void describe(const struct report *r, const struct report_series *s, enum amount_unit unit,
		     char *out, size_t size)
{
	char step[SPAN_LABEL_SIZE], most[AMOUNT_SIZE];
	size_t n;

	span_step_text(&r->span, step);
	n = (size_t)snprintf(out, size, "%zu intervals of %s.", r->span.n, step);
	for (size_t k = 0; k < s->n && n < size; k++) {
		amount_text(unit, report_series_most(s, r, k), most);
		n += (size_t)snprintf(out + n, size - n, " %s: at most %s.", s->of[k].name, most);
	}
}

static void put_throughput(struct report *r, const struct pg_rows *rows)
{
	struct report_series *s = mem_zalloc(sizeof *s);
	char step[SPAN_LABEL_SIZE], axis[2 * SPAN_LABEL_SIZE], desc[400];

	report_series_load(s, r, rows, 1, 4);
	s->of[0].name = "succeeded", s->of[0].look = "good";
	s->of[1].name = "failed", s->of[1].look = "bad";
	s->of[2].name = "to be tried again", s->of[2].look = "again";
	s->of[3].name = "revoked or left out", s->of[3].look = "other";
	page_section(r->out, "throughput", "Throughput", "Attempts of tasks that ended, by how.",
		     true);
	if (report_series_any(s, r)) {
		span_step_text(&r->span, step);
		snprintf(axis, sizeof axis, "attempts in %s, by time (%s)", step, r->tz);
		describe(r, s, AMOUNT_COUNT, desc, sizeof desc);
		plot_columns(r->out, &(struct plot){ "p-throughput", "Attempts that ended",
						     desc, axis, AMOUNT_COUNT },
			     &r->span, s->of, s->n);
		report_series_legend(s, r);
		report_series_table(s, r, "attempts that ended", AMOUNT_COUNT);
	} else {
		page_empty(r->out, "No task ended in this time.");
	}
	page_section_close(r->out);
	free(s);
}

struct latency {
	const char *id, *title, *about, *empty, *caption;
	int column;
};

static void put_latency(struct report *r, const struct pg_rows *rows, const struct latency *l)
{
	struct report_series *s = mem_zalloc(sizeof *s);
	char id[40], axis[2 * SPAN_LABEL_SIZE], desc[400];

	report_series_load(s, r, rows, l->column, 2);
	s->of[0].name = "p50: half of them took less", s->of[0].look = "first";
	s->of[1].name = "p99: 99 % of them took less", s->of[1].look = "second";
	page_section(r->out, l->id, l->title, l->about, false);
	if (!isnan(report_series_most(s, r, 0))) {
		snprintf(id, sizeof id, "p-%s", l->id);
		snprintf(axis, sizeof axis, "logarithmic, by time (%s)", r->tz);
		describe(r, s, AMOUNT_SECONDS, desc, sizeof desc);
		plot_lines(r->out, &(struct plot){ id, l->title, desc, axis, AMOUNT_SECONDS },
			   &r->span, s->of, s->n);
		report_series_legend(s, r);
		report_series_table(s, r, l->caption, AMOUNT_SECONDS);
	} else {
		page_empty(r->out, l->empty);
	}
	page_section_close(r->out);
	free(s);
}

int report_flow(struct report *r, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t known = 0;
	char about[200];
	int got = ctl_query(r->ctl, SQL_FLOW, PG_PARAMS(REPORT_SPAN(r)), &rows, e);

	if (got < 0)
		return got;
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		known += pg_int(rows, i, WAITS_KNOWN);
	snprintf(about, sizeof about,
		 "From sent to started, of the %lld attempts that went through jobfleet.pending. "
		 "Other clients' messages carry no date.", (long long)known);
	put_throughput(r, rows);
	put_latency(r, rows, &(struct latency){ "run-time", "Run time",
						"From started to ended, of each attempt.",
						"No task ran in this time.", "run time", 5 });
	put_latency(r, rows, &(struct latency){ "queue-wait", "Wait in the queue", about,
						"Of no task that ended in this time it is known when "
						"it was sent.", "wait in the queue", 7 });
	pg_rows_free(rows);
	return 0;
}

/* ---- failures ---- */

#define FAILED \
	"WITH failed AS (SELECT coalesce(nullif(cause, ''), outcome) AS cause, task, settled_at AS at," \
	"  outcome = 'retry' AS again, task_id FROM jobfleet.ledger" \
	"  WHERE outcome IN ('failure', 'rejected', 'retry')" \
	"  AND settled_at >= to_timestamp($1::bigint) AND settled_at < to_timestamp($2::bigint)" \
	"  UNION ALL SELECT d.cause, coalesce(d.task, '-'), d.died_at, false, d.task_id" \
	"  FROM jobfleet.dead_letters d" \
	"  WHERE d.died_at >= to_timestamp($1::bigint) AND d.died_at < to_timestamp($2::bigint)" \
	"  AND NOT EXISTS (SELECT FROM jobfleet.ledger l WHERE l.task_id = d.task_id" \
	"   AND l.generation = d.generation AND l.final)) "

static const char SQL_CAUSES[] =
	FAILED "SELECT cause, count(*) FILTER (WHERE NOT again), count(*) FILTER (WHERE again)"
	" FROM failed GROUP BY 1 ORDER BY count(*) FILTER (WHERE NOT again) DESC, 3 DESC, 1"
	" LIMIT $3::integer";

/* What the newest of a group said: in its dead letter, or as the exception of its result. */
static const char SQL_GROUPS[] =
	FAILED "SELECT g.cause, g.task, g.ends, g.again, " REPORT_LOCAL("g.last", "$4") ","
	" coalesce((SELECT d.reason FROM jobfleet.dead_letters d WHERE d.task_id = g.task_id"
	"   ORDER BY d.id DESC LIMIT 1),"
	"  (SELECT l.meta FROM jobfleet.ledger l WHERE l.task_id = g.task_id AND l.settled_at = g.last"
	"   AND octet_length(l.meta) < 65536 LIMIT 1)) FROM (SELECT cause, task,"
	"  count(*) FILTER (WHERE NOT again) AS ends, count(*) FILTER (WHERE again) AS again,"
	"  max(at) AS last, (array_agg(task_id ORDER BY at DESC))[1] AS task_id"
	"  FROM failed GROUP BY 1, 2) g ORDER BY g.ends DESC, g.again DESC, 1, 2 LIMIT $3::integer";

/* A code of ours is told in words, too. */
static void name_cause(const char *cause, char *out, size_t size)
{
	for (int c = ERR_NONE + 1; c < ERR_COUNT; c++) {
		if (strcmp(err_name((enum err_code)c), cause) == 0) {
			snprintf(out, size, "%s: %s", cause, err_text((enum err_code)c));
			return;
		}
	}
	snprintf(out, size, "%s", cause);
}

static void put_causes(struct report *r, const struct pg_rows *rows)
{
	struct plot_bar bars[CAUSES_MOST] = { 0 };
	char names[CAUSES_MOST][120], texts[CAUSES_MOST][80], desc[80];
	size_t n = pg_rows_count(rows);

	for (size_t i = 0; i < n; i++) {
		name_cause(pg_text(rows, i, 0), names[i], sizeof names[i]);
		snprintf(texts[i], sizeof texts[i], "%s", pg_text(rows, i, 1));
		if (pg_int(rows, i, 2) > 0)
			snprintf(texts[i], sizeof texts[i], "%s + %s retries", pg_text(rows, i, 1),
				 pg_text(rows, i, 2));
		bars[i] = (struct plot_bar){ names[i], texts[i], "bad", pg_num(rows, i, 1), NAN };
	}
	snprintf(desc, sizeof desc, "%zu causes, the most frequent first.", n);
	plot_bars(r->out, &(struct plot){ "p-failures", "Failures by cause", desc,
					  "tasks that ended with it", AMOUNT_COUNT }, bars, n, 0);
}

static const char *message_of(const char *text, cJSON **ret)
{
	const cJSON *result, *message;

	if (text[0] != '{' || json_parse(text, strlen(text), ret, NULL) < 0)
		return text;
	result = json_get(*ret, "result");
	message = json_get(result, "exc_message");
	if (cJSON_IsArray(message))
		message = cJSON_GetArrayItem(message, 0);
	return cJSON_IsString(message) ? message->valuestring : json_str(result, "exc_type", "");
}

static void put_groups(struct report *r, const struct pg_rows *rows)
{
	static const struct page_column columns[] = {
		{ "cause", false }, { "task", false }, { "ended", true }, { "tried again", true },
		{ "last", false }, { "what it said", false },
	};
	enum { SAID = COUNT(columns) - 1, SAID_MOST = 400 };

	page_table_open(r->out, "failures by cause and task", columns, COUNT(columns), true);
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		cJSON *meta = NULL;
		char said[SAID_MOST + 1];

		page_row(r->out);
		for (int c = 0; c < SAID; c++)
			page_cell(r->out, &columns[c], pg_cell(rows, i, c));
		snprintf(said, sizeof said, "%s", message_of(pg_text(rows, i, SAID), &meta));
		page_cell(r->out, &columns[SAID], said);
		page_row_close(r->out);
		cJSON_Delete(meta);
	}
	page_table_close(r->out, true);
}

int report_failures(struct report *r, struct err *e)
{
	struct pg_rows *causes = NULL, *groups = NULL;
	int got = ctl_query(r->ctl, SQL_CAUSES,
			    PG_PARAMS(PG_INT(r->span.from_s), PG_INT(r->span.to_s),
				      PG_INT(CAUSES_MOST)), &causes, e);

	if (got == 0)
		got = ctl_query(r->ctl, SQL_GROUPS,
				PG_PARAMS(PG_INT(r->span.from_s), PG_INT(r->span.to_s),
					  PG_INT(GROUPS_MOST), PG_TEXT(r->tz)), &groups, e);
	if (got == 0) {
		page_section(r->out, "failures", "Failures by cause",
			     "Tasks that ended badly or stand in the dead letters, and attempts that "
			     "were tried again.", false);
		if (pg_rows_count(causes) > 0) {
			put_causes(r, causes);
			put_groups(r, groups);
		} else {
			page_empty(r->out, "Nothing failed in this time.");
		}
		page_section_close(r->out);
	}
	pg_rows_free(causes);
	pg_rows_free(groups);
	return got;
}
