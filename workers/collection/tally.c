/* SPDX-License-Identifier: MIT */
#include "workers/collection/tally.h"

#include "common/base/board.h"
#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/collection/plan.h"
#include "workers/collection/rota.h"
#include "workers/collection/walk.h"

enum { NAMES_BYTES = 8192 };

void tally_init(struct tally *t)
{
	*t = (struct tally){ .ids = mem_check(cJSON_CreateArray()),
			     .errors = mem_check(cJSON_CreateArray()),
			     .sources = mem_check(cJSON_CreateObject()), .stopped = "nothing" };
}

void tally_release(struct tally *t)
{
	cJSON_Delete(t->ids);
	cJSON_Delete(t->errors);
	cJSON_Delete(t->sources);
}

static void add(struct tally_counts *c, const struct walk *w)
{
	c->pages += w->pages;
	c->jobs += w->jobs;
	c->new_jobs += w->new_jobs;
	c->calls += w->calls;
	c->fresh += w->fresh;
	c->unchanged += w->unchanged;
}

void tally_walk(struct tally *t, struct walk *w)
{
	cJSON *id;

	while ((id = cJSON_DetachItemFromArray(w->collection_ids, 0)))
		cJSON_AddItemToArray(t->ids, id);
	add(&t->sum, w);
	add(&t->one, w);
	board_add(w->jobs, "stage_items", "collection", w->conf->name, "rows", NULL);
	if (w->stopped)
		t->stopped = w->stopped;
}

void tally_refusal(struct tally *t, const struct walk *w, const struct err *e)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "source", w->conf->name);
	json_set_str(o, "query", w->ask.query);
	json_set_str(o, "location", w->ask.location);
	if (*w->ask.board)
		json_set_str(o, "board", w->ask.board);
	json_set_str(o, "error", e->msg);
	cJSON_AddItemToArray(t->errors, o);
}

void tally_sample(struct tally *t, const char *id, int jobs)
{
	cJSON_AddItemToArray(t->ids, mem_check(cJSON_CreateString(id)));
	t->one = (struct tally_counts){ .pages = 1, .jobs = jobs, .new_jobs = jobs };
	t->sum.pages++;
	t->sum.jobs += jobs;
	t->sum.new_jobs += jobs;
	t->stopped = "no_more";
	t->demo = true;
}

static void put_counts(cJSON *o, const struct tally_counts *c)
{
	json_set_num(o, "job_count", c->jobs);
	json_set_num(o, "new_jobs", c->new_jobs);
	json_set_num(o, "pages", c->pages);
	json_set_num(o, "api_calls_used", c->calls);
	json_set_num(o, "fresh", c->fresh);
	json_set_num(o, "unchanged", c->unchanged);
}

static void put_why(cJSON *o, const struct err *why)
{
	json_set_str(o, "reason", why->msg);
	if (why->retry_after_ms > 0)
		json_set_num(o, "retry_after_s", (double)(why->retry_after_ms / 1000));
}

static void put_rota(cJSON *o, const struct rota *rota)
{
	char *text = mem_printf("the quota allows %d calls today: %d of %d questions were asked, "
				"%d page%s each; the others have their turn next", rota->share,
				rota->n, rota->all, rota->pages, rota->pages == 1 ? "" : "s");

	json_set_num(o, "questions", rota->n);
	json_set_num(o, "questions_in_all", rota->all);
	json_set_str(o, "rotated", text);
	free(text);
}

void tally_source(struct tally *t, const struct plan_source *s, enum tally_end end,
		  const struct err *why, const struct rota *rota)
{
	static const char *const names[] = {
		[TALLY_DONE] = "success", [TALLY_PARKED] = "parked", [TALLY_FAILED] = "failed",
		[TALLY_SKIPPED] = "skipped", [TALLY_DOWN] = "down",
	};
	cJSON *o = mem_check(cJSON_CreateObject());

	if (end == TALLY_FAILED)
		board_add(1, "stage_items", "collection", s->conf->name, "errors", NULL);
	json_set_str(o, "status", end == TALLY_PARKED && t->one.pages > 0 ? "partial" :
				  names[end]);
	put_counts(o, &t->one);
	if (s->backup_of)
		json_set_str(o, "backup_of", s->backup_of);
	if (*s->conf->terms)
		json_set_str(o, "terms", s->conf->terms);
	if (why)
		put_why(o, why);
	if (rota && rota->rotated)
		put_rota(o, rota);
	json_set(t->sources, s->conf->name, o);
	t->one = (struct tally_counts){ 0 };
	t->asked = t->asked || end == TALLY_DONE;
	t->parked = t->parked || end == TALLY_PARKED;
	t->failed = t->failed || end == TALLY_FAILED;
	if ((end == TALLY_PARKED || end == TALLY_FAILED) && t->why.code == ERR_NONE)
		t->why = *why;
	if (end == TALLY_SKIPPED && t->skipped.code == ERR_NONE)
		t->skipped = *why;
}

const char *tally_status(const struct tally *t)
{
	bool some = t->asked || cJSON_GetArraySize(t->ids) > 0;

	if (t->parked || t->failed || !t->asked)
		return some ? "partial" : "parked";
	return cJSON_GetArraySize(t->errors) > 0 ? "partial" : "success";
}

static char *source_names(const struct tally *t)
{
	const cJSON *s;
	struct buf b;

	buf_init(&b, NAMES_BYTES);
	cJSON_ArrayForEach(s, t->sources) {
		buf_printf(&b, "%s%s", b.len ? "," : "", s->string);
	}
	buf_puts(&b, "");
	return buf_take(&b);
}

cJSON *tally_result(const struct tally *t, const char *run_id, const char *strategy)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	const struct err *why = t->why.code == ERR_NONE && !t->asked ? &t->skipped : &t->why;
	bool held = t->parked || !t->asked;
	char *names = source_names(t);

	json_set_str(o, "status", tally_status(t));
	json_set_str(o, "run_id", run_id);
	json_set_str(o, "source", names);
	json_set_str(o, "strategy", strategy);
	json_set(o, "collection_ids", cJSON_Duplicate(t->ids, true));
	put_counts(o, &t->sum);
	json_set_str(o, "stopped", held && !t->demo ? "parked" : t->stopped);
	if (t->demo)
		json_set_bool(o, "demo", true);
	if (cJSON_GetArraySize(t->errors) > 0)
		json_set(o, "errors", cJSON_Duplicate(t->errors, true));
	if (why->code != ERR_NONE)
		put_why(o, why);
	json_set(o, "sources", cJSON_Duplicate(t->sources, true));
	free(names);
	return o;
}
