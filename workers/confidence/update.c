/* SPDX-License-Identifier: MIT */
#include "workers/confidence/update.h"

#include <stdarg.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/market/area.h"
#include "common/market/occupation.h"
#include "common/store/pg.h"
#include "common/worker/run.h"
#include "workers/confidence/evidence.h"
#include "workers/confidence/scorebook.h"

#define TEXT_MAX 255
#define ROWS_SHOWN 100
#define STEP_NAME_SIZE 40

struct update {
	struct run *run;
	struct pg *pg;
	struct evidence_query queries[2];	/* by the name that is stored; as it was given */
	int nqueries;
	struct scorebook book;
	struct evidence_mark mark;
	cJSON *shown;
	int64_t total, looked_at, scored, changed, crowded;
};

static int see_group(void *ctx, const struct evidence_group *g, struct err *e)
{
	struct update *u = ctx;

	if (run_cancelled(u->run))
		return run_cancel_error(u->run, e);
	scorebook_add(&u->book, g);
	return 0;
}

/* ---- where a run that was killed goes on ---- */

static cJSON *state_of(const struct update *u)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "location", u->mark.location);
	json_set_str(o, "occupation", u->mark.occupation);
	json_set_num(o, "looked_at", (double)u->looked_at);
	json_set_num(o, "scored", (double)u->scored);
	json_set_num(o, "changed", (double)u->changed);
	json_set_num(o, "crowded", (double)u->crowded);
	return o;
}

static void go_on_from(struct update *u, const cJSON *state)
{
	evidence_mark_set(&u->mark, json_str(state, "location", ""),
			  json_str(state, "occupation", NULL));
	u->looked_at = json_int(state, "looked_at", 0);
	u->scored = json_int(state, "scored", 0);
	u->changed = json_int(state, "changed", 0);
	u->crowded = json_int(state, "crowded", 0);
}

/* ---- pages ---- */

/* 1: more follow. The last page of a kind is no step: the commit of what comes next holds it. */
static int do_page(struct update *u, enum evidence_kind kind, const struct evidence_query *q,
		   const char *step, struct err *e)
{
	struct evidence_page page;
	int64_t changed;
	cJSON *state;
	int r = run_db(u->run, &u->pg, e);

	scorebook_clear(&u->book, kind);
	if (r >= 0)
		r = evidence_page(u->pg, kind, q, &u->mark, see_group, u, &page, e);
	if (r < 0)
		return r;
	changed = scorebook_write(&u->book, u->pg, e);
	if (changed < 0)
		return (int)changed;
	FAULT_POINT("confidence.written");
	u->looked_at += (int64_t)page.figures;
	u->scored += (int64_t)u->book.rows;
	u->changed += changed;
	u->crowded += page.crowded;
	run_progress(u->run, u->looked_at, u->total, evidence_kind_name(kind));
	if (!page.more)
		return 0;
	state = state_of(u);
	r = run_step_commit(u->run, step, state, e);
	cJSON_Delete(state);
	return r < 0 ? r : 1;
}

static int do_kind(struct update *u, enum evidence_kind kind, const struct evidence_query *q,
		   struct err *e)
{
	const char *given = q == &u->queries[0] ? "" : " as given";
	char step[STEP_NAME_SIZE];
	int r = 1;

	evidence_mark_release(&u->mark);
	for (int number = 1; r == 1; number++) {
		cJSON *state = NULL;

		snprintf(step, sizeof step, "%s%s %d", evidence_kind_name(kind), given, number);
		r = run_step_begin(u->run, step, &state, e);
		if (r == 1)
			go_on_from(u, state);
		else if (r == 0)
			r = do_page(u, kind, q, step, e);
		cJSON_Delete(state);
	}
	return r;
}

static int count_rows(struct update *u, enum evidence_kind kind, const struct evidence_query *q,
		      struct err *e)
{
	int64_t n = 0;
	int r = run_db_read(u->run, &u->pg, e);

	if (r >= 0)
		r = evidence_count(u->pg, kind, q, &n, e);
	u->total += n;
	return r;
}

/* For each kind and each name, until one fails. Kinds in one order, as their rows stay locked. */
static int for_each(struct update *u,
		    int (*fn)(struct update *u, enum evidence_kind kind,
			      const struct evidence_query *q, struct err *e), struct err *e)
{
	int r = 0;

	for (int kind = 0; r >= 0 && kind < EVIDENCE_KIND_COUNT; kind++)
		for (int i = 0; r >= 0 && i < u->nqueries; i++)
			r = fn(u, (enum evidence_kind)kind, &u->queries[i], e);
	return r;
}

/* ---- arguments and answer ---- */

static int read_text(const cJSON *args, const char *name, bool required, const char **ret,
		     struct err *e)
{
	const cJSON *v = json_get(args, name);

	if (!v && !required)
		return 0;
	if (!v || !cJSON_IsString(v) || !*v->valuestring || strlen(v->valuestring) > TEXT_MAX)
		return err_set(e, ERR_INVALID, "%s must be a text of 1 to %d bytes", name,
			       TEXT_MAX);
	*ret = v->valuestring;
	return 0;
}

static void warn(cJSON *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(cJSON *list, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(text)));
}

/* A name nobody knows may still stand in the tables as it is written. */
static void resolve(struct update *u, const char *location, const char *occupation,
		    struct area *area, struct occupation *job)
{
	struct evidence_query q = { .location = location, .occupation = occupation,
				    .occupation_given = occupation };

	if (*occupation && occupation_resolve(occupation, job, NULL) == 0)
		q.occupation = job->name;
	if (strcmp(location, EVIDENCE_EVERYWHERE) != 0 && area_resolve(location, area, NULL) == 0)
		q.location = area->label;
	u->queries[u->nqueries++] = q;
	if (strcmp(q.location, location) == 0)
		return;
	q.location = location;
	u->queries[u->nqueries++] = q;
}

static cJSON *warnings_of(const struct update *u)
{
	const struct evidence_query *q = &u->queries[0];
	cJSON *list = mem_check(cJSON_CreateArray());

	if (u->scored == 0)
		warn(list, "no figures are stored for %.200s%s%.200s: nothing to score",
		     q->location, *q->occupation ? ", " : "", q->occupation);
	if (u->crowded > 0)
		warn(list, "%lld times an occupation has over %d figures in one place: the rest of"
		     " them was left out", (long long)u->crowded, EVIDENCE_PAGE_ROWS);
	return list;
}

static int show(struct update *u, enum evidence_kind kind, const struct evidence_query *q,
		struct err *e)
{
	return scorebook_show(u->pg, kind, q, ROWS_SHOWN, u->shown, e);
}

static int report(struct update *u, int64_t started_us, cJSON **ret, struct err *e)
{
	const struct evidence_query *q = &u->queries[0];
	int r = u->scored > 0 ? for_each(u, show, e) : 0;
	cJSON *o;

	if (r < 0)
		return r;
	o = mem_check(cJSON_CreateObject());
	json_set_str(o, "status", "success");
	json_set_str(o, "location", q->location);
	json_set_str(o, "occupation", *q->occupation ? q->occupation : NULL);
	json_set_num(o, "scores_updated", (double)u->scored);
	json_set_num(o, "scores_changed", (double)u->changed);
	json_set_num(o, "figures", (double)u->looked_at);
	json_set(o, "confidence_scores", u->shown);
	u->shown = NULL;
	json_set_num(o, "processing_time_ms", (double)((clock_mono_us() - started_us) / 1000));
	json_set(o, "warnings", warnings_of(u));
	*ret = o;
	return 0;
}

/* Names that neither the tables nor anybody else knows are wrong ones; what they may have meant
 * stands in the error. */
static int check_names(const char *location, const char *occupation, struct err *e)
{
	struct occupation job;
	struct area area;
	int r = strcmp(location, EVIDENCE_EVERYWHERE) ? area_resolve(location, &area, e) : 0;

	return r < 0 || !*occupation ? r : occupation_resolve(occupation, &job, e);
}

int update_confidence_scores(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct update u = { .run = run };
	const char *location = "", *occupation = "";
	int64_t start = clock_mono_us();
	struct occupation job;
	struct area area;
	int r = read_text(args, "location", true, &location, e);

	if (r == 0)
		r = read_text(args, "occupation", false, &occupation, e);
	if (r < 0)
		return r;
	resolve(&u, location, occupation, &area, &job);
	scorebook_init(&u.book);
	u.shown = mem_check(cJSON_CreateArray());
	r = for_each(&u, count_rows, e);
	if (r >= 0)
		r = for_each(&u, do_kind, e);
	if (r >= 0 && u.looked_at == 0)
		r = check_names(location, occupation, e);
	if (r >= 0)
		r = report(&u, start, ret_result, e);
	cJSON_Delete(u.shown);
	scorebook_release(&u.book);
	evidence_mark_release(&u.mark);
	return r < 0 ? r : 0;
}
