/* SPDX-License-Identifier: MIT */
#include "workers/ctl/purged.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/store/ledger.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "workers/ctl/ctl.h"

enum { SLICE = 500, META_BYTES = 65536, BODY_BYTES = 64 << 20, COMMIT_MS = 10000 };

static const char SQL_NEXT[] =
	"SELECT id, task_id, generation, nesting, retries, task, props, body"
	" FROM jobfleet.pending p WHERE " PURGED_ROWS
	" AND sent_at <= $2::timestamptz AND id > $3 ORDER BY id LIMIT $4";

int purged_next(struct purged *p, struct ctl *c, struct err *e)
{
	int r;

	purged_release(p);
	r = ctl_query(c, SQL_NEXT, PG_PARAMS(PG_TEXT(p->queue), PG_TEXT(p->before),
					     PG_INT(p->last), PG_INT(SLICE)), &p->rows, e);
	if (r < 0)
		return r;
	p->n = pg_rows_count(p->rows);
	if (p->n > 0)
		p->last = pg_int(p->rows, p->n - 1, 0);
	return p->n > 0;
}

const char *purged_id(const struct purged *p, size_t i)
{
	return pg_text(p->rows, i, 1);
}

void purged_release(struct purged *p)
{
	pg_rows_free(p->rows);
	p->rows = NULL;
	p->n = 0;
}

/* What a chord needs to know of its part: 1 = *ret_chord is the body's signature. */
static int chord_of(const struct message *m, char **ret_chord)
{
	char *text = NULL, *args = NULL, *kwargs = NULL, *embed = NULL;
	size_t len = 0;
	int r = m->group ? message_text(m, BODY_BYTES, &text, &len, NULL) : -1;

	if (r == 0)
		r = message_split(text, len, &args, &kwargs, &embed, NULL);
	if (r == 0)
		r = json_raw_member(embed, strlen(embed), "chord", ret_chord, NULL);
	free(text);
	free(args);
	free(kwargs);
	free(embed);
	return r > 0;
}

/* Rows born in SQL have no properties, and no part in a chord either. */
static void read_message(struct message *m, const struct purged *p, size_t i)
{
	size_t props_len = 0, body_len = 0;
	char *props = pg_bytea(p->rows, i, 6, &props_len);
	char *body = pg_bytea(p->rows, i, 7, &body_len);

	message_init(m);
	if (props)
		message_decode(m, props, props_len, body, body_len, NULL);
	free(props);
	free(body);
}

static void print_meta(struct buf *meta, struct buf *error, const struct ledger_key *key,
		       const struct message *m)
{
	struct result result = {
		.task_id = key->task_id, .status = "REVOKED", .generation = key->generation,
		.retries = key->retries, .group_id = m->group, .parent_id = m->parent_id,
	};

	result_print_error(error, "TaskRevokedError", "purged", "celery.exceptions", NULL);
	result.json = buf_text(error);
	result_print(meta, &result, NULL);
}

static int tell_result(struct ctl *c, const struct ledger_key *key, const char *meta, struct err *e)
{
	static const char SQL_LATER[] =
		"INSERT INTO jobfleet.result_backlog (task_id, generation, retries, final, meta)"
		" VALUES ($1, $2, $3, true, $4)";
	struct redis *redis;
	int r = ctl_redis(c, &redis, NULL);

	if (r >= 0)
		r = result_store(redis, key->task_id, meta, key->generation, key->retries,
				 c->conf->fleet.result_expires_s, NULL);
	if (r < 0)
		r = ctl_query(c, SQL_LATER, PG_PARAMS(PG_TEXT(key->task_id),
						      PG_INT(key->generation),
						      PG_INT(key->retries), PG_TEXT(meta)),
			      &(struct pg_rows *){ NULL }, e);
	return r < 0 ? r : 0;
}

static int settle(const struct purged *p, size_t i, struct ctl *c, const struct message *m,
		  const char *meta, const char *error, struct err *e)
{
	char *chord = NULL;
	struct ledger_entry entry = {
		.key = { purged_id(p, i), (int)pg_int(p->rows, i, 2), (int)pg_int(p->rows, i, 3),
			 (int)pg_int(p->rows, i, 4) },
		.outcome = LEDGER_REVOKED, .task = pg_text(p->rows, i, 5), .queue = p->queue,
		.node = "jobfleet", .meta = m->ignore_result ? NULL : meta, .cause = "purged",
		.join_index = -1, .traces = true,
	};
	int r;

	if (chord_of(m, &chord)) {
		entry.join_id = m->group;
		entry.join_index = m->group_index;
		entry.join_part = error;
		entry.join_body = chord;
		entry.join_root = m->root_id;
	}
	r = pg_begin(c->pg, COMMIT_MS, e);
	if (r >= 0)
		r = ledger_insert(c->pg, &entry, e);
	if (r >= 0)
		r = pg_commit(c->pg, e);
	pg_rollback(c->pg);
	free(chord);
	return r;
}

int purged_end(const struct purged *p, size_t i, struct ctl *c, struct err *e)
{
	struct ledger_key key = { purged_id(p, i), (int)pg_int(p->rows, i, 2), 0,
				  (int)pg_int(p->rows, i, 4) };
	struct buf meta, error;
	struct message m;
	struct pg *pg;
	int r = ctl_pg(c, &pg, e);

	read_message(&m, p, i);
	buf_init(&meta, META_BYTES);
	buf_init(&error, META_BYTES);
	print_meta(&meta, &error, &key, &m);
	if (r >= 0)
		r = settle(p, i, c, &m, buf_text(&meta), buf_text(&error), e);
	if (r == -ERR_CONFLICT)
		r = ctl_query(c, "DELETE FROM jobfleet.pending WHERE id = $1 AND state = 'sent'",
			      PG_PARAMS(PG_TEXT(pg_text(p->rows, i, 0))),
			      &(struct pg_rows *){ NULL }, e);
	else if (r >= 0)
		r = m.ignore_result ? 1 : tell_result(c, &key, buf_text(&meta), e) < 0 ?
		    -(int)e->code : 1;
	message_release(&m);
	buf_release(&meta);
	buf_release(&error);
	return r;
}
