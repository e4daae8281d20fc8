/* SPDX-License-Identifier: MIT */
#include "common/worker/answer.h"

#include "common/base/err.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "common/worker/stores.h"

int answer_store(struct stores *stores, const struct answer *a, struct err *e)
{
	static const char SQL[] = "INSERT INTO jobfleet.result_backlog (task_id, generation,"
				  " retries, final, meta) VALUES ($1, $2, $3, $4, $5)";
	struct redis *redis;
	struct pg *pg;
	struct err why = { 0 };
	int64_t r = stores_redis(stores, &redis, &why);

	if (r >= 0)
		r = result_store(redis, a->task_id, a->meta, a->generation, a->retries,
				 stores->conf->fleet.result_expires_s, &why);
	if (r >= 0)
		return 0;
	r = stores_pg(stores, &pg, e);
	if (r >= 0)
		r = pg_run(pg, SQL, PG_PARAMS(PG_TEXT(a->task_id), PG_INT(a->generation),
					      PG_INT(a->retries),
					      PG_TEXT(a->final ? "true" : "false"),
					      PG_TEXT(a->meta)), NULL, e);
	return r < 0 ? (int)r : 0;
}
