/* SPDX-License-Identifier: MIT */
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/processing/pipeline.h"
#include "workers/processing/posting.h"

enum { DEFAULT_LIMIT = 1000, LIMIT_MAX = 100000, LOW_PRIORITY = 1 };

static const char SQL_ONE[] =
	"SELECT collection_id FROM public.raw_job_collections WHERE collection_id = $2::uuid "
	"LIMIT $1::int";
static const char SQL_FAILED[] =
	"SELECT collection_id FROM public.raw_job_collections WHERE processing_status IN "
	"('failed', 'partial')"
	" ORDER BY timestamp LIMIT $1::int";
/* Ten minutes: what was collected just now has its own task under way. */
static const char SQL_PENDING[] =
	"SELECT collection_id FROM public.raw_job_collections WHERE processing_status = 'pending'"
	" AND created_at < now() - interval '10 minutes' ORDER BY timestamp LIMIT $1::int";

/* Last processed by the rules of another version, in the order of their ids, behind $2. */
static const char SQL_OUTDATED[] =
	"SELECT collection_id FROM public.raw_job_collections c"
	" JOIN LATERAL (SELECT (metrics->>'rules_version')::int AS version"
	"  FROM public.job_processing_log l WHERE l.collection_id = c.collection_id"
	"  ORDER BY l.started_at DESC LIMIT 1) l ON version IS DISTINCT FROM $3::int"
	" WHERE $2 = '' OR collection_id > $2::uuid ORDER BY collection_id LIMIT $1::int";

static int enqueue(struct run *run, const char *collection_id, bool again, struct err *e)
{
	char args[UUID_SIZE + 8];
	struct run_enqueue what = { .task = "jobfleet.process_collection",
				    .args = args,
				    .priority = LOW_PRIORITY,
				    .kwargs = again ? "{\"reprocess\": true}" : NULL };

	snprintf(args, sizeof args, "[\"%s\"]", collection_id);
	return run_enqueue(run, &what, NULL, e);
}

/* The rest of them: this task again, behind what it has enqueued. */
static int enqueue_rest(struct run *run, int64_t limit, const char *after, struct err *e)
{
	char *kwargs = mem_printf("{\"outdated\": true, \"limit\": %lld, \"after\": \"%s\"}",
				  (long long)limit, after);
	struct run_enqueue what = { .task = "jobfleet.reprocess", .kwargs = kwargs,
				    .priority = LOW_PRIORITY };
	int r = run_enqueue(run, &what, NULL, e);

	free(kwargs);
	return r;
}

/* text: the second parameter of sql, NULL for one that has none. */
static int enqueue_all(struct run *run, struct pg *pg, const char *sql, const char *text,
		       int64_t limit, int *ret_n, struct err *e)
{
	const struct pg_param params[] = { PG_INT(limit), PG_TEXT(text),
					   PG_INT(POSTING_RULES_VERSION) };
	size_t nparams = sql == SQL_OUTDATED ? 3 : text ? 2 : 1;
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, sql, params, nparams, &rows, e);
	int r = n < 0 ? (int)n : 0;

	for (int64_t i = 0; r == 0 && i < n; i++)
		r = enqueue(run, pg_text(rows, (size_t)i, 0), sql != SQL_PENDING, e);
	if (r == 0 && n == limit && sql == SQL_OUTDATED)
		r = enqueue_rest(run, limit, pg_text(rows, (size_t)n - 1, 0), e);
	pg_rows_free(rows);
	*ret_n += n > 0 ? (int)n : 0;
	return r;
}

int reprocess(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const char *id = json_str(args, "collection_id", NULL);
	const char *after = json_str(args, "after", "");
	bool failed = json_bool(args, "failed", false), pending = json_bool(args, "pending", false);
	bool outdated = json_bool(args, "outdated", false);
	int64_t limit = json_int(args, "limit", DEFAULT_LIMIT);
	struct pg *pg;
	int n = 0, r;

	if (!id && !failed && !pending && !outdated)
		return err_set(
			e, ERR_TYPE,
			"reprocess() needs collection_id, failed=true, pending=true or outdated=true");
	if (*after && !uuid_is_valid(after))
		return err_set(e, ERR_INVALID, "after is no uuid: \"%.60s\"", after);
	if (limit < 1 || limit > LIMIT_MAX)
		return err_set(e, ERR_INVALID, "limit must be 1 to %d, not %lld", LIMIT_MAX,
			       (long long)limit);
	if (id && !uuid_is_valid(id))
		return err_set(e, ERR_INVALID, "collection_id is no uuid: \"%.60s\"", id);
	r = run_db(run, &pg, e);
	if (r == 0 && id)
		r = enqueue_all(run, pg, SQL_ONE, id, 1, &n, e);
	if (r == 0 && id && n == 0)
		return err_set(e, ERR_NOT_FOUND, "no collection %s", id);
	if (r == 0 && failed)
		r = enqueue_all(run, pg, SQL_FAILED, NULL, limit, &n, e);
	if (r == 0 && pending)
		r = enqueue_all(run, pg, SQL_PENDING, NULL, limit, &n, e);
	if (r == 0 && outdated)
		r = enqueue_all(run, pg, SQL_OUTDATED, after, limit, &n, e);
	if (r < 0)
		return r;
	*ret_result = mem_check(cJSON_CreateObject());
	json_set_str(*ret_result, "status", "success");
	json_set_num(*ret_result, "enqueued", n);
	return 0;
}
