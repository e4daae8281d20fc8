/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/silent.h"

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/store/pg.h"

/* $1 heartbeat in seconds */
static const char SQL[] =
	"WITH lost AS (SELECT w.node, w.program, w.seen_at, w.active + w.reserved AS held"
	"  FROM jobfleet.workers w WHERE w.state <> 'stopped'"
	"  AND w.seen_at < now() - greatest(10 * $1::integer, 60) * interval '1 s'),"
	" ended AS (UPDATE jobfleet.workers SET state = 'stopped' WHERE state <> 'stopped'"
	"  AND seen_at < now() - interval '1 hour' RETURNING node),"
	" gone AS (DELETE FROM jobfleet.workers WHERE state = 'stopped'"
	"  AND seen_at < now() - interval '7 days')"
	" SELECT l.node, jobfleet.raise_alert('worker_lost', l.node, 'WARNING', format("
	"  '%s was last seen at %s UTC and did not say good-bye; it held %s tasks', l.node,"
	"  to_char(l.seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), l.held))::text"
	" FROM lost l WHERE l.seen_at > now() - interval '1 hour' AND NOT EXISTS (SELECT"
	"  FROM jobfleet.alerts a WHERE a.name = 'worker_lost' AND a.subject = l.node"
	"  AND a.resolved_at IS NULL)"
	" UNION ALL SELECT NULL, jobfleet.settle_alert('worker_lost', a.subject)::text"
	" FROM jobfleet.alerts a WHERE a.name = 'worker_lost' AND a.resolved_at IS NULL"
	"  AND NOT EXISTS (SELECT FROM lost l WHERE l.node = a.subject"
	"   AND l.seen_at > now() - interval '1 hour')";

int silent_look(struct pg *pg, int heartbeat_s, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL, PG_PARAMS(PG_INT(heartbeat_s)), &rows, e);

	for (size_t i = 0; n > 0 && i < pg_rows_count(rows); i++)
		if (pg_cell(rows, i, 0))
			log_warn("a worker is silent node=%s", pg_text(rows, i, 0));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}
