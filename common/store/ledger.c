/* SPDX-License-Identifier: MIT */
#include "common/store/ledger.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

static const struct {
	const char *name;
	bool final;
} OUTCOMES[] = {
#define X(name, text, final) [LEDGER_##name] = { text, final },
	LEDGER_OUTCOMES(X)
#undef X
};

const char *ledger_outcome_name(enum ledger_outcome o)
{
	return OUTCOMES[o].name;
}

bool ledger_outcome_is_final(enum ledger_outcome o)
{
	return OUTCOMES[o].final;
}

#define COLUMNS \
	"(task_id, generation, nesting, retries, outcome, final, task, queue, meta, cause," \
	" follow_ups, node, started_at)"
#define VALUES "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12," \
	       " now() - $13::bigint * interval '1 ms')"

static const char SQL_INSERT[] = "INSERT INTO jobfleet.ledger " COLUMNS " VALUES " VALUES;

static const char SQL_INSERT_TRACES[] =
	"WITH kept AS (DELETE FROM jobfleet.pending WHERE task_id = $1 AND generation = $2"
	" AND state = 'sent' AND ($6::boolean OR retries <= $4::int)),"
	" counted AS (DELETE FROM jobfleet.starts WHERE task_id = $1 AND generation = $2"
	" AND $10::text IS DISTINCT FROM 'LOST')"
	" INSERT INTO jobfleet.ledger " COLUMNS " VALUES " VALUES;

int ledger_insert(struct pg *p, const struct ledger_entry *x, struct err *e)
{
	int64_t r = pg_run(p, x->traces ? SQL_INSERT_TRACES : SQL_INSERT,
			   PG_PARAMS(PG_TEXT(x->key.task_id), PG_INT(x->key.generation),
				     PG_INT(x->key.nesting), PG_INT(x->key.retries),
				     PG_TEXT(OUTCOMES[x->outcome].name),
				     PG_TEXT(OUTCOMES[x->outcome].final ? "true" : "false"),
				     PG_TEXT(x->task), PG_TEXT(x->queue), PG_TEXT(x->meta),
				     PG_TEXT(x->cause), PG_INT(x->follow_ups), PG_TEXT(x->node),
				     PG_INT(x->runtime_ms)),
			   NULL, e);

	return r < 0 ? (int)r : 0;
}

static const char SQL_FIND[] =
	"SELECT outcome, retries, meta FROM jobfleet.ledger WHERE task_id = $1 AND generation = $2"
	" AND (final OR (nesting = $3 AND retries = $4)) ORDER BY final DESC LIMIT 1";

int ledger_find(struct pg *p, const struct ledger_key *key, struct ledger_found *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(p, SQL_FIND,
			   PG_PARAMS(PG_TEXT(key->task_id), PG_INT(key->generation),
				     PG_INT(key->nesting), PG_INT(key->retries)), &rows, e);

	if (r > 0) {
		ret->outcome = LEDGER_FAILURE;
		for (int o = 0; o < LEDGER_COUNT; o++)
			if (strcmp(pg_text(rows, 0, 0), OUTCOMES[o].name) == 0)
				ret->outcome = (enum ledger_outcome)o;
		ret->retries = (int)pg_int(rows, 0, 1);
		ret->meta = mem_strdup(pg_cell(rows, 0, 2));
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : r > 0;
}

void ledger_found_release(struct ledger_found *f)
{
	free(f->meta);
	f->meta = NULL;
}
