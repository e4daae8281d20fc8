/* SPDX-License-Identifier: MIT */
#include "common/store/pending.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/store/pg.h"

/* A dispatcher looks at least so often: what is due sooner wakes it. */
enum { RELAY_SLEEP_MS = 1000 };

int pending_from_message(struct pending_row *row, const struct message *m, const char *kind,
			 const char *queue, struct buf *props_out, struct err *e)
{
	int r = message_encode(m, props_out, e);

	*row = (struct pending_row){
		.task_id = m->id, .generation = m->generation, .nesting = m->nesting,
		.retries = m->retries, .hop = m->hop, .kind = kind, .task = m->task,
		.queue = queue, .props = props_out->data, .props_len = props_out->len,
		.body = m->body, .body_len = m->body_len,
	};
	return r;
}

/* A claimed task that is parked has its row already: the claim becomes it. */
static const char SQL_INSERT[] =
	"INSERT INTO jobfleet.pending (task_id, generation, nesting, retries, hop, kind, task,"
	" queue, props, body, due, claimed_until, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"
	" $9::bytea, $10::bytea,"
	" CASE WHEN $11::bigint > 0 THEN timestamptz 'epoch' + $11 * interval '1 us'"
	" WHEN $12::bigint < 0 THEN 'infinity' ELSE clock_timestamp() + $12 * interval '1 ms' END,"
	" CASE WHEN $13::bigint > 0 THEN clock_timestamp() + $13 * interval '1 ms' END, $14)"
	" ON CONFLICT (task_id, generation, nesting, retries, hop) DO UPDATE SET kind = excluded.kind,"
	" due = excluded.due, reason = excluded.reason, claimed_until = excluded.claimed_until"
	" WHERE pending.kind = 'claim' AND pending.state = 'waiting' AND excluded.kind <> 'claim'";

int pending_insert(struct pg *p, const struct pending_row *x, struct err *e)
{
	int64_t delay = x->delay_ms == PENDING_NEVER ? -1 : x->delay_ms;
	int64_t r = pg_run(p, SQL_INSERT,
			   PG_PARAMS(PG_TEXT(x->task_id), PG_INT(x->generation),
				     PG_INT(x->nesting), PG_INT(x->retries), PG_INT(x->hop),
				     PG_TEXT(x->kind), PG_TEXT(x->task), PG_TEXT(x->queue),
				     PG_BYTES(x->props, x->props_len),
				     PG_BYTES(x->body, x->body_len), PG_INT(x->due_us),
				     PG_INT(delay), PG_INT(x->claim_ms), PG_TEXT(x->reason)),
			   NULL, e);

	/* In a batch nobody knows yet whether there was a row. */
	if (r >= 0 && x->delay_ms > 0 && x->delay_ms < RELAY_SLEEP_MS)
		r = pg_run(p, "NOTIFY jobfleet_pending", NULL, 0, NULL, e);
	return r < 0 ? (int)r : 0;
}
