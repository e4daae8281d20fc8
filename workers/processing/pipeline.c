/* SPDX-License-Identifier: MIT */
#include "workers/processing/pipeline.h"

#include "common/base/board.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/processing/answer.h"
#include "workers/processing/batch.h"
#include "workers/processing/earlier.h"
#include "workers/processing/outcome.h"
#include "workers/processing/poison.h"
#include "workers/processing/revector.h"
#include "workers/processing/step.h"
#include "workers/processing/transform.h"

enum { DEFAULT_BATCH = 100 };

static bool is_done(const struct answer *a)
{
	return !strcmp(a->status, "completed") || !strcmp(a->status, "partial") ||
		!strcmp(a->status, "failed");
}

static cJSON *already(const struct answer *a, const char *collection_id)
{
	cJSON *answer = mem_check(cJSON_CreateObject());

	json_set_str(answer, "status", "already_processed");
	json_set_str(answer, "collection_id", collection_id);
	json_set_str(answer, "processing_status", a->status);
	return answer;
}

static int count_rows(struct raw rows)
{
	struct raw_walk w = raw_walk(rows);
	struct raw row;
	int n = 0;

	while (raw_next(&w, NULL, &row))
		n++;
	return n;
}

static int take_row(const struct transform_context *ctx, int index, struct raw row,
		    struct posting *p, struct batch *batch, struct outcome *o, struct err *e)
{
	struct refusal why = { 0 };

	switch (transform_row(ctx, row, p, &why)) {
	case TRANSFORM_POSTING:
		outcome_note(o, p);
		return batch_add(batch, index, p, row, e);
	case TRANSFORM_REFUSED:
		outcome_refuse(o, index, &why, why.type == REFUSAL_INVALID_JSON ? RAW_NONE : row);
		return 0;
	case TRANSFORM_NOTICE:
		break;
	}
	return 0;
}

/* Has an earlier start of this task not ended? Then one of its rows may be why. */
static int find_poison(struct run *run, struct pg *pg, const struct transform_context *ctx,
		       struct raw rows, struct poison *ret, struct err *e)
{
	int64_t r = pg_run(pg, "SELECT FROM jobfleet.starts WHERE task_id = $1 AND starts > 0",
			   PG_PARAMS(PG_TEXT(run_id(run))), NULL, e);

	*ret = (struct poison){ .n = 0 };
	if (r > 0)
		poison_find(ctx, rows, ret);
	for (int i = 0; i < ret->n; i++)
		log_warn("row %d of this collection ends the process that reads it: refused",
			 ret->index[i]);
	return r < 0 ? (int)r : 0;
}

static int take_rows(struct run *run, const struct transform_context *ctx, struct raw rows,
		     const struct poison *poison, struct batch *batch, struct outcome *o,
		     struct err *e)
{
	static const struct refusal CRASHED = { REFUSAL_CRASHED,
						"The row ends the process that reads it" };
	struct raw_walk w = raw_walk(rows);
	int total = count_rows(rows), index = 0, r = 0;
	struct posting p;
	struct raw row;

	posting_init(&p);
	for (; r == 0 && raw_next(&w, NULL, &row); index++) {
		if (poison_has(poison, index))
			outcome_refuse(o, index, &CRASHED, row);
		else
			r = take_row(ctx, index, row, &p, batch, o, e);
		if (index % DEFAULT_BATCH == DEFAULT_BATCH - 1)
			run_progress(run, index + 1, total, "processing");
		if (r == 0 && run_cancelled(run))
			r = run_cancel_error(run, e);
	}
	posting_release(&p);
	return r == 0 ? batch_flush(batch, e) : r;
}

static int transform_all(struct run *run, struct pg *pg, const struct answer *a,
			 struct batch *batch, struct outcome *o, struct err *e)
{
	const struct conf *conf = run_conf(run);
	struct steps steps = { .n = 0 };
	struct transform_context ctx = {
		.source = a->source, .from = { a->query },
		.asked_country = a->country[0] ? a->country : NULL,
		.reference_us = a->fetched_us, .is_demo = a->is_demo,
		.skills = !conf || conf->fleet.skill_extraction,
		.reject_below = conf ? conf->fleet.quality_reject : 0, .steps = &steps,
	};
	struct poison poison;
	int r = conf ? steps_choose(&steps, conf->fleet.processing_steps, e) : 0;

	if (r == 0)
		r = find_poison(run, pg, &ctx, a->rows, &poison, e);
	return r < 0 ? r : take_rows(run, &ctx, a->rows, &poison, batch, o, e);
}

static int process_rows(struct run *run, struct pg *pg, const struct answer *a, const char *id,
			struct outcome *o, struct err *e)
{
	const struct conf *conf = run_conf(run);
	struct batch *batch = NULL;
	struct earlier earlier;
	int r;

	if (!a->rows.at) {
		outcome_refuse(o, OUTCOME_NO_INDEX, &a->refusal,
			       a->refusal.type == REFUSAL_UNKNOWN_FORMAT ?
			       (struct raw){ a->text, a->bytes } : RAW_NONE);
		return 0;
	}
	r = earlier_load(&earlier, pg, id, e);
	if (r == 0)
		r = batch_open(&batch, pg, o, conf ? conf->fleet.batch_size : DEFAULT_BATCH,
			       a->is_demo, e);
	if (r == 0)
		batch_remember(batch, &earlier);
	if (r == 0 && conf && !conf->fleet.duplicate_detection)
		batch_skip_near(batch);
	if (r == 0)
		r = transform_all(run, pg, a, batch, o, e);
	batch_close(batch);
	earlier_release(&earlier);
	return r;
}

static int enqueue_loading(struct run *run, const struct outcome *o, struct err *e)
{
	char args[UUID_SIZE + 8];
	struct run_enqueue what = { .task = "jobfleet.load_processed",
				    .args = args,
				    .priority = -1 };

	snprintf(args, sizeof args, "[\"%s\"]", o->processing_id);
	return o->processed > 0 ? run_enqueue(run, &what, NULL, e) : 0;
}

/* For people who watch; what is rolled back after this and repeated counts twice. */
static void count(const struct answer *a, const struct outcome *o)
{
	const char *name = a->source ? a->provider : "other";

	board_add(o->processed, "stage_items", "processing", name, "rows", NULL);
	board_add(o->failed, "stage_items", "processing", name, "errors", NULL);
	board_add(o->repeats, "stage_items", "processing", name, "duplicates", NULL);
	board_time((clock_mono_ms() - o->started_ms) * 1000, "stage_seconds", "processing", name,
		   NULL);
}

static int process_locked(struct run *run, struct pg *pg, struct answer *a, const char *id,
			  cJSON **ret_result, struct err *e)
{
	struct outcome o = { 0 };
	int r = answer_read(a, pg, id, e);

	log_info("processing starts collection_id=%s run_id=%s bytes=%zu", id, a->run_id, a->bytes);
	if (r == 0)
		r = outcome_open(&o, pg, id, a->run_id, e);
	o.keeps_postings = run_conf(run) && run_conf(run)->fleet.processed_copies;
	FAULT_POINT("processing.opened");
	if (r == 0)
		r = process_rows(run, pg, a, id, &o, e);
	FAULT_POINT("processing.written");
	if (r == 0)
		r = outcome_close(&o, pg, id, (int64_t)a->bytes, e);
	if (r == 0)
		r = enqueue_loading(run, &o, e);
	if (r == 0 && o.processed > 0)
		r = revector_enqueue(run, o.processing_id, e);
	FAULT_POINT("processing.enqueued");
	if (r == 0) {
		log_info(
			"processing ends collection_id=%s run_id=%s processing_id=%s status=%s processed=%d"
			" failed=%d "
			"duplicates=%d",
			id, a->run_id, o.processing_id, outcome_status(&o), o.processed, o.failed,
			o.duplicates);
		count(a, &o);
		outcome_copy(&o, run_conf(run), id);
		*ret_result = outcome_json(&o, id);
	}
	outcome_release(&o);
	return r;
}

int process_collection(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const char *id = json_str(args, "collection_id", "");
	struct answer a = { 0 };
	struct pg *pg;
	int r = run_db(run, &pg, e);

	if (r == 0)
		r = answer_open(&a, pg, id, e);
	if (r == 0 && is_done(&a) && !json_bool(args, "reprocess", false))
		*ret_result = already(&a, id);
	else if (r == 0)
		r = process_locked(run, pg, &a, id, ret_result, e);
	answer_close(&a);
	return r;
}
