/* SPDX-License-Identifier: MIT */
/* The fleet's own state, as its tables tell it. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/doctor.h"

#define AREA "fleet"
#define ALIVE "state <> 'stopped' AND seen_at > now() - 3 * CASE program WHEN 'dispatcher' THEN" \
	" greatest(10, $1::int) ELSE $1::int END * interval '1 s'"

/* One row; texts are null where there is nothing to tell. */
static const char SQL[] =
	"SELECT (SELECT count(*) FROM jobfleet.workers WHERE program = 'dispatcher' AND " ALIVE "),"
	" (SELECT count(*) FROM jobfleet.workers WHERE program <> 'dispatcher' AND " ALIVE "),"
	" (SELECT string_agg(node, ', ') FROM jobfleet.workers WHERE state <> 'stopped'"
	"  AND NOT (" ALIVE ")),"
	" (SELECT string_agg(node || ' ' || version, ', ') FROM jobfleet.workers"
	"  WHERE version <> $2 AND " ALIVE "),"
	" (SELECT count(*) FROM jobfleet.dead_letters WHERE state = 'dead'),"
	" (SELECT count(*) FROM jobfleet.result_backlog),"
	" (SELECT count(*) FROM jobfleet.result_backlog"
	"  WHERE created_at < now() - interval '1 minute'),"
	" (SELECT count(*) FROM jobfleet.pending WHERE state = 'waiting' AND kind <> 'claim'"
	"  AND due < now() - interval '30 s'),"
	" (SELECT count(*) FROM jobfleet.pending WHERE state = 'waiting' AND NOT isfinite(due)),"
	" (SELECT string_agg(name || ' ' || subject || ': ' || message, '; ') FROM jobfleet.alerts"
	"  WHERE resolved_at IS NULL),"
	" (SELECT count(*) FROM jobfleet.joins WHERE state = 'open')";

enum { DISPATCHERS, WORKERS, LOST, OTHERS, LETTERS, BACKLOG, OLD_BACKLOG, OVERDUE, HELD, ALERTS,
       JOINS };

static void check_programs(struct checkup *k, const struct pg_rows *rows)
{
	bool none = pg_int(rows, 0, DISPATCHERS) == 0;

	checkup_add(k, AREA, "dispatcher", none ? CHECKUP_FAIL : CHECKUP_OK,
		    none ? "Start one: without it nothing that is due later, retried or enqueued"
			   " in SQL is sent." : NULL,
		    "%lld alive", (long long)pg_int(rows, 0, DISPATCHERS));
	none = pg_int(rows, 0, WORKERS) == 0;
	checkup_add(k, AREA, "workers", none ? CHECKUP_WARN : CHECKUP_OK,
		    none ? "Start some." : NULL, "%lld alive",
		    (long long)pg_int(rows, 0, WORKERS));
	checkup_add(k, AREA, "heartbeats", pg_cell(rows, 0, LOST) ? CHECKUP_WARN : CHECKUP_OK,
		    pg_cell(rows, 0, LOST) ? "Silent for three heartbeats and not stopped: killed,"
					     " frozen, or without PostgreSQL." : NULL,
		    "%s", pg_cell(rows, 0, LOST) ? pg_text(rows, 0, LOST) : "nobody is silent");
	checkup_add(k, AREA, "versions", pg_cell(rows, 0, OTHERS) ? CHECKUP_WARN : CHECKUP_OK,
		    pg_cell(rows, 0, OTHERS) ? "Restart these, if no upgrade is under way." : NULL,
		    pg_cell(rows, 0, OTHERS) ? "this is " JOBFLEET_VERSION ", but %s" : "all %s",
		    pg_cell(rows, 0, OTHERS) ? pg_text(rows, 0, OTHERS) : JOBFLEET_VERSION);
}

static void check_count(struct checkup *k, const char *name, int64_t n, int64_t bad,
			enum checkup_level level, const char *advice)
{
	checkup_add(k, AREA, name, bad > 0 ? level : CHECKUP_OK, bad > 0 ? advice : NULL, "%lld",
		    (long long)n);
}

static void check_work(struct checkup *k, const struct pg_rows *rows)
{
	check_count(k, "dead letters", pg_int(rows, 0, LETTERS), pg_int(rows, 0, LETTERS),
		    CHECKUP_WARN, "jobfleet dlq list, then replay or drop");
	check_count(k, "results for Redis", pg_int(rows, 0, BACKLOG), pg_int(rows, 0, OLD_BACKLOG),
		    CHECKUP_WARN, "Older than a minute: is Redis away, or every dispatcher?");
	check_count(k, "overdue", pg_int(rows, 0, OVERDUE), pg_int(rows, 0, OVERDUE),
		    CHECKUP_WARN, "Due for 30 s and not sent: jobfleet scheduled tells what, the"
				  " dispatcher's log why.");
	check_count(k, "held until released", pg_int(rows, 0, HELD), 0, CHECKUP_OK, NULL);
	check_count(k, "open chords", pg_int(rows, 0, JOINS), 0, CHECKUP_OK, NULL);
	checkup_add(k, AREA, "alerts", pg_cell(rows, 0, ALERTS) ? CHECKUP_WARN : CHECKUP_OK, NULL,
		    "%s", pg_cell(rows, 0, ALERTS) ? pg_text(rows, 0, ALERTS) : "none is open");
}

void doctor_fleet(struct checkup *k, struct ctl *c)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };

	if (ctl_query(c, SQL, PG_PARAMS(PG_INT(c->conf->fleet.heartbeat_s),
					PG_TEXT(JOBFLEET_VERSION)), &rows, &e) < 0) {
		checkup_add(k, AREA, "state", CHECKUP_UNKNOWN, NULL, "%s", e.msg);
		return;
	}
	check_programs(k, rows);
	check_work(k, rows);
	pg_rows_free(rows);
}
