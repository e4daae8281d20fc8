/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/presence.h"

#include <unistd.h>

#include "common/base/err.h"
#include "common/store/pg.h"

static const char SQL_WRITE[] =
	"INSERT INTO jobfleet.workers AS w (node, program, host, pid, state, queues, concurrency,"
	" processed, failed, version, info) VALUES ($1, 'dispatcher', $2, $3::integer, $4, '{}', 1,"
	" $5::bigint, $6::bigint, $7, jsonb_build_object('leads', $8::bool, 'term', $9::bigint)"
	" || $10::jsonb)"
	" ON CONFLICT (node) DO UPDATE SET host = excluded.host, pid = excluded.pid,"
	" state = excluded.state, processed = excluded.processed, failed = excluded.failed,"
	" version = excluded.version, info = w.info || excluded.info, seen_at = now(),"
	" started_at = CASE WHEN w.pid = excluded.pid AND w.state <> 'stopped' THEN w.started_at"
	" ELSE now() END";

int presence_write(const struct presence *p, struct pg *pg, struct err *e)
{
	char host[256] = "";
	int64_t n;

	gethostname(host, sizeof host - 1);
	n = pg_run(pg, SQL_WRITE,
		   PG_PARAMS(PG_TEXT(p->node), PG_TEXT(host), PG_INT(getpid()), PG_TEXT(p->state),
			     PG_INT(p->sent), PG_INT(p->failed), PG_TEXT(JOBFLEET_VERSION),
			     PG_TEXT(p->leads ? "t" : "f"), PG_INT(p->term),
			     PG_TEXT(p->info)),
		   NULL, e);
	return n < 0 ? (int)n : 0;
}
