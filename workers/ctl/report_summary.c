/* SPDX-License-Identifier: MIT */
/* The few numbers on top. */
#include <math.h>

#include "common/base/conf.h"
#include "common/base/mem.h"
#include "workers/ctl/page.h"
#include "workers/ctl/report.h"

/* $3 the heartbeat */
static const char SQL[] =
	"SELECT l.ended, l.good, l.p50, l.p99, l.w99, l.n,"
	" (SELECT count(*) FROM jobfleet.dead_letters WHERE state = 'dead'),"
	" (SELECT count(*) FROM jobfleet.dead_letters WHERE " REPORT_WITHIN("died_at") "),"
	" (SELECT count(*) FROM jobfleet.alerts WHERE resolved_at IS NULL),"
	" (SELECT count(*) FROM jobfleet.alerts WHERE resolved_at IS NULL"
	"  AND level IN ('ERROR', 'CRITICAL')),"
	" (SELECT coalesce(sum(jobs_loaded), 0) FROM public.job_processing_log WHERE "
	REPORT_WITHIN("loaded_at") "),"
	" (SELECT count(*) FROM public.enhanced_jobs), w.alive, w.lost FROM"
	" (SELECT count(*) FILTER (WHERE final) AS ended,"
	"  100.0 * count(*) FILTER (WHERE final AND outcome = 'success') / nullif(count(*) FILTER"
	"   (WHERE final AND outcome <> 'revoked'), 0) AS good,"
	"  percentile_cont(0.5) WITHIN GROUP (ORDER BY ran) AS p50,"
	"  percentile_cont(0.99) WITHIN GROUP (ORDER BY ran) AS p99,"
	"  percentile_cont(0.99) WITHIN GROUP (ORDER BY waited) AS w99, count(waited) AS n"
	"  FROM (SELECT final, outcome, CASE WHEN outcome <> 'revoked' AND started_at <= settled_at THEN"
	"    extract(epoch FROM settled_at - started_at)::float8 END AS ran,"
	"   CASE WHEN started_at >= sent_at THEN extract(epoch FROM started_at - sent_at)::float8 END"
	"   AS waited"
	"   FROM jobfleet.ledger WHERE " REPORT_WITHIN("settled_at") ") x) l,"
	" (SELECT count(*) FILTER (WHERE beats) AS alive, count(*) FILTER (WHERE NOT beats) AS lost"
	"  FROM (SELECT seen_at > now() - 3 * $3::integer * interval '1 s' AS beats"
	"   FROM jobfleet.workers WHERE state <> 'stopped' AND program <> 'dispatcher') y) w";

enum {
	ENDED, GOOD, P50, P99, W99, WAITS, DEAD, DIED, ALERTS, GRAVE, LOADED, POSTINGS, ALIVE, LOST
};

static double cell(const struct pg_rows *rows, int column)
{
	return pg_cell(rows, 0, column) ? pg_num(rows, 0, column) : NAN;
}

static void put_tile(struct report *r, const char *name, enum amount_unit unit, double value,
		     const char *note, bool bad)
{
	char text[AMOUNT_SIZE];

	amount_text(unit, value, text);
	page_tile(r->out, name, text, note, bad ? "bad" : "");
}

static void put_tiles(struct report *r, const struct pg_rows *rows)
{
	char note[100], half[AMOUNT_SIZE];

	put_tile(r, "Tasks ended", AMOUNT_COUNT, cell(rows, ENDED), "in this time", false);
	put_tile(r, "Ended well", AMOUNT_PERCENT, cell(rows, GOOD), "of them, without revoked ones",
		 cell(rows, GOOD) < 95);
	amount_text(AMOUNT_SECONDS, cell(rows, P50), half);
	snprintf(note, sizeof note, "99 %% took less; half took %s", half);
	put_tile(r, "Run time", AMOUNT_SECONDS, cell(rows, P99), note, false);
	snprintf(note, sizeof note, "99 %% waited less; known of %s", pg_text(rows, 0, WAITS));
	put_tile(r, "Wait in the queue", AMOUNT_SECONDS, cell(rows, W99), note, false);
	snprintf(note, sizeof note, "postings; %s stand in all", pg_text(rows, 0, POSTINGS));
	put_tile(r, "Loaded as new", AMOUNT_COUNT, cell(rows, LOADED), note, false);
	snprintf(note, sizeof note, "now; %s came in this time", pg_text(rows, 0, DIED));
	put_tile(r, "Dead letters", AMOUNT_COUNT, cell(rows, DEAD), note, cell(rows, DEAD) > 0);
	snprintf(note, sizeof note, "now; %s of them ERROR or worse", pg_text(rows, 0, GRAVE));
	put_tile(r, "Open alerts", AMOUNT_COUNT, cell(rows, ALERTS), note, cell(rows, GRAVE) > 0);
	snprintf(note, sizeof note, "now; %s lost", pg_text(rows, 0, LOST));
	put_tile(r, "Workers alive", AMOUNT_COUNT, cell(rows, ALIVE), note, cell(rows, LOST) > 0);
}

int report_summary(struct report *r, struct err *e)
{
	struct pg_rows *rows = NULL;
	int beat = r->ctl->conf->fleet.heartbeat_s;
	int got = ctl_query(r->ctl, SQL,
			    PG_PARAMS(PG_INT(r->span.from_s), PG_INT(r->span.to_s), PG_INT(beat)),
			    &rows, e);

	if (got < 0)
		return got;
	page_tiles_open(r->out);
	put_tiles(r, rows);
	page_tiles_close(r->out);
	pg_rows_free(rows);
	return 0;
}
