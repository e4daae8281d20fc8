/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/retry.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/broker/message.h"
#include "common/store/dead_letter.h"
#include "common/store/pg.h"

#define BATCH 20
#define BATCH_MS 5000

/* Other dispatchers and hands at a replay are passed over. */
static const char SQL_DUE[] =
	"SELECT id, task_id, task, queue, generation, props, body FROM jobfleet.dead_letters"
	" WHERE state = 'dead' AND cause IN ('exhausted', 'maxlen') AND generation < $2::integer"
	" AND greatest(died_at, updated_at) <= now() - $1::bigint * interval '1 millisecond'"
	" AND props IS NOT NULL AND body IS NOT NULL"
	" ORDER BY died_at LIMIT $3::integer FOR UPDATE SKIP LOCKED";

/* What no message can be made of would come first for ever. */
static int give_up(struct pg *pg, int64_t id, struct err *e)
{
	int64_t n = pg_run(pg, "UPDATE jobfleet.dead_letters SET cause = 'malformed', updated_at ="
			   " now() WHERE id = $1", PG_PARAMS(PG_INT(id)), NULL, e);

	return n < 0 ? (int)n : 0;
}

static int send_again(struct pg *pg, const struct pg_rows *rows, size_t row, struct err *e)
{
	struct dead_letter d = { .generation = (int)pg_int(rows, row, 4) };
	void *props = pg_bytea(rows, row, 5, &d.props_len),
	     *body = pg_bytea(rows, row, 6, &d.body_len);
	int64_t id = pg_int(rows, row, 0);
	struct err why = { 0 };
	struct message m;
	int r;

	d.props = props;
	d.body = body;
	r = dead_letter_message(&d, &m, &why);
	if (r < 0) {
		r = give_up(pg, id, e);
	} else {
		r = dead_letter_replay(pg, id, &m, pg_text(rows, row, 3), e);
		log_info("dead letter retried by rule id=%lld task=%s task_id=%s generation=%d",
			 (long long)id, pg_text(rows, row, 2), pg_text(rows, row, 1),
			 m.generation);
	}
	message_release(&m);
	free(props);
	free(body);
	return r;
}

int retry_turn(struct pg *pg, int64_t interval_ms, int retries, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n, r = pg_begin(pg, BATCH_MS, e);

	if (r < 0)
		return (int)r;
	n = r = pg_run(pg, SQL_DUE, PG_PARAMS(PG_INT(interval_ms), PG_INT(retries), PG_INT(BATCH)),
		       &rows, e);
	for (int64_t i = 0; r >= 0 && i < n; i++)
		r = send_again(pg, rows, (size_t)i, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	if (r < 0)
		pg_rollback(pg);
	pg_rows_free(rows);
	return r < 0 ? (int)r : n == BATCH;
}
