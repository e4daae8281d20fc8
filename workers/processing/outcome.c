/* SPDX-License-Identifier: MIT */
#include "workers/processing/outcome.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/processing/embed.h"
#include "workers/processing/posting.h"
#include "workers/processing/text.h"
#include "workers/processing/utf8.h"

enum { LIST_MAX = OUTCOME_ERRORS_MAX * (OUTCOME_RAW_MAX + 1024) };

int outcome_open(struct outcome *o, struct pg *pg, const char *collection_id, const char *run_id,
		 struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r;

	*o = (struct outcome){ .started_ms = clock_mono_ms() };
	buf_init(&o->list, LIST_MAX);
	buf_putc(&o->list, '[');
	r = pg_run(
		pg,
		"INSERT INTO public.job_processing_log (collection_id, started_at, status, run_id)"
		" VALUES ($1::uuid, clock_timestamp(), 'processing', nullif($2, '')) "
		"RETURNING processing_id",
		PG_PARAMS(PG_TEXT(collection_id), PG_TEXT(run_id)), &rows, e);
	if (r < 0)
		return (int)r;
	snprintf(o->processing_id, sizeof o->processing_id, "%s", pg_text(rows, 0, 0));
	pg_rows_free(rows);
	return 0;
}

void outcome_release(struct outcome *o)
{
	buf_release(&o->list);
}

/* The row as it came, or as a text when it is too long to keep whole. */
static void put_raw(struct buf *list, struct raw raw)
{
	struct buf text;

	if (!raw.at)
		raw = RAW("null");
	buf_init(&text, 2 * POSTING_RAW_MAX);
	text_to_utf8(raw.at, raw.len < POSTING_RAW_MAX ? raw.len : POSTING_RAW_MAX, &text);
	if (text.len <= OUTCOME_RAW_MAX && !buf_overflowed(&text)) {
		buf_append(list, text.data, text.len);
	} else {
		text.data[utf8_cut(text.data, text.len, OUTCOME_RAW_MAX / 6)] = '\0';
		buf_put_json_string(list, text.data);
	}
	buf_release(&text);
}

void outcome_refuse(struct outcome *o, int index, const struct refusal *why, struct raw raw)
{
	o->failed++;
	if (++o->errors > OUTCOME_ERRORS_MAX)
		return;
	buf_puts(&o->list, o->errors > 1 ? ",{\"job_index\":" : "{\"job_index\":");
	if (index == OUTCOME_NO_INDEX)
		buf_puts(&o->list, "null");
	else
		buf_printf(&o->list, "%d", index);
	buf_puts(&o->list, ",\"error_type\":");
	buf_put_json_string(&o->list, refusal_name(why->type));
	buf_puts(&o->list, ",\"error_message\":");
	buf_put_json_string(&o->list, why->message);
	buf_puts(&o->list, ",\"raw_data\":");
	put_raw(&o->list, raw);
	buf_putc(&o->list, '}');
}

const char *outcome_status(const struct outcome *o)
{
	if (!o->failed)
		return "completed";
	return o->processed ? "partial" : "failed";
}

static char *metrics(const struct outcome *o, int64_t bytes)
{
	return mem_printf(
		"{\"processing_time_ms\":%lld,\"embeddings_generated\":%d,\"duplicates_detected\":%d,"
		"\"duplicates_within\":%d,"
		"\"response_bytes\":%lld,\"errors_left_out\":%d,\"embedding_model\":\"" EMBED_MODEL
		"\","
		"\"rules_version\":%d}",
		(long long)(clock_mono_ms() - o->started_ms), o->embeddings, o->duplicates,
		o->repeats, (long long)bytes,
		o->errors > OUTCOME_ERRORS_MAX ? o->errors - OUTCOME_ERRORS_MAX : 0,
		POSTING_RULES_VERSION);
}

int outcome_close(struct outcome *o, struct pg *pg, const char *collection_id, int64_t bytes,
		  struct err *e)
{
	char *figures = metrics(o, bytes);
	const char *status = outcome_status(o);
	int64_t r;

	buf_putc(&o->list, ']');
	r = pg_run(
		pg,
		"UPDATE public.job_processing_log SET completed_at = clock_timestamp(), status = $2,"
		" jobs_processed = $3::int, jobs_failed = $4::int, errors = $5::jsonb, "
		"metrics = $6::jsonb"
		" WHERE processing_id = $1::uuid",
		PG_PARAMS(PG_TEXT(o->processing_id), PG_TEXT(status), PG_INT(o->processed),
			  PG_INT(o->failed), PG_TEXT(buf_text(&o->list)), PG_TEXT(figures)),
		NULL, e);
	if (r >= 0)
		r = pg_run(
			pg,
			"UPDATE public.raw_job_collections SET processing_status = $2 WHERE collection_id = $1::uuid"
			" AND processing_status IS DISTINCT FROM $2",
			PG_PARAMS(PG_TEXT(collection_id), PG_TEXT(status)), NULL, e);
	free(figures);
	return r < 0 ? (int)r : 0;
}

cJSON *outcome_json(const struct outcome *o, const char *collection_id)
{
	cJSON *answer = mem_check(cJSON_CreateObject());

	json_set_str(answer, "status", outcome_status(o));
	json_set_str(answer, "collection_id", collection_id);
	json_set_str(answer, "processing_id", o->processing_id);
	json_set_num(answer, "jobs_processed", o->processed);
	json_set_num(answer, "jobs_failed", o->failed);
	json_set_num(answer, "duplicates_detected", o->duplicates);
	json_set_num(answer, "processing_time_ms", (double)(clock_mono_ms() - o->started_ms));
	return answer;
}
