/* SPDX-License-Identifier: MIT */
#include "workers/salary/sync.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "common/worker/run.h"
#include "workers/salary/ask.h"
#include "workers/salary/benchmark.h"
#include "workers/salary/bls.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/pairs.h"
#include "workers/salary/source.h"

#define DEFAULT_CALLS 60
#define MAX_CALLS 500
#define CONFIDENCE_TASK "backend.tasks.salary_data_tasks.update_confidence_scores"

struct sync {
	struct run *run;
	struct pairs pairs;
	size_t per_call;		/* pairs a call takes */
	int calls, max_calls;
	bool stopped;			/* no more calls in this run */
	cJSON *warnings;
};

/* The pairs of one call: distinct series, several pairs may share them. */
struct batch {
	const struct pair *units[BLS_MAX_SERIES / BLS_PAIR_SERIES];
	char ids[BLS_MAX_SERIES][BLS_ID_SIZE];
	size_t nunits, nids;
};

static bool is_open(const struct pair *p, enum area_level level)
{
	return !p->done && !p->fresh && !p->given_up && p->at.level == level;
}

static bool same_unit(const struct pair *a, const struct pair *b)
{
	return a->at.level == b->at.level &&
		a->request.occupation.row == b->request.occupation.row &&
		strcmp(area_code(&a->at), area_code(&b->at)) == 0;
}

static bool in_batch(const struct batch *b, const struct pair *p)
{
	for (size_t i = 0; i < b->nunits; i++)
		if (same_unit(b->units[i], p))
			return true;
	return false;
}

static void fill_batch(const struct sync *s, enum area_level level, struct batch *b)
{
	*b = (struct batch){ 0 };
	for (size_t i = 0; i < s->pairs.count && b->nunits < s->per_call; i++) {
		const struct pair *p = &s->pairs.items[i];

		if (!is_open(p, level) || in_batch(b, p))
			continue;
		b->units[b->nunits++] = p;
		for (size_t k = 0; k < BLS_PAIR_SERIES; k++)
			bls_wage_id(&p->at, p->request.occupation.row, BLS_PAIR_TYPES[k],
				    b->ids[b->nids++]);
	}
}

static int store_pair(struct sync *s, struct pg *pg, struct pair *p, const struct benchmark *got,
		      struct err *e)
{
	bool development = run_conf(s->run)->fleet.development;
	cJSON *rows = mem_check(cJSON_CreateArray());
	char key[CACHEKEY_SIZE];
	struct findings f;
	struct benchmark *b;
	int r;

	findings_init(&f);
	b = findings_benchmark(&f, "bls");
	*b = *got;
	b->steps_wider = p->steps;
	cachekey_make(CACHEKEY_SALARY, &p->request, key);
	r = benchmark_store(pg, &p->request, &f, key, development, rows, e);
	cJSON_Delete(rows);
	findings_release(&f);
	return r;
}

static void put_unit_key(const struct pair *p, char out[64])
{
	snprintf(out, 64, "%s/%s/%s", area_level_name(p->at.level), area_code(&p->at),
		 p->request.occupation.row->soc);
}

/* Pairs of the batch that have an answer are stored; found gets the names of their units. */
static int store_batch(struct sync *s, const struct batch *b, const struct bls_reply *reply,
		       cJSON *found, struct err *e)
{
	enum area_level level = b->units[0]->at.level;
	struct pg *pg;
	int r = run_db(s->run, &pg, e);

	for (size_t i = 0; r >= 0 && i < s->pairs.count; i++) {
		struct pair *p = &s->pairs.items[i];
		struct benchmark got;
		char key[64];

		if (!is_open(p, level) || !in_batch(b, p) ||
		    !source_bls_benchmark(reply, &p->at, p->request.occupation.row, &got))
			continue;
		r = store_pair(s, pg, p, &got, e);
		put_unit_key(p, key);
		json_set_bool(found, key, true);
	}
	return r;
}

static void mark_done(struct sync *s, enum area_level level, const cJSON *found)
{
	for (size_t i = 0; i < s->pairs.count; i++) {
		struct pair *p = &s->pairs.items[i];
		char key[64];

		put_unit_key(p, key);
		if (is_open(p, level) && json_bool(found, key, false))
			p->done = true;
	}
}

static void widen_open(struct sync *s, const struct batch *b, enum area_level level)
{
	struct batch copy = *b;
	struct pair units[BLS_MAX_SERIES / BLS_PAIR_SERIES];

	for (size_t i = 0; i < copy.nunits; i++) {
		units[i] = *copy.units[i];	/* widening moves the pairs that the batch points to */
		copy.units[i] = &units[i];
	}
	for (size_t i = 0; i < s->pairs.count; i++) {
		struct pair *p = &s->pairs.items[i];

		if (!is_open(p, level) || !in_batch(&copy, p))
			continue;
		if (level == AREA_NATION)
			p->given_up = true;
		p->at = area_widen(&p->at);
		p->steps++;
	}
}

static void step_name(const struct batch *b, char out[64])
{
	char id[UUID_SIZE];

	uuid_v5(b->ids, sizeof b->ids, id);
	snprintf(out, 64, "batch:%s", id);
}

/* What the source itself refuses or fails ends the run early, not the task. */
static int stop_early(struct sync *s, int code, const struct err *e)
{
	if (code == -ERR_CANCELLED || code == -ERR_SOFT_LIMIT || code == -ERR_DB ||
	    code == -ERR_SCHEMA || code == -ERR_INTERNAL || code == -ERR_CONFLICT)
		return code;
	cJSON_AddItemToArray(s->warnings, mem_check(cJSON_CreateString(e->msg)));
	s->stopped = true;
	return 0;
}

static int ask_batch(struct sync *s, const struct batch *b, const char *step, cJSON *found,
		     struct err *e)
{
	struct bls_reply *reply = NULL;
	int r;

	s->calls++;
	r = source_bls_ask(s->run, (const char (*)[BLS_ID_SIZE])b->ids, b->nids, &reply, e);
	if (r < 0)
		return stop_early(s, r, e);
	r = store_batch(s, b, reply, found, e);
	bls_reply_free(reply);
	return r < 0 ? r : run_step_commit(s->run, step, found, e);
}

/* A batch that an earlier run of this task finished is not asked again. */
static int run_batch(struct sync *s, const struct batch *b, enum area_level level, struct err *e)
{
	cJSON *found = NULL;
	char step[64];
	int r;

	step_name(b, step);
	r = run_step_begin(s->run, step, &found, e);
	if (r == 0) {
		found = mem_check(cJSON_CreateObject());
		r = ask_batch(s, b, step, found, e);
	}
	if (r >= 0 && !s->stopped) {
		mark_done(s, level, found);
		widen_open(s, b, level);
	}
	cJSON_Delete(found);
	return r < 0 ? r : 0;
}

struct tally {
	size_t done, fresh, given_up, left;
};

static struct tally count(const struct sync *s)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < s->pairs.count; i++) {
		const struct pair *p = &s->pairs.items[i];

		t.done += p->done;
		t.fresh += p->fresh;
		t.given_up += p->given_up;
		t.left += !p->done && !p->fresh && !p->given_up;
	}
	return t;
}

static int run_level(struct sync *s, enum area_level level, struct err *e)
{
	struct batch b;
	int r = 0;

	for (fill_batch(s, level, &b); r >= 0 && b.nunits > 0 && !s->stopped;
	     fill_batch(s, level, &b)) {
		if (run_cancelled(s->run))
			return run_cancel_error(s->run, e);
		if (s->calls >= s->max_calls) {
			cJSON_AddItemToArray(s->warnings, mem_check(cJSON_CreateString(
				"max_calls is reached: run it again for the rest")));
			s->stopped = true;
			break;
		}
		run_progress(s->run, (int64_t)(s->pairs.count - count(s).left),
			     (int64_t)s->pairs.count, area_level_name(level));
		r = run_batch(s, &b, level, e);
	}
	return r;
}

static int enqueue_scores(struct sync *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < s->pairs.count; i++) {
		struct pair *p = &s->pairs.items[i];
		struct run_enqueue what = { .task = CONFIDENCE_TASK, .priority = -1 };
		cJSON *args;
		char *text;

		/* pairs of one location stand together: once for each */
		if (!p->done || (i > 0 && p[-1].done &&
				 strcmp(p[-1].request.area.label, p->request.area.label) == 0))
			continue;
		args = mem_check(cJSON_CreateArray());
		cJSON_AddItemToArray(args, mem_check(cJSON_CreateString(p->request.area.label)));
		what.args = text = json_print(args);
		r = run_enqueue(s->run, &what, NULL, e);
		free(text);
		cJSON_Delete(args);
	}
	return r;
}

static cJSON *report(struct sync *s, int64_t started_us)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "status", "success");
	json_set_num(o, "pairs", (double)s->pairs.count);
	json_set_num(o, "fresh", (double)count(s).fresh);
	json_set_num(o, "synced", (double)count(s).done);
	json_set_num(o, "unanswered", (double)count(s).given_up);
	json_set_num(o, "remaining", (double)count(s).left);
	json_set_num(o, "calls", s->calls);
	json_set_num(o, "processing_time_ms", (double)((clock_mono_us() - started_us) / 1000));
	return o;
}

static int sync_pairs(struct sync *s, bool force, struct err *e)
{
	struct pg *pg;
	int r;

	err_clear(e);
	r = force ? 0 : run_db_read(s->run, &pg, e);

	if (r >= 0 && !force)
		r = pairs_mark_fresh(&s->pairs, pg, e);
	for (int level = AREA_METRO; r >= 0 && level >= AREA_NATION; level--)
		r = run_level(s, (enum area_level)level, e);
	if (r >= 0 && s->stopped && count(s).done + count(s).fresh == 0 &&
	    e->code)
		return -(int)e->code;
	return r < 0 ? r : enqueue_scores(s, e);
}

int sync_salary_data(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct sync s = { .run = run, .warnings = mem_check(cJSON_CreateArray()) };
	int64_t start = clock_mono_us(), calls = json_int(args, "max_calls", DEFAULT_CALLS);
	int r = 0;

	s.per_call =
		(ask_key(run, "bls") ? BLS_MAX_SERIES : BLS_MAX_SERIES_NO_KEY) / BLS_PAIR_SERIES;
	s.max_calls = (int)calls;
	if (calls < 1 || calls > MAX_CALLS)
		r = err_set(e, ERR_INVALID, "max_calls must be a whole number from 1 to %d",
			    MAX_CALLS);
	if (r == 0)
		r = pairs_make(run_conf(run), json_get(args, "occupations"),
			       json_get(args, "locations"), &s.pairs, e);
	if (r == 0)
		r = sync_pairs(&s, json_bool(args, "force", false), e);
	if (r >= 0) {
		*ret_result = report(&s, start);
		json_set(*ret_result, "warnings", s.warnings);
	} else {
		cJSON_Delete(s.warnings);
	}
	pairs_release(&s.pairs);
	return r < 0 ? r : 0;
}
