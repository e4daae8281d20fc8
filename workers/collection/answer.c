/* SPDX-License-Identifier: MIT */
#include "workers/collection/answer.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "common/store/asking.h"
#include "common/store/pg.h"
#include "common/worker/run.h"
#include "workers/collection/fetch.h"
#include "workers/collection/fresh.h"
#include "workers/collection/order.h"
#include "workers/collection/raw.h"
#include "workers/collection/rawfile.h"
#include "workers/collection/walk.h"

enum { ATTEMPTS = 32, LEASE_MARGIN_MS = 30000, TURN_MS = 15000, LOOK_MS = 200 };

/* Which attempt at this page it is: an answer "too fast" sends the task back without counting a
 * retry, so those are counted by their rows. */
static int count_attempt(struct walk *w, struct pg *pg, struct err *e)
{
	struct pg_rows *rows = NULL;
	char step[WALK_STEP_BYTES];
	int64_t n;

	walk_step(w, "", step);
	n = pg_run(pg, "SELECT count(*) FROM public.raw_job_collections WHERE run_id = $1"
		   " AND metadata->>'task_id' = $2 AND metadata->>'step' = $3"
		   " AND error_info->>'class' = 'limited'",
		   PG_PARAMS(PG_TEXT(w->run_id), PG_TEXT(run_id(w->run)), PG_TEXT(step)), &rows, e);
	if (n > 0)
		w->attempt = run_retries(w->run) + (int)pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

/* The ids that this page's answer has or would have, by attempt; the current attempt is last. A
 * dead letter that is sent again starts anew: the failures of its former life do not answer it. */
static size_t raw_ids(const struct walk *w, char ids[ATTEMPTS][UUID_SIZE])
{
	int first = w->attempt < ATTEMPTS ? 0 : w->attempt - ATTEMPTS + 1;
	size_t n = 0;

	for (int attempt = first; attempt <= w->attempt; attempt++) {
		char *name = mem_printf("raw %s %s %d %d %d %d",
					run_idempotency_key(w->run, "raw"), w->source->name,
					w->number, w->at.page, w->at.other_path, attempt);

		uuid_v5(name, strlen(name), ids[n++]);
		free(name);
	}
	return n;
}

static cJSON *first_metadata(const struct walk *w, const struct http_response *r)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *headers = raw_headers(r), step[WALK_STEP_BYTES];

	walk_step(w, "", step);
	json_set_num(o, "response_time_ms", (double)r->elapsed_ms);
	json_set_num(o, "job_count", 0);
	json_set_num(o, "api_calls_used", 1);
	json_set_str(o, "collection_strategy", w->order->strategy);
	json_set_str(o, "run_id", w->run_id);
	json_set_str(o, "task_id", run_id(w->run));
	json_set_num(o, "page", w->at.page);
	json_set_str(o, "step", step);
	json_set_num(o, "attempt", w->attempt);
	json_set_num(o, "response_bytes", (double)r->body.len);
	json_set_str(o, "response_headers", headers);
	free(headers);
	return o;
}

static cJSON *asked(const struct walk *w, const struct source_request *req)
{
	cJSON *o = cJSON_Duplicate(req->params, true);
	size_t len = strcspn(buf_text(&req->url), "?");
	char *url = mem_strndup(buf_text(&req->url), len);

	json_set_str(o, "search", w->ask.query);
	json_set_str(o, "location", w->ask.location);
	if (*w->ask.board)
		json_set_str(o, "board", w->ask.board);
	json_set_str(o, "url", url);
	free(url);
	return o;
}

static int store_in_database(struct walk *w, const struct raw_taken *raw, struct err *e)
{
	char step[WALK_STEP_BYTES], part[24];
	struct pg *pg;
	int r;

	snprintf(part, sizeof part, " raw%s %d", w->at.other_path ? "'" : "", w->attempt);
	walk_step(w, part, step);
	if ((r = run_step_begin(w->run, step, NULL, e)) != 0)
		return r < 0 ? r : 0;
	if ((r = run_db(w->run, &pg, e)) < 0 || (r = raw_store(pg, raw, e)) < 0)
		return r;
	return run_step_commit(w->run, step, NULL, e);
}

static void keep_copy(struct walk *w, const struct raw_taken *raw)
{
	const struct conf_fleet *fleet = &run_conf(w->run)->fleet;
	struct err e = { 0 };

	if (fleet->raw_copies && rawfile_copy(fleet->data_dir, raw, &e) < 0)
		log_warn("no copy of an answer source=%s error=\"%s\"", w->source->name, e.msg);
}

/* An answer that was paid for is never lost to a database that is away. */
static int store(struct walk *w, const struct raw_taken *raw, struct err *e)
{
	int r = store_in_database(w, raw, e);
	struct err file_e = { 0 };
	char *path = NULL;

	if (r == 0 && raw->body_len > 0)
		keep_copy(w, raw);
	if (r != -ERR_DB && r != -ERR_TIMEOUT)
		return r;
	if (rawfile_write(run_conf(w->run)->fleet.data_dir, raw, &path, &file_e) < 0)
		log_error("raw answer lost source=%s page=%d error=\"%s\" file_error=\"%s\"",
			  w->source->name, w->at.page, e->msg, file_e.msg);
	else
		log_warn("raw answer kept in a file source=%s page=%d path=%s error=\"%s\"",
			 w->source->name, w->at.page, path, e->msg);
	free(path);
	return r;
}

static int store_answer(struct walk *w, const struct source_request *req, const char *id,
			const struct http_response *r, struct err *e)
{
	cJSON *query = asked(w, req), *metadata = first_metadata(w, r);
	struct raw_taken raw = {
		.taken_us = clock_wall_us(), .provider = w->source->name, .run_id = w->run_id,
		.query = query, .metadata = metadata, .content_type = r->content_type,
		.http_status = r->status, .body = buf_text(&r->body), .body_len = r->body.len,
		.complete = r->complete,
	};
	int ret;

	snprintf(raw.id, sizeof raw.id, "%s", id);
	ret = store(w, &raw, e);
	cJSON_Delete(query);
	cJSON_Delete(metadata);
	return ret;
}

/* The answer was refused while it came, so there is nothing of it but that. */
static int store_refused(struct walk *w, const struct source_request *req, const char *id,
			 const struct err *why, struct err *e)
{
	struct http_response nothing = { 0 };
	cJSON *error = mem_check(cJSON_CreateObject());
	struct pg *pg;
	int r = store_answer(w, req, id, &nothing, e);

	json_set_str(error, "class", "too_big");
	json_set_str(error, "message", why->msg);
	if (r == 0)
		r = run_db_read(w->run, &pg, e);
	if (r == 0)
		r = raw_settle(pg, id, "failed", NULL, error, e);
	cJSON_Delete(error);
	return r;
}

static int call(struct walk *w, const struct source_request *req, const char *id,
		struct http_response *ret, struct err *e)
{
	struct err store_e = { 0 };
	bool called = false;
	int r = fetch_call(w->run, w->conf, req, ret, &called, e);

	w->page_calls += called;
	if (r == 0) {
		FAULT_POINT("collection.answered");
		r = store_answer(w, req, id, ret, e);
		if (r < 0)
			http_response_release(ret);
	} else if (r == -ERR_TOO_BIG && store_refused(w, req, id, e, &store_e) < 0) {
		log_warn("refused answer not noted error=\"%s\"", store_e.msg);
	}
	return r;
}

static int find_own(struct walk *w, char ids[ATTEMPTS][UUID_SIZE], size_t *ret_n,
		    struct raw_kept *ret, struct err *e)
{
	struct pg *pg;
	int r = run_db_read(w->run, &pg, e);

	if (r == 0)
		r = count_attempt(w, pg, e);
	if (r < 0)
		return r;
	*ret_n = raw_ids(w, ids);
	return raw_load(pg, (const char (*)[UUID_SIZE])ids, *ret_n,
			(size_t)w->conf->max_response_bytes, ret, e);
}

static int nap(struct run *run, struct err *e)
{
	const struct timespec t = { .tv_nsec = LOOK_MS * 1000000L };

	if (run_cancelled(run))
		return run_cancel_error(run, e);
	nanosleep(&t, NULL);
	return 0;
}

/* 1 = there is one; 0 = it is on us to ask: the lease is ours. */
static int find_fresh(struct walk *w, struct raw_kept *ret, struct err *e)
{
	int64_t end = clock_mono_ms() + TURN_MS, lease_ms = 2 * w->conf->timeout_ms +
		LEASE_MARGIN_MS;
	struct pg *pg;
	int r;

	for (;;) {
		if ((r = run_db_read(w->run, &pg, e)) < 0 ||
		    (r = fresh_find(pg, w->hash, w->fresh_ms, w->conf->max_response_bytes, ret,
				    e)) != 0)
			return r;
		if ((r = asking_lease(pg, w->hash, run_id(w->run), lease_ms, e)) < 0)
			return r;
		/* Whoever had it may have answered between the two looks. */
		if (r > 0)
			return fresh_find(pg, w->hash, w->fresh_ms, w->conf->max_response_bytes,
					  ret, e);
		if (clock_mono_ms() >= end)
			break;
		if ((r = nap(w->run, e)) < 0)
			return r;
	}
	r = err_set(e, ERR_LIMITED, "source %s: another task is asking the same",
		    w->conf->name);
	e->retry_after_ms = fetch_backoff_ms(0);
	return r;
}

static void end_lease(struct walk *w)
{
	struct pg *pg;

	/* One that stays ends by itself. */
	if (run_db_read(w->run, &pg, NULL) == 0)
		asking_release(pg, w->hash, run_id(w->run), NULL);
}

static int add_conditions(struct walk *w, struct source_request *req, struct err *e)
{
	char *etag, *modified, id[UUID_SIZE], *lines[2];
	struct pg *pg;
	int r = run_db_read(w->run, &pg, e);

	if (r == 0)
		r = fresh_validators(pg, w->hash, &etag, &modified, id, e);
	if (r <= 0)
		return r;
	lines[0] = etag;
	lines[1] = modified;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char *value = strstr(lines[i], ": ");

		if (value) {
			*value = '\0';
			source_add_header(req, lines[i], value + 2);
		}
		free(lines[i]);
	}
	return 0;
}

static bool has_header(const struct source_request *req, const char *name)
{
	for (char *const *h = req->headers; *h; h++)
		if (strncasecmp(*h, name, strlen(name)) == 0)
			return true;
	return false;
}

static int ask(struct walk *w, struct source_request *req, const char *id, bool conditional,
	       struct raw_kept *ret, struct err *e)
{
	struct http_response answer;
	int r = conditional ? add_conditions(w, req, e) : 0;

	if (req->body.len > 0 && !has_header(req, "Content-Type:"))
		source_add_header(req, "Content-Type", "application/json");
	if (r == 0)
		r = call(w, req, id, &answer, e);
	if (r < 0)
		return r;
	*ret = (struct raw_kept){ .answer = answer };
	snprintf(ret->id, sizeof ret->id, "%s", id);
	FAULT_POINT("collection.stored");
	return 0;
}

static int obtain(struct walk *w, struct source_request *req, struct raw_kept *ret,
		  enum answer_from *ret_from, struct err *e)
{
	bool may_be_fresh = w->fresh_ms > 0 && !w->stale;
	char ids[ATTEMPTS][UUID_SIZE];
	size_t n = 0;
	int r = find_own(w, ids, &n, ret, e);

	*ret_from = ANSWER_OWN;
	if (r != 0)
		return r < 0 ? r : 0;
	*ret_from = ANSWER_FRESH;
	if (may_be_fresh && (r = find_fresh(w, ret, e)) != 0) {
		end_lease(w);
		return r < 0 ? r : 0;
	}
	*ret_from = ANSWER_CALLED;
	r = ask(w, req, ids[n - 1], !w->order->refresh && !w->stale, ret, e);
	if (may_be_fresh)
		end_lease(w);
	return r;
}

int answer_obtain(struct walk *w, struct raw_kept *ret, enum answer_from *ret_from,
		  struct err *e)
{
	struct source_request req;
	cJSON *query;
	int r = w->source->build(w->conf, &w->ask, &w->at, &req, e);

	if (r < 0)
		return r;
	query = asked(w, &req);
	raw_query_hash(w->source->name, query, w->hash);
	cJSON_Delete(query);
	r = obtain(w, &req, ret, ret_from, e);
	source_request_release(&req);
	return r;
}
