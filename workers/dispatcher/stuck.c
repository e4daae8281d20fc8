/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/stuck.h"

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/store/pg.h"

enum { BATCH = 100 };

static const char SQL[] =
	"WITH mended AS MATERIALIZED (SELECT * FROM jobfleet.mend_stuck(now(),"
	"  $1::bigint * interval '1 ms', $2::integer)),"
	" told AS (SELECT jobfleet.raise_alert('stage_stuck', m.what, 'WARNING', format("
	"  '%s of kind %s stood still without a task and were set going, the first is %s',"
	"  count(*), m.what, min(m.subject))) FROM mended m GROUP BY m.what)"
	" SELECT m.what, m.subject FROM mended m, (SELECT count(*) FROM told) t";

int stuck_look(struct pg *pg, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL, PG_PARAMS(PG_INT(STUCK_AFTER_MS), PG_INT(BATCH)), &rows, e);

	for (size_t i = 0; n > 0 && i < pg_rows_count(rows); i++)
		log_warn("stood still without a task, set going what=\"%s\" id=%s",
			 pg_text(rows, i, 0), pg_text(rows, i, 1));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}
