/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/letter.h"

#include <ctype.h>
#include <utf8proc.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "common/store/result.h"

#define MAX_TEXT_BYTES 2000
#define MAX_META_BYTES 16384

/* One statement, so that letter and result stand or fall together also outside a transaction. */
static const char SQL_STORE[] =
	"WITH letter AS ("
	"INSERT INTO jobfleet.dead_letters"
	" (mail_id, task_id, generation, task, queue, cause, reason, detail, fingerprint, props, body)"
	" VALUES ($1, $2, $3::integer, $4, $5, $6, $7, $8::jsonb, $9, $10, $11)"
	" ON CONFLICT (mail_id) DO NOTHING RETURNING task_id, generation),"
	" answer AS ("
	"INSERT INTO jobfleet.result_backlog (task_id, generation, retries, final, meta)"
	" SELECT l.task_id, l.generation, $12::integer, true, $13 FROM letter l"
	" WHERE l.task_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobfleet.ledger g"
	" WHERE g.task_id = l.task_id AND g.generation = l.generation AND g.final))"
	" SELECT count(*) FROM letter";

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

/* Runs of digits and hexadecimal digits are what differs between letters of one kind. */
static void put_pattern(struct buf *out, const char *text)
{
	while (*text) {
		size_t run = strspn(text, "0123456789abcdefABCDEF-");
		bool number = false;

		for (size_t i = 0; i < run; i++)
			number = number || isdigit((unsigned char)text[i]);
		if (number) {
			buf_putc(out, '#');
		} else {
			run = run ? run : 1;
			buf_append(out, text, run);
		}
		text += run;
	}
	buf_putc(out, '\n');
}

static void print_fingerprint(const struct letter *l, char out[UUID_SIZE])
{
	const char *parts[] = { l->cause, l->queue, l->task ? l->task : "", l->reason };
	struct buf text;

	buf_init(&text, 4 * (MAX_TEXT_BYTES + 1));
	for (size_t i = 0; i < COUNT(parts); i++)
		put_pattern(&text, parts[i]);
	uuid_v5(text.data, text.len, out);
	buf_release(&text);
}

/* What a client that waits for the task is told. */
static char *print_meta(const struct letter *l)
{
	bool expired = strcmp(l->cause, "expired") == 0;
	struct err why = { 0 };
	struct buf error, meta;
	struct result result = { .task_id = l->task_id,
				 .generation = l->generation,
				 .retries = l->retries,
				 .status = expired ? "REVOKED" : "FAILURE" };

	buf_init(&error, MAX_META_BYTES);
	buf_init(&meta, 2 * MAX_META_BYTES);
	if (expired)
		result_print_error(&error, "TaskRevokedError", "expired", "celery.exceptions",
				   NULL);
	else if (strcmp(l->cause, "unregistered") == 0)
		result_print_error(&error, "NotRegistered", l->task ? l->task : l->reason,
				   "celery.exceptions", NULL);
	else {
		err_set(&why, strcmp(l->cause, "lost") == 0 ? ERR_LOST : ERR_PROTOCOL, "%s",
			l->reason);
		result_print_error(&error, err_exc_type(&why), l->reason, err_exc_module(&why),
				   NULL);
	}
	result.json = buf_text(&error);
	result_print(&meta, &result, NULL);
	buf_release(&error);
	return buf_take(&meta);
}

static int store(struct pg *p, const struct letter *l, struct err *e)
{
	char fingerprint[UUID_SIZE], *meta = print_meta(l);
	struct pg_rows *rows = NULL;
	int64_t n;

	print_fingerprint(l, fingerprint);
	n = pg_run(p, SQL_STORE,
		   PG_PARAMS(PG_TEXT(l->mail_id), PG_TEXT(l->task_id), PG_INT(l->generation),
			     PG_TEXT(l->task), PG_TEXT(l->queue), PG_TEXT(l->cause),
			     PG_TEXT(l->reason), PG_TEXT(l->detail ? l->detail : "{}"),
			     PG_TEXT(fingerprint), PG_BYTES(l->props, l->props_len),
			     PG_BYTES(l->body, l->body_len), PG_INT(l->retries), PG_TEXT(meta)),
		   &rows, e);
	free(meta);
	if (n >= 0)
		n = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return (int)n;
}

int letter_store(struct pg *p, const struct letter *l, struct err *e)
{
	char *texts[] = { clean(l->mail_id), clean(l->task_id), clean(l->task),
			  clean(l->queue),   clean(l->cause),	clean(l->reason) };
	struct letter tidy = *l;
	int r;

	tidy.mail_id = texts[0];
	tidy.task_id = texts[1];
	tidy.task = texts[2];
	tidy.queue = texts[3] ? texts[3] : "";
	tidy.cause = texts[4] ? texts[4] : "";
	tidy.reason = texts[5] ? texts[5] : "";
	r = store(p, &tidy, e);
	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	return r;
}
