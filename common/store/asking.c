/* SPDX-License-Identifier: MIT */
#include "common/store/asking.h"

#include "common/store/pg.h"

int asking_lease(struct pg *p, const char *question, const char *task_id, int64_t ms,
		 struct err *e)
{
	return (int)pg_run(p, "INSERT INTO jobfleet.asking AS a (query_hash, task_id, until) VALUES"
			   " ($1, $2, now() + $3::bigint * interval '1 millisecond')"
			   " ON CONFLICT (query_hash) DO UPDATE SET task_id = excluded.task_id,"
			   " until = excluded.until WHERE a.until < now()"
			   " OR a.task_id = excluded.task_id",
			   PG_PARAMS(PG_TEXT(question), PG_TEXT(task_id), PG_INT(ms)), NULL, e);
}

int asking_release(struct pg *p, const char *question, const char *task_id, struct err *e)
{
	int64_t n = pg_run(p, "DELETE FROM jobfleet.asking WHERE query_hash = $1 AND task_id = $2",
			   PG_PARAMS(PG_TEXT(question), PG_TEXT(task_id)), NULL, e);

	return n < 0 ? (int)n : 0;
}

int asking_prune(struct pg *p, struct err *e)
{
	int64_t n = pg_run(p, "DELETE FROM jobfleet.asking WHERE until < now() - interval '1 hour'",
			   NULL, 0, NULL, e);

	return n < 0 ? (int)n : 0;
}
