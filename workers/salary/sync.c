/* SPDX-License-Identifier: MIT */
#include "workers/salary/sync.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "common/worker/run.h"
#include "workers/salary/ask.h"
#include "workers/salary/errand.h"
#include "workers/salary/fetch.h"
#include "workers/salary/findings.h"
#include "workers/salary/pairs.h"
#include "workers/salary/shelf.h"
#include "workers/salary/source.h"

#define DEFAULT_CALLS 250
#define MAX_CALLS 2000
#define ROUNDS_MAX 12			/* metro, state, nation, and what follows of an answer */
#define CONFIDENCE_TASK "backend.tasks.salary_data_tasks.update_confidence_scores"

struct sync {
	struct run *run;
	struct pairs pairs;
	struct shelf *shelf;
	struct errand errand;
	bool force;
};

/* What the sources say of a pair, out of the shelf. 1: all that they want is there, 0: not yet. */
static int look(struct sync *s, const struct pair *p, struct findings *f, struct err *e)
{
	int r;

	(void)shelf_missed(s->shelf);
	ask_from(s->shelf);
	r = source_all(s->run, &p->request, f, e);
	ask_from(NULL);
	return r < 0 ? r : shelf_missed(s->shelf) == 0;
}

static int look_at_all(struct sync *s, size_t *ret_open, struct err *e)
{
	size_t open = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < s->pairs.count; i++) {
		struct pair *p = &s->pairs.items[i];
		struct findings f;

		if (p->gathered || !pair_is_open(p))
			continue;
		if (run_cancelled(s->run))
			return run_cancel_error(s->run, e);
		findings_init(&f);
		r = look(s, p, &f, e);
		p->gathered = r > 0;
		open += r == 0;
		findings_release(&f);
	}
	*ret_open = open;
	return r < 0 ? r : 0;
}

static int gather(struct sync *s, struct err *e)
{
	size_t open = 0;
	int r = look_at_all(s, &open, e);

	for (int round = 0; r >= 0 && open > 0 && round < ROUNDS_MAX; round++) {
		s->errand.total = (int64_t)s->pairs.count;
		s->errand.done = (int64_t)(s->pairs.count - open);
		r = errand_run(&s->errand, e);
		if (r >= 0)
			r = look_at_all(s, &open, e);
	}
	errand_end(&s->errand);
	return r;
}

static void step_name(const struct pair *p, char out[UUID_SIZE + 8])
{
	char id[UUID_SIZE];

	uuid_v5(p->key, strlen(p->key), id);
	snprintf(out, UUID_SIZE + 8, "pair:%s", id);
}

/* One that is switched off is not missed. */
static bool is_missed(const struct findings *f, const char *source)
{
	return strcmp(json_str(json_get(f->sources, source), "status", "ok"), "ok") != 0;
}

/* Without BLS a pair stays open: what the others have is no reason not to ask again. */
static int keep(struct sync *s, struct pair *p, const char *step, struct err *e)
{
	struct findings f;
	int r;

	findings_init(&f);
	r = look(s, p, &f, e);
	if (r > 0 && !is_missed(&f, "bls")) {
		p->given_up = f.fallback || f.nbenchmarks == 0;
		r = p->given_up ? 0 : fetch_keep(s->run, &p->request, &f, step, e);
		FAULT_POINT("sync.kept");
		p->done = r >= 0 && !p->given_up;
	}
	findings_release(&f);
	return r < 0 ? r : 0;
}

static int keep_all(struct sync *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < s->pairs.count; i++) {
		struct pair *p = &s->pairs.items[i];
		char step[UUID_SIZE + 8];

		if (!p->gathered || !pair_is_open(p))
			continue;
		if (run_cancelled(s->run))
			return run_cancel_error(s->run, e);
		run_progress(s->run, (int64_t)i, (int64_t)s->pairs.count, "storing");
		step_name(p, step);
		r = run_step_begin(s->run, step, NULL, e);
		if (r > 0)
			p->done = true;
		else if (r == 0)
			r = keep(s, p, step, e);
	}
	return r < 0 ? r : 0;
}

/* Fresh, or stored by an interrupted run of this very task, which its step tells. */
static int skip_fresh(struct sync *s, struct err *e)
{
	struct pg *pg;
	int r = run_db_read(s->run, &pg, e);

	if (r >= 0)
		r = pairs_mark_fresh(&s->pairs, pg, e);
	for (size_t i = 0; r >= 0 && i < s->pairs.count; i++) {
		struct pair *p = &s->pairs.items[i];
		char step[UUID_SIZE + 8];

		if (!p->fresh)
			continue;
		step_name(p, step);
		r = run_step_begin(s->run, step, NULL, e);
		p->done = r > 0;
		p->fresh = r <= 0;
	}
	return r < 0 ? r : 0;
}

/* With force only what this task brought itself counts as fresh: since its first run. */
static int began_at(struct sync *s, int64_t *ret_s, struct err *e)
{
	cJSON *saved = NULL;
	int r;

	*ret_s = 0;
	if (!s->force)
		return 0;
	r = run_step_begin(s->run, "began", &saved, e);
	*ret_s = r > 0 ? json_int(saved, "at", 0) : clock_wall_ms() / 1000;
	cJSON_Delete(saved);
	if (r != 0)
		return r < 0 ? r : 0;
	saved = mem_check(cJSON_CreateObject());
	json_set_num(saved, "at", (double)*ret_s);
	r = run_step_commit(s->run, "began", saved, e);
	cJSON_Delete(saved);
	return r;
}

static int prepare(struct sync *s, int max_calls, struct err *e)
{
	int64_t since = 0;
	struct pg *pg;
	int r = began_at(s, &since, e);

	if (r >= 0)
		r = errand_init(&s->errand, s->run, s->shelf, max_calls, since, e);
	if (r >= 0 && !s->force)
		r = skip_fresh(s, e);
	if (r >= 0)
		r = run_db_read(s->run, &pg, e);
	return r < 0 ? r : shelf_load(s->shelf, pg, since, e);
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
		t.left += pair_is_open(p);
	}
	return t;
}

static int enqueue_scores(struct sync *s, struct err *e)
{
	const char *last = "";
	int r = 0;

	for (size_t i = 0; r >= 0 && i < s->pairs.count; i++) {
		const struct pair *p = &s->pairs.items[i];
		struct run_enqueue what = { .task = CONFIDENCE_TASK, .priority = -1 };
		cJSON *args;
		char *text;

		/* pairs of one location stand together: once for each */
		if (!p->done || strcmp(last, p->request.area.label) == 0)
			continue;
		last = p->request.area.label;
		args = mem_check(cJSON_CreateArray());
		cJSON_AddItemToArray(args, mem_check(cJSON_CreateString(last)));
		what.args = text = json_print(args);
		r = run_enqueue(s->run, &what, NULL, e);
		free(text);
		cJSON_Delete(args);
	}
	return r;
}

static void put_calls(const struct sync *s, cJSON *o)
{
	cJSON *calls = mem_check(cJSON_CreateObject()), *least = mem_check(cJSON_CreateObject());
	int all = 0;

	for (size_t i = 0; i < s->errand.ntally; i++) {
		const struct errand_tally *t = &s->errand.tally[i];
		int n = errand_least(&s->errand, t->source);

		json_set_num(calls, t->source, t->calls);
		json_set_num(least, t->source, n);
		all += n;
	}
	json_set_num(o, "calls", s->errand.calls);
	json_set_num(o, "least_calls", all);
	json_set(o, "calls_by_source", calls);
	json_set(o, "least_calls_by_source", least);
}

static cJSON *report(struct sync *s, int64_t started_us)
{
	cJSON *o = mem_check(cJSON_CreateObject()), *warnings = mem_check(cJSON_CreateArray());
	struct tally t = count(s);
	const char *text;

	json_set_str(o, "status", "success");
	json_set_num(o, "pairs", (double)s->pairs.count);
	json_set_num(o, "fresh", (double)t.fresh);
	json_set_num(o, "synced", (double)t.done);
	json_set_num(o, "unanswered", (double)t.given_up);
	json_set_num(o, "remaining", (double)t.left);
	put_calls(s, o);
	json_set_num(o, "processing_time_ms", (double)((clock_mono_us() - started_us) / 1000));
	for (size_t i = 0; (text = shelf_trouble_text(s->shelf, i)); i++)
		cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(text)));
	json_set(o, "warnings", warnings);
	return o;
}

static int sync_pairs(struct sync *s, int max_calls, struct err *e)
{
	struct tally t;
	struct pg *pg;
	int r = prepare(s, max_calls, e);

	if (r >= 0)
		r = gather(s, e);
	FAULT_POINT("sync.gathered");
	if (r >= 0 && !s->force)
		r = skip_fresh(s, e);	/* another sync may have stored meanwhile */
	if (r >= 0)
		r = keep_all(s, e);
	if (r >= 0)
		r = run_db_read(s->run, &pg, e);
	if (r >= 0)
		r = shelf_prune(pg, e);
	if (r < 0)
		return r;
	t = count(s);
	r = shelf_trouble(s->shelf, "bls", e);
	if (t.done + t.fresh == 0 && t.left > 0 && r < 0 && r != -ERR_LIMITED)
		return r;
	return enqueue_scores(s, e);
}

int sync_salary_data(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	int64_t start = clock_mono_us(), calls = DEFAULT_CALLS;
	struct sync s = { .run = run, .force = json_bool(args, "force", false) };
	int r;

	if (json_get(args, "max_calls"))
		calls = json_int(args, "max_calls", -1);
	if (calls < 1 || calls > MAX_CALLS)
		return err_set(e, ERR_INVALID, "max_calls must be a whole number from 1 to %d",
			       MAX_CALLS);
	r = pairs_make(run_conf(run), json_get(args, "occupations"), json_get(args, "locations"),
		       &s.pairs, e);
	if (r < 0)
		return r;
	s.shelf = shelf_new();
	r = sync_pairs(&s, (int)calls, e);
	if (r >= 0)
		*ret_result = report(&s, start);
	shelf_free(s.shelf);
	pairs_release(&s.pairs);
	return r < 0 ? r : 0;
}
