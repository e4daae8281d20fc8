/* SPDX-License-Identifier: MIT */
/* How good the data is that was processed in the time, beside what queues.conf asks for. */
#include <math.h>

#include "common/base/conf.h"
#include "common/base/mem.h"
#include "workers/ctl/page.h"
#include "workers/ctl/report.h"

enum { PERCENT = 100, BAR_TEXT = 80, SOURCES_MOST = 100 };

/* All sources together first. */
static const char SQL[] =
	"SELECT coalesce(nullif(source, ''), CASE WHEN source IS NULL THEN 'all' ELSE '-' END),"
	" processed, refused, round(100 * completeness::numeric, 2),"
	" round(100 * consistency::numeric, 2), round(100 * duplicates::numeric, 2),"
	" round(100 * error_rate::numeric, 2), round(100 * quality_score::numeric, 2), postings"
	" FROM jobfleet.quality_figures(to_timestamp($2::bigint), ($2::bigint - $1::bigint)"
	"  * interval '1 s') ORDER BY source NULLS FIRST LIMIT $3::integer";

enum { PROCESSED = 1, COMPLETENESS = 3, CONSISTENCY, DUPLICATES, ERRORS, SCORE };

static const struct page_column COLUMNS[] = {
	{ "source", false }, { "processed", true }, { "rejected", true }, { "complete %", true },
	{ "consistent %", true }, { "duplicates %", true }, { "rejected %", true },
	{ "quality score %", true }, { "postings scored", true },
};

static void put_bars(struct report *r, const struct pg_rows *rows)
{
	const struct conf_fleet *f = &r->ctl->conf->fleet;
	const struct {
		const char *label;
		int column;
		double limit;
		bool at_most;
	} checks[] = {
		{ "complete", COMPLETENESS, f->quality_completeness, false },
		{ "consistent", CONSISTENCY, f->quality_consistency, false },
		{ "duplicates within an answer", DUPLICATES, f->quality_duplicates, true },
		{ "rejected", ERRORS, f->quality_errors, true },
		{ "quality score", SCORE, NAN, false },
	};
	struct plot_bar bars[COUNT(checks)];
	char texts[COUNT(checks)][BAR_TEXT];

	for (size_t i = 0; i < COUNT(checks); i++) {
		int c = checks[i].column;
		double v = pg_cell(rows, 0, c) ? pg_num(rows, 0, c) : NAN;
		double limit = PERCENT * checks[i].limit;
		bool bad = checks[i].at_most ? v > limit : v < limit;
		char amount[AMOUNT_SIZE], bound[AMOUNT_SIZE];

		amount_text(AMOUNT_PERCENT, v, amount);
		amount_text(AMOUNT_PERCENT, limit, bound);
		if (isnan(v) || isnan(limit))
			snprintf(texts[i], BAR_TEXT, "%s", isnan(v) ? "not known" : amount);
		else
			snprintf(texts[i], BAR_TEXT, "%s, %s %s", amount,
				 checks[i].at_most ? "at most" : "at least", bound);
		bars[i] = (struct plot_bar){ checks[i].label, texts[i], bad ? "bad" : "good", v,
					     limit };
	}
	plot_bars(r->out, &(struct plot){ "p-quality", "Data quality",
					  "Shares of the postings that were processed.",
					  "share of the postings", AMOUNT_PERCENT }, bars, COUNT(bars),
		  PERCENT);
	page_legend_open(r->out);
	page_legend(r->out, "good", "as queues.conf asks");
	page_legend(r->out, "bad", "not so");
	page_legend(r->out, "upright", "the threshold");
	page_legend_close(r->out);
}

int report_quality(struct report *r, struct err *e)
{
	struct pg_rows *rows = NULL;
	int got = ctl_query(r->ctl, SQL, PG_PARAMS(PG_INT(r->span.from_s), PG_INT(r->span.to_s),
						   PG_INT(SOURCES_MOST)), &rows, e);

	if (got < 0)
		return got;
	page_section(r->out, "quality", "Data quality", "Of the postings processed in this time.",
		     false);
	if (pg_rows_count(rows) > 0 && pg_int(rows, 0, PROCESSED) > 0) {
		put_bars(r, rows);
		page_table(r->out, "data quality by source", COLUMNS, COUNT(COLUMNS), rows, true);
	} else {
		page_empty(r->out, "No posting was processed in this time.");
	}
	page_section_close(r->out);
	pg_rows_free(rows);
	return 0;
}
