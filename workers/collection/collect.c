/* SPDX-License-Identifier: MIT */
#include "workers/collection/collect.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/quota.h"
#include "common/worker/run.h"
#include "workers/collection/order.h"
#include "workers/collection/pickup.h"
#include "workers/collection/sample.h"
#include "workers/collection/walk.h"

#define KEY_MISSING "provider_key_missing"

/* One call of collect_jobs on its way. */
struct collect {
	struct run *run;
	struct order order;
	const struct conf_source *conf;
	const struct source *source;
	const char *run_id;
	cJSON *ids, *errors;
	int pages, jobs, new_jobs, calls;
	const char *stopped;
	bool parked, demo;
	struct err why;			/* of the parking */
};

/* The source asked for, or the weightiest one that is enabled and that a file serves. */
static int choose_source(struct collect *c, struct err *e)
{
	const struct conf *conf = run_conf(c->run);
	const char *name = c->order.source;

	for (size_t i = 0; !*name && i < conf->nsources; i++) {
		const struct conf_source *s = &conf->sources[i];

		if (s->enabled && source_find(s->name) && (!c->conf || s->weight > c->conf->weight))
			c->conf = s;
	}
	if (*name)
		c->conf = conf_source(conf, name);
	if (!c->conf && *name)
		return err_set(e, ERR_INVALID, "there is no source \"%.50s\" in queues.conf", name);
	if (!c->conf)
		return err_set(e, ERR_CONFIG, "queues.conf enables no source of postings");
	c->source = source_find(c->conf->name);
	if (!c->source)
		return err_set(e, ERR_INVALID, "source %s has no postings to collect",
			       c->conf->name);
	if (!c->conf->enabled)
		return err_set(e, ERR_REFUSED, "source %s is disabled in queues.conf",
			       c->conf->name);
	return 0;
}

static void take_in(struct collect *c, struct walk *w)
{
	cJSON *id;

	while ((id = cJSON_DetachItemFromArray(w->collection_ids, 0)))
		cJSON_AddItemToArray(c->ids, id);
	c->pages += w->pages;
	c->jobs += w->jobs;
	c->new_jobs += w->new_jobs;
	c->calls += w->calls;
	if (w->stopped)
		c->stopped = w->stopped;
}

static void note_refusal(struct collect *c, const struct walk *w, const struct err *e)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "query", w->ask.query);
	json_set_str(o, "location", w->ask.location);
	json_set_str(o, "error", e->msg);
	cJSON_AddItemToArray(c->errors, o);
}

/* Fewer tries than the configuration gives, because the caller said so. */
static int limit_retries(const struct collect *c, int r, struct err *e)
{
	int done = run_retries(c->run) + c->order.retry_count;

	if (c->order.max_retries < 0 || done < c->order.max_retries || r == -ERR_LIMITED ||
	    !err_is_transient(e->code))
		return r;
	err_prefix(e, "gave up after %d retries", done);
	snprintf(e->exc_type, sizeof e->exc_type, "RetriesExhausted");
	e->code = ERR_REFUSED;
	return -ERR_REFUSED;
}

static int walk_one(struct collect *c, int number, const char *key, struct err *e)
{
	const struct order *o = &c->order;
	const char *location = o->locations[number % o->nlocations];
	struct walk w = {
		.run = c->run, .order = o, .conf = c->conf, .source = c->source,
		.run_id = c->run_id,
		.number = number, .budget = o->pages ? o->pages : c->conf->page_budget,
		.ask = {
			.query = o->queries[number / o->nlocations], .location = location,
			.country = *o->country ? o->country : order_country(location),
			.language = o->language, .date_posted = o->date_posted,
			.employment_types = o->employment_types, .remote_only = o->remote_only,
			.key = key,
		},
	};
	int r;

	walk_init(&w);
	r = walk_run(&w, e);
	take_in(c, &w);
	if ((r == -ERR_INVALID || r == -ERR_TOO_BIG) && o->nqueries * o->nlocations > 1) {
		note_refusal(c, &w, e);
		r = 0;
	}
	walk_release(&w);
	if (r != -ERR_QUOTA && r != -ERR_PARKED)
		return r < 0 ? limit_retries(c, r, e) : 0;
	c->parked = true;
	c->why = *e;
	return 0;
}

static int walk_all(struct collect *c, const char *key, struct err *e)
{
	int n = c->order.nqueries * c->order.nlocations, r = 0;
	struct pg *pg;

	if (key && (r = run_db_read(c->run, &pg, e)) == 0)
		r = quota_unpark(pg, c->conf->name, KEY_MISSING, e);
	for (int i = 0; i < n && r == 0 && !c->parked; i++)
		r = walk_one(c, i, key, e);
	return r;
}

static int without_key(struct collect *c, struct err *e)
{
	const struct conf_fleet *fleet = &run_conf(c->run)->fleet;
	char id[37], text[128];
	struct pg *pg;
	int r;

	if (fleet->development || fleet->demo_fallback) {
		r = sample_collect(c->run, &c->order, c->conf->name, c->run_id, id, &c->jobs, e);
		if (r < 0)
			return r;
		cJSON_AddItemToArray(c->ids, cJSON_CreateString(id));
		c->new_jobs = c->jobs;
		c->pages = 1;
		c->stopped = "no_more";
		c->demo = true;
		return 0;
	}
	snprintf(text, sizeof text, "no key in %s", c->conf->key_variable);
	r = run_db_read(c->run, &pg, e);
	if (r == 0)
		r = quota_park(pg, c->conf->name, QUOTA_FOR_EVER, KEY_MISSING, text, e);
	if (r < 0)
		return r;
	c->parked = true;
	err_set(&c->why, ERR_PARKED, "source %s: %s", c->conf->name, text);
	return 0;
}

static const char *status_of(const struct collect *c)
{
	bool some = cJSON_GetArraySize(c->ids) > 0;

	if (c->parked)
		return some ? "partial" : "parked";
	return cJSON_GetArraySize(c->errors) > 0 ? "partial" : "success";
}

static cJSON *result_of(struct collect *c)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "status", status_of(c));
	json_set_str(o, "run_id", c->run_id);
	json_set_str(o, "source", c->conf->name);
	json_set_str(o, "strategy", c->order.strategy);
	json_set(o, "collection_ids", cJSON_Duplicate(c->ids, true));
	json_set_num(o, "job_count", c->jobs);
	json_set_num(o, "new_jobs", c->new_jobs);
	json_set_num(o, "pages", c->pages);
	json_set_num(o, "api_calls_used", c->calls);
	json_set_str(o, "stopped", c->parked ? "parked" : c->stopped);
	if (c->demo)
		json_set_bool(o, "demo", true);
	if (cJSON_GetArraySize(c->errors) > 0)
		json_set(o, "errors", cJSON_Duplicate(c->errors, true));
	if (c->parked) {
		json_set_str(o, "reason", c->why.msg);
		if (c->why.retry_after_ms > 0)
			json_set_num(o, "retry_after_s", (double)(c->why.retry_after_ms / 1000));
	}
	return o;
}

static int collect(struct collect *c, struct err *e)
{
	int r = choose_source(c, e);
	const char *key;

	if (r < 0)
		return r;
	c->run_id = *c->order.run_id ? c->order.run_id : run_id(c->run);
	if ((r = pickup_files(c->run, e)) < 0)
		return r;
	key = *c->conf->key_variable ? conf_secret(c->conf->key_variable) : NULL;
	log_info("collection started run_id=%s source=%s query=\"%s\" location=\"%s\" pairs=%d",
		 c->run_id, c->conf->name, c->order.queries[0], c->order.locations[0],
		 c->order.nqueries * c->order.nlocations);
	if (!key && c->conf->key_required)
		return without_key(c, e);
	return walk_all(c, key, e);
}

int collect_jobs(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct collect c = { .run = run, .ids = mem_check(cJSON_CreateArray()),
			     .errors = mem_check(cJSON_CreateArray()) };
	int64_t start = clock_mono_ms();
	int r = order_read(&c.order, args, e);

	if (r == 0)
		r = collect(&c, e);
	if (r == 0)
		*ret_result = result_of(&c);
	if (c.run_id)
		log_info("collection ended run_id=%s outcome=%s jobs=%d calls=%d ms=%lld", c.run_id,
			 r == 0 ? status_of(&c) : err_name(e->code), c.jobs, c.calls,
			 (long long)(clock_mono_ms() - start));
	cJSON_Delete(c.ids);
	cJSON_Delete(c.errors);
	return r;
}

int collect_pipeline(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct run_enqueue what = { .task = "jobfleet.collect_jobs", .priority = -1 };
	struct order order;
	cJSON *kwargs, *result;
	char id[37], *text;
	int r = order_read(&order, args, e);

	if (r < 0)
		return r;
	kwargs = cJSON_Duplicate(args, true);
	json_set_str(kwargs, "run_id", run_id(run));
	text = json_print(kwargs);
	what.kwargs = text;
	what.priority = order.priority;
	r = run_enqueue(run, &what, id, e);
	free(text);
	cJSON_Delete(kwargs);
	if (r < 0)
		return r;
	log_info("pipeline started run_id=%s query=\"%s\" location=\"%s\"", run_id(run),
		 order.queries[0], order.locations[0]);
	result = mem_check(cJSON_CreateObject());
	json_set_str(result, "status", "started");
	json_set_str(result, "run_id", run_id(run));
	json_set_str(result, "collect_task_id", id);
	*ret_result = result;
	return 0;
}

int collect_pick_up(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	int n = pickup_files(run, e);

	(void)args;
	if (n < 0)
		return n;
	*ret_result = mem_check(cJSON_CreateObject());
	json_set_str(*ret_result, "status", "success");
	json_set_num(*ret_result, "picked_up", n);
	return 0;
}
