/* SPDX-License-Identifier: MIT */
#include "common/store/dead_letter.h"

#include "common/base/err.h"
#include "common/store/pg.h"

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
