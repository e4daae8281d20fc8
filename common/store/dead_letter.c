/* SPDX-License-Identifier: MIT */
#include "common/store/dead_letter.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/broker/message.h"
#include "common/store/pending.h"
#include "common/store/pg.h"

enum { PROPS_MAX = 128 << 10 };

static const char SQL_INSERT[] =
	"INSERT INTO jobfleet.dead_letters (mail_id, task_id, generation, task, queue, cause,"
	" reason, detail, props, body, fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7,"
	" coalesce($8, '{}')::jsonb, $9::bytea, $10::bytea, md5(concat_ws('|', $6::text, $4::text,"
	" regexp_replace($7::text, '[0-9]+', '#', 'g')))) ON CONFLICT (mail_id) DO UPDATE"
	" SET state = 'dead', updated_at = now() WHERE dead_letters.state <> 'dead'";

int dead_letter_insert(struct pg *p, const struct dead_letter *d, struct err *e)
{
	int64_t r = pg_run(p, SQL_INSERT,
			   PG_PARAMS(PG_TEXT(d->mail_id), PG_TEXT(d->task_id),
				     PG_INT(d->generation), PG_TEXT(d->task), PG_TEXT(d->queue),
				     PG_TEXT(d->cause), PG_TEXT(d->reason), PG_TEXT(d->detail),
				     PG_BYTES(d->props, d->props_len),
				     PG_BYTES(d->body, d->body_len)), NULL, e);

	return r < 0 ? (int)r : 0;
}

/* A fresh start under the same id: whatever made the old one late or counted against it goes. */
static void renew(struct message *m, const struct dead_letter *d)
{
	m->generation = (m->generation > d->generation ? m->generation : d->generation) + 1;
	m->retries = m->hop = m->forwards = 0;
	m->eta = m->expires = m->expiration = NULL;
}

int dead_letter_message(const struct dead_letter *d, struct message *m, struct err *e)
{
	int r;

	message_init(m);
	if (!d->props || !d->body)
		return err_set(e, ERR_INVALID, "no message was kept");
	r = message_decode(m, d->props, d->props_len, d->body, d->body_len, e);
	if (r < 0) {
		if (e)
			e->code = ERR_INVALID;
		return -ERR_INVALID;
	}
	renew(m, d);
	return 0;
}

static int put_pending(struct pg *p, const struct message *m, const char *queue, struct err *e)
{
	struct pending_row row;
	struct buf props;
	int r;

	buf_init(&props, PROPS_MAX);
	r = pending_from_message(&row, m, "outbox", queue, &props, e);
	row.reason = "replayed";
	if (r == 0)
		r = pending_insert(p, &row, e);
	if (r == 0)
		r = pg_exec(p, "NOTIFY jobfleet_pending", e);
	buf_release(&props);
	return r;
}

int dead_letter_replay(struct pg *p, int64_t id, const struct message *m, const char *queue,
		       struct err *e)
{
	int64_t n = put_pending(p, m, queue, e);

	if (n == 0)
		n = pg_run(p, "UPDATE jobfleet.dead_letters SET state = 'replayed', updated_at ="
			   " now() WHERE id = $1", PG_PARAMS(PG_INT(id)), NULL, e);
	return n < 0 ? (int)n : 0;
}
