/* SPDX-License-Identifier: MIT */
#include "workers/ctl/runs.h"

#include <poll.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/outcome.h"
#include "workers/ctl/send.h"

enum { LOOK_MS = 300, MAX_RESULTS = 1000 };

/* A run in one look: its own task, the collection task that it enqueued (named in its result), the
 * answers, and for each what became of it. An answer whose task stands in the dead letters is not
 * waited for; its id stands in their body. */
static const char SQL_LOOK[] =
	"WITH started AS (SELECT outcome, cause, meta::jsonb AS meta FROM jobfleet.ledger"
	"  WHERE task_id = $1 AND final ORDER BY generation DESC LIMIT 1),"
	" collected AS (SELECT l.outcome, l.cause, l.meta::jsonb AS meta FROM jobfleet.ledger l,"
	" started s"
	"  WHERE l.task_id = s.meta->'result'->>'collect_task_id' AND l.final ORDER BY"
	" generation DESC LIMIT 1),"
	" answers AS (SELECT collection_id, timestamp, metadata,"
	"  processing_status IN ('pending', 'processing') AS waiting"
	"  FROM public.raw_job_collections WHERE run_id = $1),"
	" logs AS (SELECT DISTINCT ON (l.collection_id) l.* FROM public.job_processing_log l"
	"  JOIN answers a USING (collection_id) ORDER BY l.collection_id, l.started_at DESC),"
	" loads AS (SELECT processing_id, count(*) FILTER (WHERE load_status = 'pending') AS"
	" to_load,"
	"  count(*) FILTER (WHERE load_status = 'failed') AS failed"
	"  FROM public.processed_job_data JOIN logs USING (processing_id) GROUP BY 1),"
	" dead AS (SELECT DISTINCT d.id, d.task, d.reason, a.collection_id FROM"
	" jobfleet.dead_letters d"
	"  LEFT JOIN answers a ON true LEFT JOIN logs l USING (collection_id)"
	"  WHERE d.died_at >= (SELECT min(timestamp) FROM answers) AND d.state = 'dead'"
	"  AND (position(convert_to(a.collection_id::text, 'UTF8') IN d.body) > 0"
	"   OR position(convert_to(l.processing_id::text, 'UTF8') IN d.body) > 0)"
	"  OR d.task_id = $1 OR d.task_id = (SELECT meta->'result'->>'collect_task_id' FROM"
	" started))"
	" SELECT (SELECT outcome FROM started), (SELECT outcome FROM collected),"
	" coalesce((SELECT meta->'result'->>'status' FROM collected), ''),"
	" coalesce((SELECT coalesce(meta->'result'->>'reason',"
	" meta->'result'->'exc_message'->>0, cause)"
	"  FROM collected), (SELECT coalesce(meta->'result'->'exc_message'->>0, cause) FROM"
	" started), ''),"
	" (SELECT count(*) FROM answers),"
	" (SELECT count(*) FROM answers a LEFT JOIN logs l USING (collection_id)"
	"  LEFT JOIN loads USING (processing_id) WHERE (a.waiting OR l.status IN ('pending',"
	" 'processing')"
	"  OR to_load > 0) AND NOT EXISTS (SELECT FROM dead WHERE dead.collection_id ="
	" a.collection_id)),"
	" (SELECT coalesce(sum((metadata->>'job_count')::bigint), 0) FROM answers),"
	" (SELECT coalesce(sum(jobs_processed), 0) FROM logs),"
	" (SELECT coalesce(sum(jobs_failed), 0) FROM logs),"
	" (SELECT coalesce(sum(to_load), 0) FROM loads), (SELECT coalesce(sum(failed), 0) FROM"
	" loads),"
	" (SELECT coalesce(sum(jobs_loaded), 0) FROM logs), (SELECT coalesce(sum(jobs_merged),"
	" 0) FROM logs),"
	" (SELECT coalesce(jsonb_agg(DISTINCT x->>'error_message'), '[]')"
	"  FROM logs, jsonb_array_elements(logs.errors) x),"
	" (SELECT coalesce(jsonb_agg(DISTINCT format('%s %s: %s', id, task, reason)), '[]') FROM"
	" dead),"
	" (SELECT round(extract(epoch FROM max(timestamp) - min(timestamp))::numeric, 3) FROM"
	" answers),"
	" (SELECT round(extract(epoch FROM max(completed_at) - min(started_at))::numeric, 3)"
	" FROM logs),"
	" (SELECT round(extract(epoch FROM max(loaded_at) - max(completed_at))::numeric, 3) FROM"
	" logs)";

enum {
	STARTED, COLLECTED, STATUS, REASON, ANSWERS, WAITING, POSTINGS, PROCESSED, REFUSED, TO_LOAD,
	LOAD_FAILED, LOADED, MERGED, ERRORS, DEAD, COLLECTING_S, PROCESSING_S, LOADING_S,
};

struct watch {
	struct ctl *ctl;
	const char *id;
	bool tty;
	char last[240];
};

static void show(struct watch *w, const struct pg_rows *rows)
{
	char text[sizeof w->last];

	if (!pg_cell(rows, 0, STARTED))
		snprintf(text, sizeof text, "waiting for a worker");
	else
		snprintf(text, sizeof text,
			 "%s: %s postings in %s answers; processed %s, refused %s; loaded %s, "
			 "duplicates %s, to load %s",
			 pg_cell(rows, 0, COLLECTED) ? "collected" : "collecting",
			 pg_text(rows, 0, POSTINGS), pg_text(rows, 0, ANSWERS),
			 pg_text(rows, 0, PROCESSED), pg_text(rows, 0, REFUSED),
			 pg_text(rows, 0, LOADED), pg_text(rows, 0, MERGED),
			 pg_text(rows, 0, TO_LOAD));
	if (w->ctl->quiet || strcmp(text, w->last) == 0)
		return;
	snprintf(w->last, sizeof w->last, "%s", text);
	fprintf(stderr, w->tty ? "\r\033[K%s" : "%s\n", text);
	fflush(stderr);
}

static bool is_over(const struct pg_rows *rows)
{
	const char *started = pg_text(rows, 0, STARTED);

	if (*started && strcmp(started, "success") != 0)
		return true;
	return pg_cell(rows, 0, COLLECTED) && pg_int(rows, 0, WAITING) == 0;
}

static const char *status_of(const struct pg_rows *rows, bool over)
{
	if (!over)
		return "under way";
	if (strcmp(pg_text(rows, 0, STARTED), "success") != 0 ||
	    strcmp(pg_text(rows, 0, COLLECTED), "success") != 0)
		return "failed";
	if (strcmp(pg_text(rows, 0, DEAD), "[]") != 0)
		return "partial";
	return *pg_text(rows, 0, STATUS) ? pg_text(rows, 0, STATUS) : "success";
}

static void put(cJSON *o, const char *key, const struct pg_rows *rows, int col)
{
	if (pg_cell(rows, 0, col))
		json_set_raw(o, key, pg_cell(rows, 0, col));
	else
		json_set(o, key, mem_check(cJSON_CreateNull()));
}

static void print_json(const struct watch *w, const struct pg_rows *rows, bool over, double seconds)
{
	cJSON *o = mem_check(cJSON_CreateObject()), *timings = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "run_id", w->id);
	json_set_str(o, "status", status_of(rows, over));
	json_set_str(o, "reason", *pg_text(rows, 0, REASON) ? pg_text(rows, 0, REASON) : NULL);
	put(o, "answers", rows, ANSWERS);
	put(o, "collected", rows, POSTINGS);
	put(o, "processed", rows, PROCESSED);
	put(o, "refused", rows, REFUSED);
	put(o, "loaded", rows, LOADED);
	put(o, "duplicates", rows, MERGED);
	put(o, "waiting_to_load", rows, TO_LOAD);
	put(o, "failed_to_load", rows, LOAD_FAILED);
	put(o, "errors", rows, ERRORS);
	put(o, "dead_letters", rows, DEAD);
	put(timings, "collection_s", rows, COLLECTING_S);
	put(timings, "processing_s", rows, PROCESSING_S);
	put(timings, "loading_s", rows, LOADING_S);
	json_set_num(timings, "all_s", (double)(int64_t)(seconds * 1000) / 1000);
	json_set(o, "timings", timings);
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static void print_list(const char *title, const char *json)
{
	cJSON *items = NULL;
	const cJSON *item;

	if (json_parse(json, strlen(json), &items, NULL) < 0)
		return;
	if (cJSON_GetArraySize(items) > 0)
		printf("%s\n", title);
	for (item = items->child; item; item = item->next)
		printf("  %s\n", cJSON_IsString(item) ? item->valuestring : "");
	cJSON_Delete(items);
}

static void print_text(const struct watch *w, const struct pg_rows *rows, bool over, double seconds)
{
	printf("run %s: %s%s%s\n", w->id, status_of(rows, over),
	       *pg_text(rows, 0, REASON) ? ": " : "", pg_text(rows, 0, REASON));
	printf("  collected   %s postings in %s answers\n", pg_text(rows, 0, POSTINGS),
	       pg_text(rows, 0, ANSWERS));
	printf("  processed   %s, %s refused\n", pg_text(rows, 0, PROCESSED),
	       pg_text(rows, 0, REFUSED));
	printf("  loaded      %s new, %s duplicates, %s failed, %s waiting\n",
	       pg_text(rows, 0, LOADED), pg_text(rows, 0, MERGED), pg_text(rows, 0, LOAD_FAILED),
	       pg_text(rows, 0, TO_LOAD));
	printf("  took        %.1f s\n", seconds);
	print_list("Refused for", pg_text(rows, 0, ERRORS));
	print_list("Dead letters", pg_text(rows, 0, DEAD));
}

static int look(struct watch *w, struct pg_rows **ret, struct err *e)
{
	struct pg *p = NULL;
	int r = ctl_pg(w->ctl, &p, e);

	if (r == 0 && pg_run(p, SQL_LOOK, PG_PARAMS(PG_TEXT(w->id)), ret, e) < 0)
		r = -(int)e->code;
	return r;
}

/* Looks until the run is over or the time is: a database that goes away meanwhile is waited for. */
static int follow(struct watch *w, int64_t timeout_ms, struct err *e)
{
	int64_t start = clock_mono_ms();
	struct pg_rows *rows = NULL;
	bool over = false;
	double seconds;
	int r;

	for (;;) {
		r = look(w, &rows, e);
		if (r < 0 && !err_is_transient(e->code))
			return r;
		if (r == 0)
			show(w, rows);
		over = r == 0 && is_over(rows);
		if (over || (timeout_ms && clock_mono_ms() - start >= timeout_ms))
			break;
		pg_rows_free(rows);
		rows = NULL;
		poll(NULL, 0, LOOK_MS);
	}
	if (w->tty && w->last[0])
		fprintf(stderr, "\r\033[K");
	if (r < 0)
		return r;
	seconds = (double)(clock_mono_ms() - start) / 1000;
	(w->ctl->json ? print_json : print_text)(w, rows, over, seconds);
	r = !over					       ? CTL_TIMEOUT
		: strcmp(status_of(rows, over), "failed") == 0 ? CTL_FAILED
							       : CTL_OK;
	pg_rows_free(rows);
	return r;
}

static char *kwargs_of(char **operands, int results, const char *source)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "query", operands[0]);
	if (operands[1])
		json_set_str(o, "location", operands[1]);
	if (results > 0)
		json_set_num(o, "results", results);
	if (source)
		json_set_str(o, "source", source);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

int runs_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *results = NULL, *source = NULL, *timeout = NULL;
	bool wait = false;
	const struct args_option options[] = {
		{ "results", "N", "enough once so many postings came", &results, NULL },
		{ "source", "NAME", "ask this source, not the weightiest one", &source, NULL },
		{ "wait", NULL, "show all stages until the last one ended", NULL, &wait },
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &timeout, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "pipeline run QUERY [LOCATION] [OPTION...]",
		.about = "Collects, processes and loads postings under one id:\n"
			 "jobfleet pipeline run \"Python Developer\" \"New York\" --results 100"
			 " --wait. Prints the\n"
			 "id, or with --wait counts, duplicates, errors and timings.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 2,
	};
	struct send s = { .task = "jobfleet.run_pipeline", .priority = MESSAGE_NO_PRIORITY };
	struct watch w = { .ctl = c, .tty = isatty(STDERR_FILENO) };
	char **operands, *kwargs, id[UUID_SIZE];
	int64_t timeout_ms = 0;
	int n = 0, r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (results && scan_int(results, 1, MAX_RESULTS, &n, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--results");
	}
	r = outcome_timeout(timeout, &timeout_ms, e);
	if (r < 0)
		return r;
	uuid_v4(id);
	kwargs = kwargs_of(operands, n, source);
	s.id = w.id = id;
	s.kwargs = kwargs;
	r = send_task(c, &s, e);
	free(kwargs);
	if (r >= 0 && wait)
		return follow(&w, timeout_ms, e);
	if (r >= 0)
		printf(c->json ? "{\"run_id\": \"%s\"}\n" : "%s\n", id);
	return r;
}
