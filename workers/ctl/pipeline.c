/* SPDX-License-Identifier: MIT */
/* pipeline: how far the postings are. `pipeline run` stands in runs.c. */
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/runs.h"
#include "workers/ctl/table.h"

static const char SQL_COLLECTIONS[] =
	"SELECT api_provider, processing_status, count(*),"
	" coalesce(sum((metadata->>'job_count')::bigint), 0), to_char(max(timestamp),"
	" 'YYYY-MM-DD HH24:MI:SS'),"
	" to_json(max(timestamp))#>>'{}' FROM public.raw_job_collections GROUP BY 1, 2 ORDER BY"
	" 1, 2";

static const struct table_column COLLECTION_COLUMNS[] = {
	{ "source", "source", TABLE_TEXT },
	{ "status", "status", TABLE_TEXT },
	{ "collections", "collections", TABLE_NUMBER },
	{ "postings", "postings", TABLE_NUMBER },
	{ "latest (UTC)", NULL, TABLE_TEXT },
	{ NULL, "latest", TABLE_TEXT },
};

static const char SQL_COUNTS[] =
	"SELECT l.processed, l.failed, l.loaded, l.merged, w.waiting, w.refused, j.postings,"
	" j.demo,"
	" o.oldest, o.wait_s FROM"
	" (SELECT coalesce(sum(jobs_processed), 0) AS processed, coalesce(sum(jobs_failed), 0)"
	" AS failed,"
	"  coalesce(sum(jobs_loaded), 0) AS loaded, coalesce(sum(jobs_merged), 0) AS merged"
	"  FROM public.job_processing_log) l,"
	" (SELECT count(*) FILTER (WHERE load_status = 'pending') AS waiting,"
	"  count(*) FILTER (WHERE load_status = 'failed') AS refused FROM"
	" public.processed_job_data) w,"
	" (SELECT count(*) AS postings, count(*) FILTER (WHERE is_demo) AS demo FROM"
	" public.enhanced_jobs) j,"
	" (SELECT to_json(min(timestamp))#>>'{}' AS oldest,"
	"  round(extract(epoch FROM now() - min(timestamp))) AS wait_s FROM"
	" public.raw_job_collections"
	"  WHERE processing_status IN ('pending', 'processing')) o";

enum {
	PROCESSED,
	FAILED,
	LOADED,
	MERGED,
	WAITING,
	REFUSED,
	POSTINGS,
	DEMO,
	OLDEST,
	WAIT_S,
	NCOUNTS
};

static const char *const COUNT_KEYS[NCOUNTS] = {
	"processed", "failed", "loaded", "duplicates", "waiting_to_load", "failed_to_load",
	"postings", "demo_postings", "oldest_waiting", "oldest_waiting_s",
};

/* The newest of each kind of complaint: an answer that could not be used, a posting refused. */
static const char SQL_ERRORS[] =
	"SELECT to_char(at, 'YYYY-MM-DD HH24:MI:SS'), to_json(at)#>>'{}', stage, kind, message,"
	" times FROM ("
	" SELECT max(timestamp) AS at, 'collection' AS stage,"
	"  coalesce(error_info->>'class', error_info->>'reason', error_info->>'error_type', '')"
	" AS kind,"
	"  coalesce(error_info->>'message', error_info->>'detail', '') AS message, count(*) AS"
	" times"
	"  FROM public.raw_job_collections WHERE error_info IS NOT NULL GROUP BY 3, 4"
	" UNION ALL SELECT max(l.started_at), 'processing', x->>'error_type',"
	" x->>'error_message', count(*)"
	"  FROM public.job_processing_log l, jsonb_array_elements(l.errors) x GROUP BY 3, 4"
	" UNION ALL SELECT max(created_at), 'loading', 'failed', coalesce(load_error, ''), count(*)"
	"  FROM public.processed_job_data WHERE load_status = 'failed' GROUP BY 4"
	") x ORDER BY at DESC, times DESC LIMIT $1";

static const struct table_column ERROR_COLUMNS[] = {
	{ "last (UTC)", NULL, TABLE_TEXT },
	{ NULL, "last", TABLE_TEXT },
	{ "stage", "stage", TABLE_TEXT },
	{ "kind", "kind", TABLE_TEXT },
	{ "message", "message", TABLE_TEXT },
	{ "times", "times", TABLE_NUMBER },
};

static void print_json(const struct table *collections, const struct pg_rows *counts,
		       const struct table *errors)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set(o, "collections", table_json(collections));
	for (int i = 0; i < NCOUNTS; i++) {
		const char *cell = pg_cell(counts, 0, i);

		if (!cell || i == OLDEST)
			json_set_str(o, COUNT_KEYS[i], cell);
		else
			json_set_raw(o, COUNT_KEYS[i], cell);
	}
	json_set(o, "errors", table_json(errors));
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static void print_text(const struct table *collections, const struct pg_rows *counts,
		       const struct table *errors)
{
	table_print(collections, "nothing was collected yet", stdout);
	if (pg_cell(counts, 0, OLDEST))
		printf("\nThe oldest that waits: %s s\n", pg_text(counts, 0, WAIT_S));
	printf("\nprocessed %s, refused %s; loaded %s new, %s duplicates, %s waiting, %s failed\n"
	       "%s postings in all, %s of them sample data\n",
	       pg_text(counts, 0, PROCESSED), pg_text(counts, 0, FAILED),
	       pg_text(counts, 0, LOADED), pg_text(counts, 0, MERGED), pg_text(counts, 0, WAITING),
	       pg_text(counts, 0, REFUSED), pg_text(counts, 0, POSTINGS), pg_text(counts, 0, DEMO));
	if (table_rows(errors) == 0)
		return;
	printf("\nLast errors\n");
	table_print(errors, "", stdout);
}

static int show(struct ctl *c, int argc, char **argv, struct err *e)
{
	enum { ERRORS_SHOWN = 10 };
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "pipeline [OPTION...] | pipeline run QUERY [LOCATION] [OPTION...]",
		.about =
			"Shows collections by source and status, the oldest that waits, postings"
			" processed,\n"
			"refused and loaded, and the last errors.\n"
			"\n"
			"Commands:\n"
			"  run        all stages for one query; pipeline run --help tells more",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = 0,
	};
	struct table *collections = NULL, *errors = NULL;
	struct pg_rows *counts = NULL;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = ctl_query_table(c, SQL_COLLECTIONS, NULL, 0, COLLECTION_COLUMNS,
			    COUNT(COLLECTION_COLUMNS), &collections, e);
	if (r == 0)
		r = ctl_query_table(c, SQL_ERRORS, PG_PARAMS(PG_INT(ERRORS_SHOWN)), ERROR_COLUMNS,
				    COUNT(ERROR_COLUMNS), &errors, e);
	if (r == 0)
		r = ctl_query(c, SQL_COUNTS, NULL, 0, &counts, e);
	if (r == 0)
		(c->json ? print_json : print_text)(collections, counts, errors);
	pg_rows_free(counts);
	table_free(collections);
	table_free(errors);
	return r < 0 ? r : CTL_OK;
}

int pipeline_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return runs_main(c, argc - 1, argv + 1, e);
	return show(c, argc, argv, e);
}
