/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/claims.h"

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/store/pg.h"

enum { LEAST_MS = 300000, LEASES = 4, BATCH = 1000 };

/* $1 how far ahead is too far, $2 how many. Rows that are claimed and due are the oldest of
 * pending_due; those of long tasks have an index of their own. */
static const char SQL[] =
	"WITH far AS (SELECT now() + $1::bigint * interval '1 ms' AS at),"
	" first AS MATERIALIZED (SELECT id, claimed_until FROM jobfleet.pending"
	"  WHERE state = 'waiting' AND due <= now() ORDER BY due, id LIMIT $2::integer),"
	" held AS (SELECT id FROM first, far WHERE claimed_until > far.at UNION"
	"  SELECT p.id FROM jobfleet.pending p, far WHERE p.state = 'waiting' AND p.kind = 'claim'"
	"  AND p.due > far.at AND p.due < 'infinity'),"
	" freed AS (UPDATE jobfleet.pending p SET claimed_until = NULL,"
	"  due = CASE WHEN p.kind = 'claim' THEN least(p.due, now()) ELSE p.due END"
	"  FROM held h WHERE p.id = h.id AND p.state = 'waiting' RETURNING p.queue)"
	" SELECT f.queue, f.n, jobfleet.raise_alert('claim_freed', f.queue, 'WARNING', format("
	"  '%s claims on tasks of queue %s would have held for longer than any may, and were freed"
	" (a clock was put back?)', f.n, f.queue))::text"
	" FROM (SELECT queue, count(*) AS n FROM freed GROUP BY queue) f";

int claims_look(struct pg *pg, int64_t lease_ms, struct err *e)
{
	int64_t far_ms = LEASES * lease_ms > LEAST_MS ? LEASES * lease_ms : LEAST_MS;
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL, PG_PARAMS(PG_INT(far_ms), PG_INT(BATCH)), &rows, e);

	for (size_t i = 0; n > 0 && i < pg_rows_count(rows); i++)
		log_warn("claims without an end in sight are freed queue=%s n=%s",
			 pg_text(rows, i, 0), pg_text(rows, i, 1));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}
