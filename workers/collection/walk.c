/* SPDX-License-Identifier: MIT */
#include "workers/collection/walk.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "common/store/pg.h"
#include "common/store/quota.h"
#include "common/worker/run.h"
#include "workers/collection/answer.h"
#include "workers/collection/fetch.h"
#include "workers/collection/order.h"
#include "workers/collection/raw.h"

enum { REFUSED_PARK_S = 3600 };

void walk_init(struct walk *w)
{
	w->at = (struct source_place){ .page = w->order->first_page };
	w->seen = mem_check(cJSON_CreateObject());
	w->collection_ids = mem_check(cJSON_CreateArray());
}

void walk_step(const struct walk *w, const char *part, char out[WALK_STEP_BYTES])
{
	snprintf(out, WALK_STEP_BYTES, "%s q%d p%d%s", w->source->name, w->number, w->at.page,
		 part);
}

void walk_release(struct walk *w)
{
	free(w->token);
	cJSON_Delete(w->seen);
	cJSON_Delete(w->collection_ids);
}

/* Of a page: how many rows, how many of them not seen before on this walk. */
static void count_rows(struct walk *w, const struct source_page *page, cJSON *ids, int *ret_new)
{
	const cJSON *row;

	*ret_new = 0;
	cJSON_ArrayForEach(row, page->rows) {
		char room[SOURCE_ID];
		const char *id = w->source->row_id(row, room);

		if (id && (json_get(w->seen, id) || json_get(ids, id)))
			continue;
		if (id)
			json_set_bool(ids, id, true);
		(*ret_new)++;
	}
}

/* What a repeat needs to know of a finished page. */
static cJSON *page_record(const struct walk *w, const char *id, const struct source_page *page,
			  cJSON *ids, int fresh)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "collection_id", id);
	json_set_num(o, "jobs", fresh > 0 ? cJSON_GetArraySize(page->rows) : 0);
	json_set_num(o, "new", fresh);
	json_set_str(o, "token", page->token);
	json_set_bool(o, "last", page->last);
	json_set_bool(o, "other_path", w->at.other_path);
	json_set_num(o, "calls", w->page_calls);
	json_set(o, "ids", ids);
	return o;
}

static int enqueue_processing(struct walk *w, const char *id, struct err *e)
{
	char *args = mem_printf("[\"%s\"]", id);
	struct run_enqueue what = { .task = "jobfleet.process_collection", .args = args,
				    .priority = w->order->priority };
	int r = run_enqueue(w->run, &what, NULL, e);

	free(args);
	return r;
}

static int settle_page(struct walk *w, const char *step, const struct raw_kept *k,
		       const cJSON *body, cJSON **ret_record, struct err *e)
{
	cJSON *ids = mem_check(cJSON_CreateObject()), *more = mem_check(cJSON_CreateObject()),
	      *record;
	struct source_page page;
	struct pg *pg;
	int fresh, r;

	w->source->read_page(w->conf, &w->at, body, &page);
	count_rows(w, &page, ids, &fresh);
	/* A page that only repeats is not handed on, so its postings came in before. */
	json_set_num(more, "job_count", fresh > 0 ? cJSON_GetArraySize(page.rows) : 0);
	json_set_num(more, "rows", cJSON_GetArraySize(page.rows));
	json_set_num(more, "new_jobs", fresh);
	record = page_record(w, k->id, &page, ids, fresh);
	r = run_db(w->run, &pg, e);
	if (r == 0)
		r = raw_settle(pg, k->id, fresh > 0 ? "pending" : "completed", more, NULL, e);
	if (r == 0 && fresh > 0 && !k->picked_up)
		r = enqueue_processing(w, k->id, e);
	FAULT_POINT("collection.judged");
	if (r == 0)
		r = run_step_commit(w->run, step, record, e);
	FAULT_POINT("collection.settled");
	cJSON_Delete(more);
	if (r < 0) {
		cJSON_Delete(record);
		return r;
	}
	*ret_record = record;
	return 0;
}

/* The row of an answer that is no page says so; a repeat that comes here again changes nothing. */
static int settle_failure(struct walk *w, const char *id, const struct source_verdict *v,
			  struct err *e)
{
	char step[WALK_STEP_BYTES], part[24];
	cJSON *error;
	struct pg *pg;
	int r;

	snprintf(part, sizeof part, " failed%s %d", w->at.other_path ? "'" : "", w->attempt);
	walk_step(w, part, step);
	if ((r = run_step_begin(w->run, step, NULL, e)) != 0)
		return r < 0 ? r : 0;
	error = mem_check(cJSON_CreateObject());
	json_set_str(error, "class", source_class_name(v->class));
	json_set_str(error, "message", v->reason);
	r = run_db(w->run, &pg, e);
	if (r == 0)
		r = raw_settle(pg, id, "failed", NULL, error, e);
	if (r == 0)
		r = run_step_commit(w->run, step, NULL, e);
	cJSON_Delete(error);
	return r;
}

static int park(struct walk *w, int64_t seconds, const char *alert, const char *reason,
		enum err_code code, struct err *e)
{
	struct pg *pg;
	int r = run_db_read(w->run, &pg, e);

	if (r == 0)
		r = quota_park(pg, w->conf->name, seconds, alert, reason, e);
	if (r < 0)
		return r;
	r = err_set(e, code, "source %s: %s", w->conf->name, reason);
	if (code == ERR_QUOTA)
		e->retry_after_ms = seconds * 1000;
	return r;
}

/* What follows from an answer that is no page. */
static int outcome(struct walk *w, const struct source_verdict *v, struct err *e)
{
	int r;

	switch (v->class) {
	case SOURCE_USED_UP:
		return park(w, v->wait_s, "quota_used_up", v->reason, ERR_QUOTA, e);
	case SOURCE_KEY_REFUSED:
		return park(w, REFUSED_PARK_S, "provider_key_refused", v->reason, ERR_REFUSED, e);
	case SOURCE_MOVED:
		return park(w, REFUSED_PARK_S, "endpoint_gone", v->reason, ERR_REFUSED, e);
	case SOURCE_BAD_REQUEST:
		return err_set(e, ERR_INVALID, "source %s: %s", w->conf->name, v->reason);
	default:
		r = err_set(e, v->class == SOURCE_LIMITED ? ERR_LIMITED : ERR_HTTP, "source %s: %s",
			    w->conf->name, v->reason);
		e->retry_after_ms = v->wait_s * 1000 + fetch_backoff_ms(v->wait_s ? 0 :
									run_retries(w->run));
		return r;
	}
}

/* A provider that repeats our key in its text must not bring it into ours. */
static void hide_key(char *text, const char *key)
{
	size_t n = key ? strlen(key) : 0;

	for (char *at = n ? strstr(text, key) : NULL; at; at = strstr(at, key))
		memset(at, '*', n);
}

/* One answer, judged. 1 = it was a page, *ret_record filled; 0 = try again on the other path. */
static int take_answer(struct walk *w, const char *step, const struct raw_kept *k, bool fresh,
		       cJSON **ret_record, struct err *e)
{
	struct source_verdict v = { 0 };
	cJSON *body = NULL;
	int r;

	json_parse(buf_text(&k->answer.body), k->answer.body.len, &body, NULL);
	w->source->judge(&k->answer, body, &v);
	hide_key(v.reason, w->ask.key);
	r = fresh ? fetch_note(w->run, w->conf, w->source, &k->answer, v.class == SOURCE_RETRY, e)
		  : 0;
	if (r == 0 && v.class == SOURCE_OK) {
		if ((r = run_step_begin(w->run, step, ret_record, e)) == 0)
			r = settle_page(w, step, k, body, ret_record, e);
		r = r < 0 ? r : 1;
	} else if (r == 0) {
		r = settle_failure(w, k->id, &v, e);
		if (r == 0 && (v.class != SOURCE_MOVED || w->at.other_path ||
			       !w->source->two_paths))
			r = outcome(w, &v, e);
	}
	cJSON_Delete(body);
	return r;
}

static int say_moved(struct walk *w, struct err *e)
{
	struct pg *pg;
	int64_t n = run_db_read(w->run, &pg, e);

	if (n == 0)
		n = pg_run(pg, "SELECT jobfleet.raise_alert('endpoint_withdrawn', $1, 'WARNING',"
			   " 'the configured path does not exist; the other one is used: set path')",
			   PG_PARAMS(PG_TEXT(w->conf->name)), NULL, e);
	return n < 0 ? (int)n : 0;
}

static int take_page(struct walk *w, const char *step, cJSON **ret_record, struct err *e)
{
	for (;;) {
		struct raw_kept k;
		bool fresh;
		int r = answer_obtain(w, &k, &fresh, e);

		if (r < 0)
			return r;
		r = take_answer(w, step, &k, fresh, ret_record, e);
		http_response_release(&k.answer);
		if (r != 0)
			return r < 0 ? r : 0;
		if ((r = say_moved(w, e)) < 0)
			return r;
		w->at.other_path = true;
	}
}

/* Takes a finished page into account and moves on to where the next one begins. */
static void pass(struct walk *w, const cJSON *record)
{
	const char *token = json_str(record, "token", NULL);
	const cJSON *id;
	int fresh = (int)json_int(record, "new", 0);

	w->pages++;
	w->calls += (int)json_int(record, "calls", 0);
	w->jobs += (int)json_int(record, "jobs", 0);
	w->new_jobs += fresh;
	cJSON_ArrayForEach(id, json_get(record, "ids")) {
		json_set_bool(w->seen, id->string, true);
	}
	if (fresh > 0)
		cJSON_AddItemToArray(w->collection_ids, cJSON_CreateString(
					     json_str(record, "collection_id", "")));
	mem_replace(&w->token, mem_strdup(token));
	w->at.token = w->token;
	w->at.other_path = json_bool(record, "other_path", false);
	w->at.page++;
	if (json_bool(record, "last", false))
		w->stopped = "no_more";
	else if (fresh == 0)
		w->stopped = "no_new";
	else if (w->order->results && w->new_jobs >= w->order->results)
		w->stopped = "results";
	else if (w->pages >= w->budget)
		w->stopped = "budget";
}

int walk_run(struct walk *w, struct err *e)
{
	while (!w->stopped) {
		char step[WALK_STEP_BYTES];
		cJSON *record = NULL;
		int r;

		if (run_cancelled(w->run))
			return run_cancel_error(w->run, e);
		walk_step(w, "", step);
		w->page_calls = 0;
		r = run_step_begin(w->run, step, &record, e);
		if (r == 0)
			r = take_page(w, step, &record, e);
		if (r >= 0)
			pass(w, record);
		cJSON_Delete(record);
		if (r < 0) {
			w->calls += w->page_calls;
			return r;
		}
		run_progress(w->run, w->pages, w->budget, w->ask.query);
	}
	return 0;
}
