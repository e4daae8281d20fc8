/* SPDX-License-Identifier: MIT */
#include "workers/collection/walk.h"

#include "common/base/clock.h"
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
#include "workers/collection/fresh.h"
#include "workers/collection/ids.h"
#include "workers/collection/order.h"
#include "workers/collection/outline.h"
#include "workers/collection/raw.h"
#include "workers/collection/watermark.h"

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

static bool is_incremental(const struct walk *w)
{
	return strcmp(w->order->strategy, "incremental") == 0;
}

/* What a repeat needs to know of a finished page. */
static cJSON *page_record(const struct walk *w, const char *id, const struct source_page *page,
			  cJSON *ids, int new_rows)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "collection_id", id);
	json_set_num(o, "jobs", new_rows > 0 ? cJSON_GetArraySize(page->rows) : 0);
	json_set_num(o, "new", new_rows);
	json_set_str(o, "token", page->token);
	json_set_bool(o, "last", page->last);
	json_set_bool(o, "other_path", w->at.other_path);
	json_set_num(o, "calls", w->page_calls);
	json_set_num(o, "began_us", (double)w->began_us);
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

/* The page's row; processing is enqueued with it. */
static int settle_row(struct walk *w, const struct raw_kept *k, const struct source_page *page,
		      int new_rows, struct err *e)
{
	cJSON *more = mem_check(cJSON_CreateObject());
	struct pg *pg;
	int r;

	/* A page that only repeats is not handed on, so its postings came in before. */
	json_set_num(more, "job_count", new_rows > 0 ? cJSON_GetArraySize(page->rows) : 0);
	json_set_num(more, "rows", cJSON_GetArraySize(page->rows));
	json_set_num(more, "new_jobs", new_rows);
	r = run_db(w->run, &pg, e);
	if (r == 0)
		r = raw_settle(pg, k->id, new_rows > 0 ? "pending" : "completed", more, NULL, e);
	if (r == 0 && new_rows > 0 && !k->picked_up)
		r = enqueue_processing(w, k->id, e);
	cJSON_Delete(more);
	return r;
}

static int settle_page(struct walk *w, const char *step, const struct raw_kept *k, bool fresh,
		       const cJSON *body, cJSON **ret_record, struct err *e)
{
	cJSON *ids = mem_check(cJSON_CreateObject()), *record;
	struct source_page page;
	bool known = false;
	int new_rows, r = 0;

	w->source->read_page(w->conf, &w->at, body, &page);
	new_rows = ids_count_new(w->seen, w->source, &page, ids);
	if (is_incremental(w))
		r = ids_all_known(w->run, w->source->name, ids, cJSON_GetArraySize(page.rows),
				  &known, e);
	record = page_record(w, k->id, &page, ids, new_rows);
	json_set_bool(record, "known", known);
	json_set_bool(record, "fresh", fresh);
	if (r == 0 && !fresh)
		r = settle_row(w, k, &page, new_rows, e);
	FAULT_POINT("collection.judged");
	if (r == 0)
		r = run_step_commit(w->run, step, record, e);
	FAULT_POINT("collection.settled");
	if (r < 0) {
		cJSON_Delete(record);
		return r;
	}
	*ret_record = record;
	return 0;
}

/* HTTP 304: the answer that we have still holds. */
static int settle_unchanged(struct walk *w, const char *step, const struct raw_kept *k,
			    cJSON **ret_record, struct err *e)
{
	const struct source_page none = { .last = true };
	char *etag = NULL, *modified = NULL, id[UUID_SIZE] = "";
	cJSON *more = mem_check(cJSON_CreateObject()), *record;
	struct pg *pg;
	int r = run_db(w->run, &pg, e);

	if (r == 0)
		r = fresh_validators(pg, w->hash, &etag, &modified, id, e);
	free(etag);
	free(modified);
	json_set_bool(more, "unchanged", true);
	json_set_str(more, "confirms", *id ? id : NULL);
	record = page_record(w, id, &none, mem_check(cJSON_CreateObject()), 0);
	json_set_bool(record, "unchanged", true);
	if (r >= 0)
		r = raw_settle(pg, k->id, "completed", more, NULL, e);
	if (r >= 0)
		r = run_step_commit(w->run, step, record, e);
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

/* Nobody asks this source before its time; this task comes back then. */
static int limited(struct walk *w, const struct source_verdict *v, struct err *e)
{
	int64_t wait_s = v->wait_s;
	struct pg *pg;
	int r = run_db_read(w->run, &pg, e);

	if (r == 0)
		r = quota_limited(pg, w->conf->name, v->wait_s, v->reason, &wait_s, e);
	if (r < 0)
		return r;
	r = err_set(e, ERR_LIMITED, "source %s: %s", w->conf->name, v->reason);
	e->retry_after_ms = wait_s * 1000 + fetch_backoff_ms(0);
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
	case SOURCE_LIMITED:
		return limited(w, v, e);
	default:
		r = err_set(e, ERR_HTTP, "source %s: %s", w->conf->name, v->reason);
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

/* A page, or word that nothing has changed. */
static int take_good(struct walk *w, const char *step, const struct raw_kept *k, bool fresh,
		     const struct source_verdict *v, const cJSON *body, cJSON **ret_record,
		     struct err *e)
{
	int r = run_step_begin(w->run, step, ret_record, e);

	if (r != 0)
		return r;
	return v->class == SOURCE_OK ? settle_page(w, step, k, fresh, body, ret_record, e) :
				       settle_unchanged(w, step, k, ret_record, e);
}

static int say_moved(struct walk *w, struct err *e);

/* A failure, or a path that moved: 0 = try again on the other one. */
static int take_failure(struct walk *w, const char *id, const struct source_verdict *v,
			struct err *e)
{
	int r = settle_failure(w, id, v, e);

	if (r < 0 || v->class != SOURCE_MOVED || w->at.other_path || !w->source->two_paths)
		return r < 0 ? r : outcome(w, v, e);
	w->at.other_path = true;
	return say_moved(w, e);
}

/* One answer, judged. 1 = it was a page, *ret_record filled; 0 = ask again, otherwise. */
static int take_answer(struct walk *w, const char *step, const struct raw_kept *k,
		       enum answer_from from, cJSON **ret_record, struct err *e)
{
	struct source_verdict v = { 0 };
	cJSON *body = outline_read(buf_text(&k->answer.body), k->answer.body.len);
	int r = 0;

	w->source->judge(&k->answer, body, &v);
	hide_key(v.reason, w->ask.key);
	hide_key(v.reason, w->ask.id);
	if (from == ANSWER_CALLED)
		r = fetch_note(w->run, w->conf, w->source, &k->answer, v.class, e);
	if (r == 0 && from == ANSWER_FRESH && v.class != SOURCE_OK) {
		w->stale = true;
	} else if (r == 0 && (v.class == SOURCE_OK || v.class == SOURCE_UNCHANGED)) {
		r = take_good(w, step, k, from == ANSWER_FRESH, &v, body, ret_record, e);
		r = r < 0 ? r : 1;
	} else if (r == 0) {
		r = take_failure(w, k->id, &v, e);
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
	int r;

	if (!w->began_us)
		w->began_us = clock_wall_us();
	w->stale = false;
	do {
		enum answer_from from;
		struct raw_kept k;

		r = answer_obtain(w, &k, &from, e);
		if (r < 0)
			return r;
		r = take_answer(w, step, &k, from, ret_record, e);
		http_response_release(&k.answer);
	} while (r == 0);
	return r < 0 ? r : 0;
}

static void count_page(struct walk *w, const cJSON *record)
{
	const char *id = json_str(record, "collection_id", "");
	int news = (int)json_int(record, "new", 0);
	bool unchanged = json_bool(record, "unchanged", false);
	const cJSON *seen;

	w->pages++;
	w->jobs += (int)json_int(record, "jobs", 0);
	w->new_jobs += news;
	w->calls += (int)json_int(record, "calls", 0);
	w->fresh += json_bool(record, "fresh", false);
	w->unchanged += unchanged;
	w->began_us = json_int(record, "began_us", w->began_us);
	cJSON_ArrayForEach(seen, json_get(record, "ids")) {
		cJSON_AddTrueToObject(w->seen, seen->string);	/* each is new on this walk */
	}
	/* Unchanged postings are no news to who asked for news. */
	if (*id && (news > 0 || (unchanged && !is_incremental(w))))
		cJSON_AddItemToArray(w->collection_ids, cJSON_CreateString(id));
}

/* Past a page that is done: what it counts, and whether another one follows. */
static void pass(struct walk *w, const cJSON *record)
{
	const char *token = json_str(record, "token", NULL);

	count_page(w, record);
	mem_replace(&w->token, mem_strdup(token));
	w->at.token = w->token;
	w->at.other_path = json_bool(record, "other_path", false);
	w->at.page++;
	if (json_bool(record, "unchanged", false))
		w->stopped = "unchanged";
	else if (json_bool(record, "last", false))
		w->stopped = "no_more";
	else if (json_int(record, "new", 0) == 0)
		w->stopped = "no_new";
	else if (json_bool(record, "known", false))
		w->stopped = "known";
	else if (w->order->results && w->new_jobs >= w->order->results)
		w->stopped = "results";
	else if (w->new_jobs >= w->rows)
		w->stopped = "limit";
	else if (w->pages >= w->budget)
		w->stopped = "budget";
}

/* The question was answered; by stored answers alone it was so before. */
static int move_watermark(struct walk *w, bool succeeded, struct err *e)
{
	char step[WALK_STEP_BYTES];
	struct pg *pg;
	int r;

	if (succeeded && w->fresh == w->pages)
		return 0;
	snprintf(step, sizeof step, "%s q%d end", w->source->name, w->number);
	if ((r = run_step_begin(w->run, step, NULL, e)) != 0)
		return r < 0 ? r : 0;
	if ((r = run_db(w->run, &pg, e)) < 0 ||
	    (r = watermark_write(pg, w->source->name, &w->ask, w->began_us, succeeded,
				 w->run_id, e)) < 0)
		return r;
	return run_step_commit(w->run, step, NULL, e);
}

static int next_page(struct walk *w, struct err *e)
{
	char step[WALK_STEP_BYTES];
	cJSON *record = NULL;
	int r;

	walk_step(w, "", step);
	w->page_calls = 0;
	r = run_step_begin(w->run, step, &record, e);
	if (r == 0)
		r = take_page(w, step, &record, e);
	if (r >= 0)
		pass(w, record);
	else
		w->calls += w->page_calls;
	cJSON_Delete(record);
	return r < 0 ? r : 0;
}

/* Where it stands, for whoever watches the task. */
static void show(struct walk *w)
{
	char *text = mem_printf("run %s: %s %s%s", w->run_id, w->source->name, w->ask.query,
				w->ask.board);

	run_progress(w->run, w->pages, w->budget, text);
	free(text);
}

int walk_run(struct walk *w, struct err *e)
{
	while (!w->stopped) {
		int r;

		if (run_cancelled(w->run))
			return run_cancel_error(w->run, e);
		show(w);
		r = next_page(w, e);
		if (r == -ERR_INVALID)	/* it must not come first in every rota from now on */
			move_watermark(w, false, NULL);
		if (r < 0)
			return r;
	}
	return move_watermark(w, true, e);
}
