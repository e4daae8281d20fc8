/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/batch.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

enum { CLAIM_LIMIT_MS = 8000, KEYS = 10000 };

/* The planner must walk the index in its order and stop, however few due rows it expects: sorting
 * all that is due for each batch would cost the square of a backlog. (What is off counts as very
 * dear, which would wake the JIT compiler.) Nor does a claim wait for the
 * disk: one that is lost in a crash is just no claim. */
static const char SQL_SETTINGS[] =
	"SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off;"
	" SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET LOCAL synchronous_commit = off";

#define UNCLAIMED(p) "(" p ".claimed_until IS NULL OR " p ".claimed_until <= now())"

/* $1 most, $2 bytes, $3 for how long; due has id, due, size */
#define CLAIM \
	" fits AS (SELECT id FROM (SELECT id, size, sum(size) OVER (ORDER BY due, id) AS total" \
	" FROM due) AS sized WHERE total - size < $2::bigint)," \
	" mine AS (UPDATE jobfleet.pending AS p SET attempts = p.attempts + 1," \
	" claimed_until = clock_timestamp() + $3::integer * interval '1 millisecond'" \
	" FROM fits WHERE p.id = fits.id RETURNING p.*)" \
	" SELECT m.id, m.task_id, m.generation, m.nesting, m.retries, m.hop, m.task, m.queue," \
	" m.props, m.headers, m.body, m.priority," \
	" EXISTS (SELECT 1 FROM jobfleet.ledger l WHERE l.task_id = m.task_id" \
	" AND l.generation = m.generation AND l.final) FROM mine m"

/* now() rather than clock_timestamp(): only a stable function can bound the index scan. */
static const char SQL_FREE[] =
	"WITH due AS MATERIALIZED ("
	"SELECT p.id, p.due, octet_length(p.body) AS size FROM jobfleet.pending p"
	" WHERE p.state = 'waiting' AND p.due <= now() AND p.order_key IS NULL"
	" AND " UNCLAIMED("p") " ORDER BY p.due, p.id LIMIT $1::integer FOR UPDATE SKIP LOCKED),"
	CLAIM " ORDER BY m.due, m.id";

/* Steps from key to key in pending_order, from $1 on and at most $2: a step takes some 20 us, and
 * there may be a key a row. A key's first row is the only one that may go. */
#define FIRST_OF \
	"p.order_key, p.id FROM jobfleet.pending p WHERE p.order_key IS NOT NULL" \
	" AND p.state = 'waiting'"
#define IN_ORDER " ORDER BY p.order_key, p.id LIMIT 1"
static const char SQL_FIRSTS[] =
	"WITH RECURSIVE firsts AS ((SELECT " FIRST_OF " AND p.order_key > $1" IN_ORDER ") UNION ALL"
	" SELECT n.order_key, n.id FROM firsts f CROSS JOIN LATERAL"
	" (SELECT " FIRST_OF " AND p.order_key > f.order_key" IN_ORDER ") n)"
	" SELECT array_agg(id)::text, count(*) = $2, max(order_key)"
	" FROM (SELECT * FROM firsts LIMIT $2::integer) f";

/* $4 the first rows. One that was sent again meanwhile goes before its key's later ones. */
static const char SQL_ORDERED[] =
	"WITH due AS MATERIALIZED (SELECT p.id, p.due, octet_length(p.body) AS size"
	" FROM jobfleet.pending p WHERE p.id = ANY($4::bigint[])"
	" AND p.state = 'waiting' AND p.due <= now() AND " UNCLAIMED("p")
	" AND NOT EXISTS (SELECT FROM jobfleet.pending o WHERE o.order_key = p.order_key"
	"  AND o.state = 'waiting' AND o.id < p.id)"
	" LIMIT $1::integer FOR UPDATE SKIP LOCKED)," CLAIM;

static const char SQL_NEXT[] =
	"SELECT ceil(extract(epoch FROM due - clock_timestamp()) * 1000)::bigint"
	" FROM jobfleet.pending WHERE state = 'waiting' AND due > now() AND due < 'infinity'"
	" ORDER BY due LIMIT 1";

/* Of the keys after *after; moves it on, and to the beginning behind the last. */
static int64_t claim_ordered(struct pg *pg, char **after, int most, int64_t bytes, int claim_ms,
			     struct pg_rows **ret_rows, struct err *e)
{
	struct pg_rows *firsts = NULL;
	int64_t r = pg_run(pg, SQL_FIRSTS, PG_PARAMS(PG_TEXT(*after ? *after : ""), PG_INT(KEYS)),
			   &firsts, e);

	if (r > 0 && pg_cell(firsts, 0, 0))
		r = pg_run(pg, SQL_ORDERED,
			   PG_PARAMS(PG_INT(most), PG_INT(bytes), PG_INT(claim_ms),
				     PG_TEXT(pg_text(firsts, 0, 0))), ret_rows, e);
	if (r >= 0)
		mem_replace(after, pg_bool(firsts, 0, 1) ? mem_strdup(pg_text(firsts, 0, 2)) :
				   NULL);
	pg_rows_free(firsts);
	return r;
}

int batch_claim(struct pg *pg, char **after, int most, int64_t bytes, int claim_ms,
		struct pg_rows **ret_rows, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_begin(pg, CLAIM_LIMIT_MS, e);

	if (r == 0)
		r = pg_exec(pg, SQL_SETTINGS, e);
	if (r == 0 && after)
		r = claim_ordered(pg, after, most, bytes, claim_ms, &rows, e);
	else if (r == 0)
		r = pg_run(pg, SQL_FREE, PG_PARAMS(PG_INT(most), PG_INT(bytes), PG_INT(claim_ms)),
			   &rows, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	if (r < 0) {
		pg_rollback(pg);
		pg_rows_free(rows);
		return (int)r;
	}
	*ret_rows = rows;
	return 0;
}

int batch_next_ms(struct pg *pg, int most_ms)
{
	struct pg_rows *rows = NULL;
	int64_t ms = most_ms;

	if (pg_run(pg, SQL_NEXT, NULL, 0, &rows, NULL) > 0)
		ms = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return ms < 0 ? 0 : ms > most_ms ? most_ms : (int)ms;
}
