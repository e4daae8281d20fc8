/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/orphans.h"

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/store/pg.h"

enum { LIMIT_MS = 5000 };

/* $1 how long without news. One a look, whichever, for each means to read all of pending. */
static const char SQL[] =
	"WITH old AS MATERIALIZED (SELECT j.join_id, j.parts, j.size, j.moved_at"
	"  FROM jobfleet.joins j WHERE j.state = 'open'"
	"  AND j.moved_at < now() - $1::bigint * interval '1 ms'"
	"  AND NOT EXISTS (SELECT FROM jobfleet.alerts a WHERE a.name = 'join_orphaned'"
	"   AND a.subject = j.join_id AND a.resolved_at IS NULL)"
	"  ORDER BY random() LIMIT 1),"
	" lost AS MATERIALIZED (SELECT * FROM old WHERE NOT EXISTS (SELECT FROM jobfleet.workers w"
	"   WHERE w.state <> 'stopped' AND w.active > 0 AND w.seen_at > now() - interval '1 min')"
	"  AND NOT EXISTS (SELECT FROM jobfleet.pending p WHERE"
	"   position(convert_to(old.join_id, 'UTF8') IN coalesce(p.props,"
	"    convert_to(p.headers::text, 'UTF8'))) > 0))"
	" SELECT l.join_id, jobfleet.raise_alert('join_orphaned', l.join_id, 'WARNING', format("
	"  'chord %s has %s of %s parts since %s UTC, and nothing of it waits or runs anywhere',"
	"  l.join_id, l.parts, coalesce(l.size::text, '?'),"
	"  to_char(l.moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')))::text FROM lost l"
	" UNION ALL SELECT NULL, jobfleet.settle_alert('join_orphaned', a.subject)::text"
	" FROM jobfleet.alerts a WHERE a.name = 'join_orphaned' AND a.resolved_at IS NULL"
	"  AND NOT EXISTS (SELECT FROM jobfleet.joins j WHERE j.join_id = a.subject"
	"   AND j.state = 'open' AND j.moved_at < now() - $1::bigint * interval '1 ms')";

int orphans_look(struct pg *pg, int64_t silent_ms, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_begin(pg, LIMIT_MS, e);

	if (n == 0)
		n = pg_run(pg, SQL, PG_PARAMS(PG_INT(silent_ms)), &rows, e);
	if (n >= 0 && pg_commit(pg, e) < 0)
		n = -(int)e->code;
	if (n < 0)
		pg_rollback(pg);
	for (size_t i = 0; n > 0 && i < pg_rows_count(rows); i++)
		if (pg_cell(rows, i, 0))
			log_warn("a chord waits for parts that are nowhere join_id=%s",
				 pg_text(rows, i, 0));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}
