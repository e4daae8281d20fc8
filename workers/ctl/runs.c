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

/* A run in one look: how its task ended, whether all was collected, how far the stages are. */
static const char SQL_LOOK[] =
	"WITH task AS (SELECT outcome, cause, meta::jsonb->'result' AS result FROM jobfleet.ledger"
	"  WHERE task_id = $1 AND final ORDER BY generation DESC LIMIT 1)"
	" SELECT (SELECT outcome FROM task), (SELECT coalesce(result->>'status', '') FROM task),"
	" (SELECT coalesce(result->>'reason', result->'exc_message'->>0, cause, '') FROM task),"
	" EXISTS (SELECT FROM jobfleet.steps WHERE task_id = $1 AND step = 'collected'),"
	" jobfleet.pipeline_state($1, ARRAY(SELECT jsonb_array_elements_text(CASE WHEN"
	"  jsonb_typeof(result->'collection_ids') = 'array' THEN result->'collection_ids'"
	"  ELSE '[]' END)::uuid FROM task))";

enum { OUTCOME, STATUS, REASON, COLLECTED, STATE };

struct watch {
	struct ctl *ctl;
	const char *id;
	bool tty;
	char last[240];
};

static long long count(const cJSON *state, const char *name)
{
	return (long long)json_int(state, name, 0);
}

static void show(struct watch *w, const struct pg_rows *rows, const cJSON *state)
{
	char text[sizeof w->last];

	if (!pg_cell(rows, 0, OUTCOME) && !pg_bool(rows, 0, COLLECTED) && !count(state, "answers"))
		snprintf(text, sizeof text, "waiting for a worker");
	else
		snprintf(text, sizeof text,
			 "%s: %lld postings in %lld answers; processed %lld, refused %lld; loaded "
			 "%lld, duplicates %lld, to load %lld",
			 pg_bool(rows, 0, COLLECTED) ? "collected" : "collecting",
			 count(state, "collected"), count(state, "answers"),
			 count(state, "processed"), count(state, "refused"),
			 count(state, "loaded"), count(state, "duplicates"),
			 count(state, "waiting_to_load"));
	if (w->ctl->quiet || strcmp(text, w->last) == 0)
		return;
	snprintf(w->last, sizeof w->last, "%s", text);
	fprintf(stderr, w->tty ? "\r\033[K%s" : "%s\n", text);
	fflush(stderr);
}

static const char *status_of(const struct pg_rows *rows)
{
	if (!pg_cell(rows, 0, OUTCOME))
		return "under way";
	if (strcmp(pg_text(rows, 0, OUTCOME), "success") != 0)
		return "failed";
	return *pg_text(rows, 0, STATUS) ? pg_text(rows, 0, STATUS) : "success";
}

static void print_json(const struct watch *w, const struct pg_rows *rows, const cJSON *state,
		       double seconds)
{
	cJSON *o = cJSON_Duplicate(state, true);
	char *text;

	json_set_str(o, "run_id", w->id);
	json_set_str(o, "status", status_of(rows));
	json_set_str(o, "reason", *pg_text(rows, 0, REASON) ? pg_text(rows, 0, REASON) : NULL);
	json_set_num(cJSON_GetObjectItemCaseSensitive(o, "timings"), "all_s",
		     (double)(int64_t)(seconds * 1000) / 1000);
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static void print_list(const char *title, const cJSON *items)
{
	const cJSON *item;

	if (cJSON_GetArraySize(items) > 0)
		printf("%s\n", title);
	cJSON_ArrayForEach(item, items) {
		printf("  %s\n", cJSON_IsString(item) ? item->valuestring : "");
	}
}

static void print_text(const struct watch *w, const struct pg_rows *rows, const cJSON *state,
		       double seconds)
{
	printf("run %s: %s%s%s\n", w->id, status_of(rows),
	       *pg_text(rows, 0, REASON) ? ": " : "", pg_text(rows, 0, REASON));
	printf("  collected   %lld postings in %lld answers\n", count(state, "collected"),
	       count(state, "answers"));
	printf("  processed   %lld, %lld refused\n", count(state, "processed"),
	       count(state, "refused"));
	printf("  loaded      %lld new, %lld duplicates, %lld failed, %lld waiting\n",
	       count(state, "loaded"), count(state, "duplicates"), count(state, "failed_to_load"),
	       count(state, "waiting_to_load"));
	printf("  took        %.1f s\n", seconds);
	print_list("Refused for", json_get(state, "errors"));
	print_list("Dead letters", json_get(state, "dead_letters"));
}

static int look(struct watch *w, struct pg_rows **ret, cJSON **ret_state, struct err *e)
{
	struct pg *p = NULL;
	int r = ctl_pg(w->ctl, &p, e);

	*ret = NULL;
	*ret_state = NULL;
	if (r == 0 && pg_run(p, SQL_LOOK, PG_PARAMS(PG_TEXT(w->id)), ret, e) < 0)
		r = -(int)e->code;
	if (r == 0)
		r = json_parse(pg_text(*ret, 0, STATE), strlen(pg_text(*ret, 0, STATE)), ret_state,
			       e);
	return r;
}

static int conclude(struct watch *w, const struct pg_rows *rows, const cJSON *state, double seconds)
{
	const char *status = status_of(rows);

	if (w->tty && w->last[0])
		fprintf(stderr, "\r\033[K");
	(w->ctl->json ? print_json : print_text)(w, rows, state, seconds);
	return !pg_cell(rows, 0, OUTCOME)    ? CTL_TIMEOUT
		: strcmp(status, "failed") == 0 ? CTL_FAILED
						: CTL_OK;
}

/* Looks until the run is over or the time is: a database that goes away meanwhile is waited for. */
static int follow(struct watch *w, int64_t timeout_ms, struct err *e)
{
	int64_t start = clock_mono_ms();

	for (;;) {
		struct pg_rows *rows;
		cJSON *state;
		bool late = timeout_ms && clock_mono_ms() - start >= timeout_ms;
		int r = look(w, &rows, &state, e);
		bool failed = r < 0 && (late || !err_is_transient(e->code));

		if (r == 0)
			show(w, rows, state);
		if (r == 0 && (late || pg_cell(rows, 0, OUTCOME))) {
			r = conclude(w, rows, state, (double)(clock_mono_ms() - start) / 1000);
			late = true;
		}
		pg_rows_free(rows);
		cJSON_Delete(state);
		if (late || failed)
			return r;
		poll(NULL, 0, LOOK_MS);
	}
}

static char *kwargs_of(char **operands, int results, const char *source, bool refresh)
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
	if (refresh)
		json_set_bool(o, "refresh", true);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

int runs_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *results = NULL, *source = NULL, *timeout = NULL;
	bool wait = false, refresh = false;
	const struct args_option options[] = {
		{ "results", "N", "enough once so many postings came", &results, NULL },
		{ "source", "NAME", "ask this source, not all enabled ones", &source, NULL },
		{ "refresh", NULL, "ask again, however fresh the last answer is", NULL, &refresh },
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
	kwargs = kwargs_of(operands, n, source, refresh);
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
