/* SPDX-License-Identifier: MIT */
#include "workers/processing/outcome.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/copies.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/store/pg.h"
#include "workers/processing/embed.h"
#include "workers/processing/posting.h"

enum { LIST_MAX = OUTCOME_ERRORS_MAX * (OUTCOME_RAW_MAX + 1024) };

int outcome_open(struct outcome *o, struct pg *pg, const char *collection_id, const char *run_id,
		 struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r;

	*o = (struct outcome){ .started_ms = clock_mono_ms() };
	buf_init(&o->list, LIST_MAX);
	buf_init(&o->postings, OUTCOME_COPY_MAX);
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
	buf_release(&o->postings);
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
	o->refusals[why->type]++;
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

void outcome_note(struct outcome *o, const struct posting *p)
{
	o->completeness += p->quality;
	o->consistent += issues_consistent(p->issues);
	for (int i = 0; i < ISSUE_COUNT; i++)
		o->issues[i] += p->issues >> i & 1;
	if (!o->keeps_postings || buf_overflowed(&o->postings))
		return;
	buf_putc(&o->postings, o->postings.len ? ',' : '[');
	posting_json(p, NULL, &o->postings);
}

const char *outcome_status(const struct outcome *o)
{
	if (!o->failed)
		return "completed";
	return o->processed ? "partial" : "failed";
}

static void put_count(cJSON *counts, const char *name, int n)
{
	if (n)
		json_set_num(counts, name, n);
}

/* A share with four places; null of nothing. */
static void put_share(cJSON *o, const char *name, double part, int whole)
{
	char text[32] = "null";

	if (whole > 0)
		snprintf(text, sizeof text, "%.4f", part / whole);
	json_set_raw(o, name, text);
}

static char *metrics(const struct outcome *o, int64_t bytes)
{
	cJSON *m = mem_check(cJSON_CreateObject()), *issues = mem_check(cJSON_CreateObject()),
	      *refusals = mem_check(cJSON_CreateObject());
	int left_out = o->errors > OUTCOME_ERRORS_MAX ? o->errors - OUTCOME_ERRORS_MAX : 0;
	char *text;

	for (int i = 0; i < ISSUE_COUNT; i++)
		put_count(issues, issue_name(i), o->issues[i]);
	for (int i = 0; i < REFUSAL_COUNT; i++)
		put_count(refusals, refusal_name(i), o->refusals[i]);
	json_set_num(m, "processing_time_ms", (double)(clock_mono_ms() - o->started_ms));
	json_set_num(m, "embeddings_generated", o->embeddings);
	json_set_num(m, "duplicates_detected", o->duplicates);
	json_set_num(m, "duplicates_within", o->repeats);
	json_set_num(m, "duplicates_near", o->near);
	json_set_num(m, "reposts_detected", o->reposts);
	put_share(m, "completeness", o->completeness, o->processed);
	put_share(m, "consistency", o->consistent, o->processed);
	put_share(m, "duplicates_share", o->repeats, o->processed);
	put_share(m, "errors_share", o->failed, o->processed + o->failed);
	json_set(m, "issues", issues);
	json_set(m, "refusals", refusals);
	json_set_num(m, "response_bytes", (double)bytes);
	json_set_num(m, "errors_left_out", left_out);
	json_set_str(m, "embedding_model", EMBED_MODEL);
	json_set_num(m, "rules_version", POSTING_RULES_VERSION);
	text = json_print(m);
	cJSON_Delete(m);
	return text;
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

/* {"processing_id": …, "collection_id": …, "postings": [ … ]} */
static void copy_list(const struct outcome *o, const struct conf *conf, const char *collection_id,
		      const char *kind, const char *name, const char *what, const struct buf *list)
{
	char *head = mem_printf("{\"processing_id\":\"%s\",\"collection_id\":\"%s\",\"%s\":",
				o->processing_id, collection_id, what);
	const struct copies_part parts[] = { { head, strlen(head) }, { list->data, list->len },
					     { "]}\n", 3 } };
	struct err e = { 0 };

	if (copies_write(conf->fleet.data_dir, kind, name, clock_wall_us(), parts, COUNT(parts),
			 false, NULL, &e) < 0)
		log_warn("no standing copy of processing_id=%s: %s", o->processing_id, e.msg);
	free(head);
}

void outcome_copy(const struct outcome *o, const struct conf *conf, const char *collection_id)
{
	struct buf errors = o->list;

	if (conf && conf->fleet.processed_copies && o->postings.len > 0 &&
	    !buf_overflowed(&o->postings))
		copy_list(o, conf, collection_id, "processed_data", "processed", "postings",
			  &o->postings);
	errors.len--;		/* closed already */
	if (conf && conf->fleet.failed_copies && o->failed > 0)
		copy_list(o, conf, collection_id, "failed_processing", "failed", "errors", &errors);
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
	json_set_num(answer, "reposts_detected", o->reposts);
	json_set_num(answer, "processing_time_ms", (double)(clock_mono_ms() - o->started_ms));
	return answer;
}
