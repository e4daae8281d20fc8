/* SPDX-License-Identifier: MIT */
#include "common/worker/keeper_claim.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/broker/message.h"
#include "common/store/pending.h"
#include "common/store/pg.h"

enum { PROPS_MAX = 1 << 20 };

#define WHERE_OURS \
	" WHERE task_id = $1 AND generation = $2 AND nesting = $3 AND retries = $4 AND hop = $5" \
	" AND kind = 'claim' AND state = 'waiting'"

static const char SQL_RENEW[] =
	"UPDATE jobfleet.pending SET due = clock_timestamp() + $6::bigint * interval '1 ms'"
	WHERE_OURS " AND claimed_until IS NULL";

static const char SQL_AGAIN[] =
	"UPDATE jobfleet.pending SET due = clock_timestamp() + $6::bigint * interval '1 ms',"
	" kind = 'parked', reason = 'given back'" WHERE_OURS;

static const char SQL_END[] =
	"DELETE FROM jobfleet.pending" WHERE_OURS " AND $6::bigint IS NOT NULL";

int keeper_claim_insert(struct pg *pg, const struct message *m, const char *queue, int64_t lease_ms,
			struct err *e)
{
	struct pending_row row;
	struct buf props;
	int r;

	buf_init(&props, PROPS_MAX);
	r = pending_from_message(&row, m, "claim", queue, &props, e);
	if (r >= 0) {
		row.delay_ms = lease_ms;
		r = pending_insert(pg, &row, e);
	}
	buf_release(&props);
	return r;
}

int keeper_claim_move(struct pg *pg, enum keeper_claim what, const struct ledger_key *key, int hop,
		      int64_t lease_ms, struct err *e)
{
	static const char *const SQL[] = {
		[KEEPER_CLAIM] = SQL_RENEW, [KEEPER_RENEW] = SQL_RENEW, [KEEPER_UNCLAIM] = SQL_END,
		[KEEPER_UNCLAIM_AGAIN] = SQL_AGAIN,
	};
	int64_t r = pg_run(pg, SQL[what],
			   PG_PARAMS(PG_TEXT(key->task_id), PG_INT(key->generation),
				     PG_INT(key->nesting), PG_INT(key->retries), PG_INT(hop),
				     PG_INT(lease_ms)), NULL, e);

	if (r == 0)
		return err_set(e, ERR_CONFLICT, "the claim of task %s is not ours", key->task_id);
	return r < 0 ? (int)r : 0;
}
