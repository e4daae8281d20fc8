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

#define TRACES_GONE \
	"kept AS (DELETE FROM jobfleet.pending WHERE task_id = $1 AND generation = $2" \
	" AND state = 'sent' AND ($6::boolean OR retries <= $4::int) RETURNING sent_at)," \
	" counted AS (DELETE FROM jobfleet.starts WHERE task_id = $1 AND generation = $2" \
	" AND $10::text IS DISTINCT FROM 'LOST')"
/* Only the first part of a join writes: a lock on the row would make parts wait for each other. */
#define JOIN_NOTED \
	"noted AS (INSERT INTO jobfleet.joins (join_id, body, root_id) SELECT $14, $18, $19" \
	" WHERE $18::text IS NOT NULL" \
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.joins WHERE join_id = $14)" \
	" ON CONFLICT DO NOTHING)"
#define INSERT(more_columns, more_values) \
	"INSERT INTO jobfleet.ledger (task_id, generation, nesting, retries, outcome, final," \
	" task, queue, meta, cause, follow_ups, node, started_at" more_columns \
	") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12," \
	" now() - $13::bigint * interval '1 ms'" more_values ")"
#define JOIN_COLUMNS ", join_id, join_task, join_index, join_part"
#define JOIN_VALUES ", $14, $15, $16, $17"

/* Of several, the last: a retry has a row of its own. */
#define SENT_COLUMN ", sent_at"
#define SENT_VALUE ", (SELECT max(sent_at) FROM kept)"

enum { PARAMS = 13, JOIN_PARAMS = 19 };

static const char *const SQL_INSERT[2][2] = {	/* part of a join? traces? */
	{ INSERT("", ""), "WITH " TRACES_GONE " " INSERT(SENT_COLUMN, SENT_VALUE) },
	{ "WITH " JOIN_NOTED " " INSERT(JOIN_COLUMNS, JOIN_VALUES),
	  "WITH " TRACES_GONE ", " JOIN_NOTED " "
	  INSERT(JOIN_COLUMNS SENT_COLUMN, JOIN_VALUES SENT_VALUE) },
};

int ledger_insert(struct pg *p, const struct ledger_entry *x, struct err *e)
{
	const struct pg_param params[JOIN_PARAMS] = {
		PG_TEXT(x->key.task_id), PG_INT(x->key.generation), PG_INT(x->key.nesting),
		PG_INT(x->key.retries), PG_TEXT(OUTCOMES[x->outcome].name),
		PG_TEXT(OUTCOMES[x->outcome].final ? "true" : "false"), PG_TEXT(x->task),
		PG_TEXT(x->queue), PG_TEXT(x->meta), PG_TEXT(x->cause), PG_INT(x->follow_ups),
		PG_TEXT(x->node), PG_INT(x->runtime_ms), PG_TEXT(x->join_id), PG_TEXT(x->join_task),
		x->join_index < 0 ? PG_NULL : PG_INT(x->join_index), PG_TEXT(x->join_part),
		PG_TEXT(x->join_body), PG_TEXT(x->join_root),
	};
	int64_t r = pg_run(p, SQL_INSERT[x->join_id != NULL][x->traces], params,
			   x->join_id ? JOIN_PARAMS : PARAMS, NULL, e);

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
