/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/prune.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

#define BATCH 1000
#define SENT_BATCH 2000
#define MUCH 500      /* rows that go make the next batch come at once */
#define ROUND_MS 5000 /* between two rounds over the sent rows */

/* A slice of the sent rows by id; the last id says where the next slice begins. */
static const char SQL_SENT[] =
	"WITH slice AS (SELECT id, task_id, generation FROM jobfleet.pending"
	" WHERE id > $1::bigint AND state = 'sent' ORDER BY id LIMIT $2::integer),"
	" done AS (SELECT p.id FROM jobfleet.pending p JOIN slice s ON s.id = p.id"
	" WHERE EXISTS (SELECT 1 FROM jobfleet.ledger l WHERE l.task_id = s.task_id"
	" AND l.generation = s.generation AND l.final) FOR UPDATE OF p SKIP LOCKED),"
	" gone AS (DELETE FROM jobfleet.pending p USING done d WHERE p.id = d.id RETURNING p.id)"
	" SELECT (SELECT count(*) FROM slice), (SELECT max(id) FROM slice),"
	" (SELECT count(*) FROM gone)";

#define BY_AGE(table, column, extra) \
	"DELETE FROM jobfleet." table " WHERE ctid = ANY (ARRAY(SELECT ctid FROM jobfleet." table \
	" WHERE " column " < now() - $1::integer * interval '1 day'" extra " ORDER BY " column \
	" LIMIT $2::integer FOR UPDATE SKIP LOCKED))"

/* A revoke stays as long as what it stops may wait somewhere in pending. */
#define NOTHING_WAITS \
	" AND NOT (kind = 'id' AND EXISTS (SELECT 1 FROM jobfleet.pending p" \
	" WHERE p.task_id = revokes.value AND p.state = 'waiting'))" \
	" AND NOT (kind = 'stamp' AND EXISTS (SELECT 1 FROM jobfleet.pending p" \
	" WHERE p.created_at < revokes.ordered_at AND p.state = 'waiting'))"

static const char SQL_UNIQUE[] =
	"DELETE FROM jobfleet.unique_keys WHERE ctid = ANY (ARRAY(SELECT ctid"
	" FROM jobfleet.unique_keys u WHERE $1::integer > 0 AND (expires_at < now()"
	" OR until_final AND EXISTS (SELECT 1 FROM jobfleet.ledger l WHERE l.task_id = u.task_id"
	" AND l.final)) LIMIT $2::integer FOR UPDATE SKIP LOCKED))";

static const struct {
	const char *sql;
	int days; /* 0 = the ledger's */
} AGES[] = {
	{ BY_AGE("pending", "sent_at", " AND state = 'sent'"), 0 },
	{ BY_AGE("ledger", "settled_at", ""), 0 },
	{ BY_AGE("steps", "done_at", ""), 0 },
	{ BY_AGE("starts", "updated_at", ""), 0 },
	{ BY_AGE("result_backlog", "created_at", ""), 0 },
	{ BY_AGE("revokes", "ordered_at", NOTHING_WAITS), 0 },
	{ SQL_UNIQUE, 0 },
	{ BY_AGE("joins", "moved_at", " AND state <> 'open'"), 0 },
	{ BY_AGE("schedule_fires", "fired_at", " AND NOT held"), PRUNE_FIRES_DAYS },
	{ BY_AGE("schedule_skips", "noted_at", ""), PRUNE_FIRES_DAYS },
	{ BY_AGE("source_calls", "minute", ""), PRUNE_CALLS_DAYS },
};

static int64_t prune_sent(struct prune *p, struct pg *pg, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t gone =
		pg_run(pg, SQL_SENT, PG_PARAMS(PG_INT(p->seen_id), PG_INT(SENT_BATCH)), &rows, e);

	if (gone > 0) {
		p->seen_id = pg_int(rows, 0, 0) == SENT_BATCH ? pg_int(rows, 0, 1) : 0;
		gone = pg_int(rows, 0, 2);
	}
	pg_rows_free(rows);
	return gone;
}

static int64_t prune_aged(struct prune *p, struct pg *pg, int ledger_days, struct err *e)
{
	int days = AGES[p->table].days ? AGES[p->table].days : ledger_days;
	int64_t gone =
		pg_run(pg, AGES[p->table].sql, PG_PARAMS(PG_INT(days), PG_INT(BATCH)), NULL, e);

	if (gone >= 0 && gone < BATCH)
		p->table = (p->table + 1) % COUNT(AGES);
	return gone;
}

/* A round over the sent rows goes slice by slice; between two rounds the old rows of one table. */
int prune_turn(struct prune *p, struct pg *pg, int ledger_days, struct err *e)
{
	int64_t gone;

	if (clock_mono_ms() < p->next_ms)
		return 0;
	gone = prune_sent(p, pg, e);
	if (gone >= 0 && p->seen_id == 0) {
		int64_t aged = prune_aged(p, pg, ledger_days, e);

		gone = aged < 0 ? aged : gone + aged;
		p->next_ms = clock_mono_ms() + (gone < MUCH ? ROUND_MS : 0);
	}
	return gone < 0 ? (int)gone : gone >= MUCH;
}
