/* SPDX-License-Identifier: MIT */
/* Batches, by libpq's pipeline mode (PostgreSQL's manual 34.5): what stands before one Sync is one
 * implicit transaction. */
#include "common/store/pg_private.h"

int pg_batch_begin(struct pg *p, struct err *e)
{
	if (p->broken)
		return err_set(e, ERR_DB, "PostgreSQL: connection is broken");
	if (!PQenterPipelineMode(p->conn))
		return err_set(e, ERR_INTERNAL, "PostgreSQL: no batch can begin here");
	p->batch = true;
	p->batched = 0;
	return 0;
}

/* Each statement's results end with NULL; what follows a failure is reported as aborted. */
static int collect_one(struct pg *p, int64_t until_ms, int so_far, struct err *e)
{
	PGresult *res = NULL;
	int r = so_far, got = pg_next_result(p, until_ms, &res, e);

	while (got >= 0 && res) {
		if (r >= 0 && PQresultStatus(res) != PGRES_PIPELINE_ABORTED)
			r = pg_check(p, res, e);
		PQclear(res);
		res = NULL;
		got = p->broken ? -1 : pg_next_result(p, until_ms, &res, e);
	}
	return r < 0 ? r : got < 0 ? -(int)(e ? e->code : ERR_DB) : 0;
}

static int collect_sync(struct pg *p, int64_t until_ms, int so_far, struct err *e)
{
	PGresult *res = NULL;
	int got = p->broken ? -ERR_DB : pg_next_result(p, until_ms, &res, so_far < 0 ? NULL : e);
	bool synced = got >= 0 && PQresultStatus(res) == PGRES_PIPELINE_SYNC;

	PQclear(res);
	if (!synced)
		p->broken = true;
	if (so_far < 0)
		return so_far;
	if (got < 0)
		return got;
	return synced ? 0 : err_set(e, ERR_DB, "PostgreSQL: a batch did not end");
}

int pg_batch_end(struct pg *p, struct err *e)
{
	int64_t until_ms = pg_until(p);
	struct err own = { 0 };
	int r = 0;

	if (!e)
		e = &own;
	p->batch = false;
	if (!PQpipelineSync(p->conn))
		r = pg_fail_conn(p, p->conn, e);
	if (r >= 0)
		r = pg_flush(p, until_ms, e);
	for (; p->batched > 0 && !p->broken; p->batched--)
		r = collect_one(p, until_ms, r, e);
	r = collect_sync(p, until_ms, r, e);
	if (!PQexitPipelineMode(p->conn))
		p->broken = true;
	return r;
}

/* What was queued may be with the server already; only a Sync would make it hold. */
void pg_batch_drop(struct pg *p)
{
	p->batch = false;
	p->broken = true;
}
