/* SPDX-License-Identifier: MIT */
#include "workers/processing/revector.h"

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/processing/embed.h"
#include "workers/processing/endpoint.h"

enum { WAIT_MS = 5000, VECTORS_MAX_BYTES = 256 * 1024 * 1024 };

static const char SQL_READ[] =
	"SELECT id, concat_ws(E'\\n', title, company, description) FROM public.enhanced_jobs"
	" WHERE source_processing_id = $1::uuid AND embedding_model IS DISTINCT FROM $2"
	" AND id > $3::uuid ORDER BY id LIMIT $4::int";

/* The column is real[] or vector; both read a text form, with their own brackets. */
static const char SQL_WRITE[] =
	"UPDATE public.enhanced_jobs j SET embedding = %s, embedding_model = $3"
	" FROM unnest($1::uuid[], $2::text[]) AS v (id, numbers) WHERE j.id = v.id";

int revector_enqueue(struct run *run, const char *processing_id, struct err *e)
{
	char args[UUID_SIZE + 8];
	struct run_enqueue what = { .task = "jobfleet.embed_postings", .args = args, .priority = -1,
				    .delay_ms = WAIT_MS };

	snprintf(args, sizeof args, "[\"%s\"]", processing_id);
	return endpoint_is_set(run_conf(run)) ? run_enqueue(run, &what, NULL, e) : 0;
}

static int is_loaded(struct run *run, const char *id, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t r = run_db_read(run, &pg, e);

	if (r == 0)
		r = pg_run(pg, "SELECT loaded_at IS NOT NULL FROM public.job_processing_log"
			   " WHERE processing_id = $1::uuid", PG_PARAMS(PG_TEXT(id)), &rows, e);
	if (r == 0)
		r = err_set(e, ERR_NOT_FOUND, "no processing %s", id);
	else if (r > 0)
		r = pg_bool(rows, 0, 0);
	pg_rows_free(rows);
	return (int)r;
}

static void put_vector(struct buf *out, const float *vector)
{
	for (int i = 0; i < EMBED_DIMENSIONS; i++)
		buf_printf(out, "%s%.7g", i ? "," : "", (double)vector[i]);
}

static int write_batch(struct run *run, const struct pg_rows *rows, const float *vectors,
		       struct err *e)
{
	static const char *const FORMS[] = { "('{' || v.numbers || '}')::real[]",
					     "('[' || v.numbers || ']')::vector" };
	struct pg_rows *type = NULL;
	struct buf ids, numbers, sql;
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);

	buf_init(&ids, VECTORS_MAX_BYTES);
	buf_init(&numbers, VECTORS_MAX_BYTES);
	buf_init(&sql, 4096);
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		buf_printf(&ids, "%s%s", i ? "," : "{", pg_text(rows, i, 0));
		buf_puts(&numbers, i ? ",\"" : "{\"");
		put_vector(&numbers, vectors + i * EMBED_DIMENSIONS);
		buf_putc(&numbers, '"');
	}
	buf_putc(&ids, '}');
	buf_putc(&numbers, '}');
	if (r == 0)
		r = pg_run(pg, "SELECT format_type(atttypid, NULL) <> 'real[]' FROM pg_attribute"
			   " WHERE attrelid = 'public.enhanced_jobs'::regclass AND attname = 'embedding'",
			   NULL, 0, &type, e);
	if (r > 0) {
		buf_printf(&sql, SQL_WRITE, FORMS[pg_bool(type, 0, 0)]);
		r = pg_run(pg, buf_text(&sql),
			   PG_PARAMS(PG_TEXT(buf_text(&ids)), PG_TEXT(buf_text(&numbers)),
				     PG_TEXT(run_conf(run)->fleet.embedding_model)), NULL, e);
	}
	pg_rows_free(type);
	buf_release(&ids);
	buf_release(&numbers);
	buf_release(&sql);
	return r < 0 ? (int)r : 0;
}

static int ask(struct run *run, const struct pg_rows *rows, float *vectors, struct err *e)
{
	size_t n = pg_rows_count(rows);
	const char **texts = mem_zalloc(n * sizeof *texts);
	struct http *http;
	int r = run_http(run, &http, e);

	for (size_t i = 0; i < n; i++)
		texts[i] = pg_text(rows, i, 1);
	if (r == 0)
		r = endpoint_ask(http, run_conf(run), texts, n, vectors, e);
	free(texts);
	return r;
}

/* One batch behind the posting `after`, which becomes its last. Returns how many, 0 at the end. */
static int embed_batch(struct run *run, const char *id, char after[UUID_SIZE], struct err *e)
{
	const struct conf_fleet *fleet = &run_conf(run)->fleet;
	struct pg_rows *rows = NULL;
	char step[UUID_SIZE + 8];
	float *vectors = NULL;
	struct pg *pg;
	int64_t n = run_db_read(run, &pg, e);
	int r;

	if (n == 0)
		n = pg_run(pg, SQL_READ, PG_PARAMS(PG_TEXT(id), PG_TEXT(fleet->embedding_model),
			   PG_TEXT(after), PG_INT(fleet->embedding_batch)), &rows, e);
	if (n <= 0) {
		pg_rows_free(rows);
		return (int)n;
	}
	snprintf(step, sizeof step, "embed %s", pg_text(rows, 0, 0));
	snprintf(after, UUID_SIZE, "%s", pg_text(rows, (size_t)n - 1, 0));
	vectors = mem_alloc((size_t)n * EMBED_DIMENSIONS * sizeof *vectors);
	r = ask(run, rows, vectors, e);
	if (r == 0)
		r = run_step_begin(run, step, NULL, e);
	if (r == 0) {
		r = write_batch(run, rows, vectors, e);
		if (r == 0)
			r = run_step_commit(run, step, NULL, e);
	}
	pg_rows_free(rows);
	free(vectors);
	return r < 0 ? r : (int)n;
}

int embed_postings(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const char *id = json_str(args, "processing_id", "");
	char after[UUID_SIZE] = "00000000-0000-0000-0000-000000000000";
	int64_t embedded = 0;
	int r;

	if (!uuid_is_valid(id))
		return err_set(e, ERR_INVALID, "processing_id is no uuid: \"%.60s\"", id);
	if (endpoint_is_set(run_conf(run))) {
		r = is_loaded(run, id, e);
		if (r == 0)
			return run_retry(run, WAIT_MS, e, "processing %s is not loaded yet", id);
		while (r > 0) {
			r = embed_batch(run, id, after, e);
			embedded += r > 0 ? r : 0;
			if (r > 0 && run_cancelled(run))
				r = run_cancel_error(run, e);
		}
		if (r < 0)
			return r;
	}
	*ret_result = mem_check(cJSON_CreateObject());
	json_set_str(*ret_result, "status", "success");
	json_set_str(*ret_result, "processing_id", id);
	json_set_num(*ret_result, "embedded", (double)embedded);
	log_info("embeddings of processing_id=%s: %lld by model %s", id, (long long)embedded,
		 run_conf(run)->fleet.embedding_model);
	return 0;
}
