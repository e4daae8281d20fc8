/* SPDX-License-Identifier: MIT */
#include "workers/loading/load.h"

#include "common/base/board.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/loading/expire.h"
#include "workers/loading/merge.h"
#include "workers/loading/staging.h"
#include "workers/loading/tell.h"

enum { CHUNK = 1000, WEIGHTS_MAX = 256 * 1024 };

/* What is to be loaded, as job_processing_log has it. */
struct source {
	char collection_id[UUID_SIZE], seen_at[64], provider[64];
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
	n = pg_run(pg, "SELECT l.collection_id, coalesce(c.timestamp, l.started_at),"
		   " coalesce(l.run_id, ''), l.loaded_at IS NOT NULL,"
		   " coalesce(c.api_provider, '')"
		   " FROM public.job_processing_log l LEFT JOIN public.raw_job_collections c"
		   " USING (collection_id) WHERE l.processing_id = $1::uuid FOR UPDATE OF l",
		   PG_PARAMS(PG_TEXT(processing_id)), &rows, e);
	if (n > 0) {
		snprintf(ret->collection_id, sizeof ret->collection_id, "%s", pg_text(rows, 0, 0));
		snprintf(ret->seen_at, sizeof ret->seen_at, "%s", pg_text(rows, 0, 1));
		ret->run_id = mem_strdup(pg_text(rows, 0, 2));
		ret->loaded = pg_bool(rows, 0, 3);
		snprintf(ret->provider, sizeof ret->provider, "%s", pg_text(rows, 0, 4));
	}
	pg_rows_free(rows);
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "no processing %s", processing_id);
	return n < 0 ? (int)n : 0;
}

/* Every source's weight by its name; a publisher may be one that has no interface of its own. */
static char *weights(const struct conf *conf)
{
	struct buf b;

	buf_init(&b, WEIGHTS_MAX);
	buf_putc(&b, '{');
	for (size_t i = 0; conf && i < conf->nsources; i++) {
		buf_puts(&b, i ? "," : "");
		buf_put_json_string(&b, conf->sources[i].name);
		buf_printf(&b, ":%.2f", conf->sources[i].weight);
	}
	buf_putc(&b, '}');
	return buf_take(&b);
}

static int stage(struct run *run, struct staging *s, struct err *e)
{
	int64_t last = -1;
	int r;

	do {
		if (run_cancelled(run))
			return run_cancel_error(run, e);
		r = staging_fill(s, last, CHUNK, &last, e);
		run_progress(run, s->staged + s->failed, 0, "staging");
	} while (r > 0);
	return r;
}

static int close_log(const struct staging *s, const struct merge_counts *c, int64_t write_ms,
		     struct err *e)
{
	int64_t r = pg_run(
		s->pg,
		"UPDATE public.job_processing_log SET loaded_at = now(), jobs_loaded = $2::int,"
		" jobs_merged = $3::int, metrics = metrics || "
		"jsonb_build_object('load_failed', $4::int, 'write_time_ms', $5::bigint)"
		" WHERE processing_id = $1::uuid",
		PG_PARAMS(PG_TEXT(s->processing_id), PG_INT(c->inserted),
			  PG_INT(c->updated + c->unchanged + c->duplicates), PG_INT(s->failed),
			  PG_INT(write_ms)),
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

/* A load that had to be repeated goes in smaller batches, which hold fewer locks at once. */
static struct merge_plan plan_of(struct run *run, const struct source *source)
{
	const struct conf *conf = run_conf(run);
	int batch = conf ? conf->fleet.batch_size : CHUNK;

	return (struct merge_plan){
		.collection_id = source->collection_id,
		.seen_at = source->seen_at,
		.expire_after_s = conf ? conf->fleet.expire_after_s : EXPIRE_AFTER_S,
		.batch = run_retries(run) > 0 || batch > CHUNK ? batch : CHUNK,
	};
}

static int fill_and_merge(struct run *run, struct staging *s, const struct source *source,
			  struct merge_counts *ret, struct err *e)
{
	struct merge_plan plan = plan_of(run, source);
	int64_t began_ms;
	int r = stage(run, s, e);

	FAULT_POINT("loading.staged");
	began_ms = clock_mono_ms();
	if (r == 0)
		r = merge_all(s, &plan, ret, e);
	FAULT_POINT("loading.merged");
	if (r == 0)
		r = close_log(s, ret, clock_mono_ms() - began_ms, e);
	if (r == 0)
		r = tell(run, &(struct tidings){ s->pg, s->processing_id, source->collection_id,
						 source->run_id, ret->inserted, ret->updated }, e);
	FAULT_POINT("loading.told");
	return r;
}

/* For people who watch; a load that is rolled back after this and repeated counts twice. */
static void count(const struct run *run, const struct source *source, const struct merge_counts *c,
		  int failed, int64_t ms)
{
	const char *name = run_conf(run) && conf_source(run_conf(run), source->provider) ?
		source->provider : "other";

	board_add(c->inserted + c->updated + c->unchanged + c->duplicates, "stage_items", "loading",
		  name, "rows", NULL);
	board_add(c->inserted, "stage_items", "loading", name, "inserts", NULL);
	board_add(c->updated + c->unchanged + c->duplicates, "stage_items", "loading", name,
		  "duplicates", NULL);
	board_add(failed, "stage_items", "loading", name, "errors", NULL);
	board_time(ms * 1000, "stage_seconds", "loading", name, NULL);
}

static int load(struct run *run, struct pg *pg, const char *id, const struct source *source,
		cJSON **ret_result, struct err *e)
{
	int64_t started_ms = clock_mono_ms();
	struct merge_counts counts = { 0 };
	struct staging s;
	int r;

	log_info("loading starts processing_id=%s run_id=%s", id, source->run_id);
	r = staging_open(&s, pg, id, weights(run_conf(run)), e);
	if (r == 0)
		r = fill_and_merge(run, &s, source, &counts, e);
	staging_release(&s);
	if (r < 0)
		return r;
	log_info("loading ends processing_id=%s run_id=%s inserted=%d updated=%d unchanged=%d"
		 " duplicates=%d failed=%d ms=%lld", id, source->run_id, counts.inserted,
		 counts.updated, counts.unchanged, counts.duplicates, s.failed,
		 (long long)(clock_mono_ms() - started_ms));
	count(run, source, &counts, s.failed, clock_mono_ms() - started_ms);
	*ret_result = answer("success", &s, source, &counts);
	return 0;
}

/* Each statement must see what other loads have committed meanwhile, whatever the default is. */
static int open_transaction(struct run *run, struct pg **ret, struct err *e)
{
	int r = run_db(run, ret, e);

	return r < 0 ? r : pg_exec(*ret, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", e);
}

int load_processed(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const char *id = json_str(args, "processing_id", "");
	struct staging none = { .processing_id = id };
	struct source source = { 0 };
	struct pg *pg;
	int r = open_transaction(run, &pg, e);

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
