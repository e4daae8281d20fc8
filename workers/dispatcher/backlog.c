/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/backlog.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "workers/dispatcher/peers.h"

#define BATCH 200
#define TURN_MS 10000

enum column { ID, TASK_ID, GENERATION, RETRIES, META };

static const char SQL_TAKE[] =
	"SELECT id, task_id, generation, retries, meta FROM jobfleet.result_backlog"
	" ORDER BY id LIMIT $1::integer FOR UPDATE SKIP LOCKED";

static const char SQL_DONE[] = "DELETE FROM jobfleet.result_backlog WHERE id = ANY($1::bigint[])";

/* A result that Redis refuses for good would block all others, so it goes, with a line in the
 * log; the ledger still has it. Returns how many rows are done. */
static size_t deliver(struct redis *redis, const struct pg_rows *rows, int64_t expires_s,
		      struct buf *ids, struct err *e)
{
	size_t i;

	buf_putc(ids, '{');
	for (i = 0; i < pg_rows_count(rows); i++) {
		int r = result_store(redis, pg_text(rows, i, TASK_ID), pg_text(rows, i, META),
				     (int)pg_int(rows, i, GENERATION),
				     (int)pg_int(rows, i, RETRIES), expires_s, e);

		if (r < 0 && err_is_transient(e->code))
			break;
		if (r < 0)
			log_error("Redis refuses a result, dropped task_id=%s reason=\"%s\"",
				  pg_text(rows, i, TASK_ID), e->msg);
		buf_printf(ids, "%s%s", i ? "," : "", pg_text(rows, i, ID));
	}
	buf_putc(ids, '}');
	return i;
}

static int deliver_batch(struct pg *pg, struct redis *redis, int64_t expires_s, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct err why = { 0 };
	struct buf ids;
	int64_t n = pg_run(pg, SQL_TAKE, PG_PARAMS(PG_INT(BATCH)), &rows, e);
	size_t done = 0;

	buf_init(&ids, BATCH * 24);
	if (n > 0)
		done = deliver(redis, rows, expires_s, &ids, &why);
	if (done > 0)
		n = pg_run(pg, SQL_DONE, PG_PARAMS(PG_TEXT(buf_text(&ids))), NULL, e);
	else if (n > 0)
		n = err_set(e, why.code, "%s", why.msg);
	buf_release(&ids);
	pg_rows_free(rows);
	return n < 0 ? (int)n : done == BATCH;
}

int backlog_turn(struct peers *peers, int64_t expires_s, struct err *e)
{
	struct pg *pg = peers_database(peers);
	struct redis *redis = pg ? peers_redis(peers) : NULL;
	int r, more;

	if (!redis)
		return 0;
	r = pg_begin(pg, TURN_MS, e);
	if (r < 0)
		return r;
	more = r = deliver_batch(pg, redis, expires_s, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	if (r >= 0)
		return more;
	pg_rollback(pg);
	if (!redis_is_alive(redis))
		peers_drop(peers, PEER_REDIS, e);
	return r;
}
