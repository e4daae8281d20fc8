/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/letter.h"

#include <utf8proc.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/result.h"

#define MAX_TEXT_BYTES 2000
#define MAX_META_BYTES 16384
#define STORE_MS 5000

static const char SQL_ANSWER[] =
	"INSERT INTO jobfleet.result_backlog (task_id, generation, retries, final, meta)"
	" SELECT $1, $2::integer, $3::integer, true, $4 WHERE NOT EXISTS"
	" (SELECT 1 FROM jobfleet.ledger WHERE task_id = $1 AND generation = $2::integer AND final)";

/* Clean UTF-8 without control characters, cut at MAX_TEXT_BYTES; NULL stays NULL. */
static char *clean(const char *text)
{
	struct buf out;
	size_t n = text ? strlen(text) : 0;

	if (!text)
		return NULL;
	buf_init(&out, MAX_TEXT_BYTES);
	buf_puts(&out, "");
	while (n > 0 && !buf_overflowed(&out)) {
		utf8proc_int32_t cp = 0;
		utf8proc_ssize_t used =
			utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &cp);

		if (used > 0 && cp >= ' ')
			buf_append(&out, text, (size_t)used);
		else
			buf_putc(&out, used > 0 ? ' ' : '?');
		text += used > 0 ? used : 1;
		n -= used > 0 ? (size_t)used : 1;
	}
	return buf_take(&out);
}

/* What a client that waits for the task is told. */
static char *print_meta(const struct letter *l)
{
	const struct dead_letter *d = &l->dead;
	const char *type, *module, *message = d->reason;
	struct result result = { .task_id = d->task_id,
				 .generation = d->generation,
				 .retries = l->retries,
				 .status = "FAILURE" };
	struct err why = { 0 };
	bool lost = strcmp(d->cause, "lost") == 0 || strcmp(d->cause, "delivery_limit") == 0;
	struct buf error, meta;

	err_set(&why, lost ? ERR_LOST : ERR_PROTOCOL, "%s", d->reason);
	type = err_exc_type(&why);
	module = err_exc_module(&why);
	if (strcmp(d->cause, "expired") == 0) {
		result.status = "REVOKED";
		type = "TaskRevokedError";
		module = "celery.exceptions";
		message = "expired";
	} else if (strcmp(d->cause, "rejected") == 0) {
		type = "Reject";
		module = "celery.exceptions";
	} else if (strcmp(d->cause, "unregistered") == 0) {
		type = "NotRegistered";
		module = "celery.exceptions";
		message = d->task ? d->task : d->reason;
	}
	buf_init(&error, MAX_META_BYTES);
	buf_init(&meta, 2 * MAX_META_BYTES);
	result_print_error(&error, type, message, module, NULL);
	result.json = buf_text(&error);
	result_print(&meta, &result, NULL);
	buf_release(&error);
	return buf_take(&meta);
}

static int store_answer(struct pg *p, const struct letter *l, struct err *e)
{
	char *meta = print_meta(l);
	int64_t n = pg_run(p, SQL_ANSWER,
			   PG_PARAMS(PG_TEXT(l->dead.task_id), PG_INT(l->dead.generation),
				     PG_INT(l->retries), PG_TEXT(meta)),
			   NULL, e);

	free(meta);
	return n < 0 ? (int)n : 0;
}

static int store(struct pg *p, const struct letter *l, struct err *e)
{
	bool alone = !pg_in_transaction(p);
	int r = alone ? pg_begin(p, STORE_MS, e) : 0;

	if (r >= 0)
		r = dead_letter_insert(p, &l->dead, e);
	if (r >= 0 && l->dead.task_id)
		r = store_answer(p, l, e);
	if (r >= 0 && alone)
		r = pg_commit(p, e);
	if (r < 0 && alone)
		pg_rollback(p);
	return r;
}

int letter_store(struct pg *p, const struct letter *l, struct err *e)
{
	const struct dead_letter *d = &l->dead;
	char *texts[] = { clean(d->mail_id), clean(d->task_id), clean(d->task),
			  clean(d->queue),   clean(d->cause),	clean(d->reason) };
	struct letter tidy = *l;
	int r;

	tidy.dead.mail_id = texts[0];
	tidy.dead.task_id = texts[1];
	tidy.dead.task = texts[2];
	tidy.dead.queue = texts[3] ? texts[3] : "";
	tidy.dead.cause = texts[4] ? texts[4] : "";
	tidy.dead.reason = texts[5] ? texts[5] : "";
	r = store(p, &tidy, e);
	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	return r;
}
