/* SPDX-License-Identifier: MIT */
#include "workers/loading/load.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/loading/merge.h"
#include "workers/loading/staging.h"

enum { DEFAULT_CHUNK = 1000 };

/* What is to be loaded, as job_processing_log has it. */
struct source {
	char collection_id[UUID_SIZE], status[24];
	char *run_id;
	bool loaded;
};

static int source_open(struct source *ret, struct pg *pg, const char *processing_id, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n;

	*ret = (struct source){ 0 };
	if (!uuid_is_valid(processing_id))
		return err_set(e, ERR_INVALID, "processing_id is no uuid: \"%.60s\"",
			       processing_id);
	n = pg_run(pg, "SELECT collection_id, status, coalesce(run_id, ''), loaded_at IS NOT NULL"
		   " FROM public.job_processing_log WHERE processing_id = $1::uuid FOR UPDATE",
		   PG_PARAMS(PG_TEXT(processing_id)), &rows, e);
	if (n > 0) {
		snprintf(ret->collection_id, sizeof ret->collection_id, "%s", pg_text(rows, 0, 0));
		snprintf(ret->status, sizeof ret->status, "%s", pg_text(rows, 0, 1));
		ret->run_id = mem_strdup(pg_text(rows, 0, 2));
		ret->loaded = pg_bool(rows, 0, 3);
	}
	pg_rows_free(rows);
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "no processing %s", processing_id);
	return n < 0 ? (int)n : 0;
}

static int stage(struct run *run, struct staging *s, struct err *e)
{
	const struct conf *conf = run_conf(run);
	int n = conf && conf->fleet.batch_size > DEFAULT_CHUNK ? conf->fleet.batch_size
							       : DEFAULT_CHUNK;
	int64_t last = -1;
	int r;

	do {
		if (run_cancelled(run))
			return run_cancel_error(run, e);
		r = staging_fill(s, last, n, &last, e);
		run_progress(run, s->staged + s->failed, 0, "staging");
	} while (r > 0);
	return r;
}

static int close_log(const struct staging *s, const struct merge_counts *c, struct err *e)
{
	int64_t r = pg_run(
		s->pg,
		"UPDATE public.job_processing_log SET loaded_at = now(), jobs_loaded = $2::int,"
		" jobs_merged = $3::int, metrics = metrics || "
		"jsonb_build_object('load_failed', $4::int)"
		" WHERE processing_id = $1::uuid",
		PG_PARAMS(PG_TEXT(s->processing_id), PG_INT(c->inserted),
			  PG_INT(c->updated + c->unchanged + c->duplicates), PG_INT(s->failed)),
		NULL, e);

	return r < 0 ? (int)r : 0;
}

static int notify(const struct staging *s, const struct source *source,
		  const struct merge_counts *c, struct err *e)
{
	int64_t r = pg_run(
		s->pg,
		"SELECT pg_notify('jobfleet_loaded', jsonb_build_object('processing_id', $1::text,"
		" 'collection_id', $2::text, 'inserted', $3::int, 'updated', "
		"$4::int, 'job_ids',"
		" (SELECT coalesce(jsonb_agg(job_id), '[]') FROM (SELECT job_id FROM "
		"load_staging"
		" WHERE outcome IN ('inserted', 'updated') ORDER BY job_index LIMIT "
		"$5::int) AS ids))::text)",
		PG_PARAMS(PG_TEXT(s->processing_id), PG_TEXT(source->collection_id),
			  PG_INT(c->inserted), PG_INT(c->updated), PG_INT(LOAD_NOTIFY_IDS)),
		NULL, e);

	return r < 0 ? (int)r : 0;
}

static cJSON *answer(const char *status, const struct staging *s, const struct source *source,
		     const struct merge_counts *c)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "status", status);
	json_set_str(o, "processing_id", s->processing_id);
	json_set_str(o, "collection_id", source->collection_id);
	json_set_num(o, "inserted", c->inserted);
	json_set_num(o, "updated", c->updated);
	json_set_num(o, "unchanged", c->unchanged);
	json_set_num(o, "duplicates", c->duplicates);
	json_set_num(o, "failed", s->failed);
	return o;
}

static int load(struct run *run, struct pg *pg, const char *id, const struct source *source,
		cJSON **ret_result, struct err *e)
{
	int64_t started_ms = clock_mono_ms();
	struct merge_counts counts = { 0 };
	struct staging s;
	int r = staging_open(&s, pg, id, e);

	log_info("loading starts processing_id=%s run_id=%s", id, source->run_id);
	if (r == 0)
		r = stage(run, &s, e);
	if (r == 0)
		r = merge_all(&s, source->collection_id, &counts, e);
	if (r == 0)
		r = close_log(&s, &counts, e);
	if (r == 0)
		r = notify(&s, source, &counts, e);
	if (r < 0)
		return r;
	log_info(
		"loading ends processing_id=%s run_id=%s inserted=%d updated=%d unchanged=%d duplicates=%d"
		" failed=%d "
		"ms=%lld",
		id, source->run_id, counts.inserted, counts.updated, counts.unchanged,
		counts.duplicates, s.failed, (long long)(clock_mono_ms() - started_ms));
	*ret_result = answer("success", &s, source, &counts);
	return 0;
}

int load_processed(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const char *id = json_str(args, "processing_id", "");
	struct staging none = { .processing_id = id };
	struct source source = { 0 };
	struct pg *pg;
	int r = run_db(run, &pg, e);

	if (r == 0)
		r = source_open(&source, pg, id, e);
	if (r == 0 && source.loaded)
		*ret_result = answer("already_loaded", &none, &source,
				     &(struct merge_counts){ 0 });
	else if (r == 0)
		r = load(run, pg, id, &source, ret_result, e);
	free(source.run_id);
	return r;
}
