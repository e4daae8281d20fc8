/* SPDX-License-Identifier: MIT */
/* What Celery's inspect asks (celery-wire 6.3). */
#include <math.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/worker/control_private.h"

enum {
	REVOKED_SHOWN = 20000,		/* the newest */
};

static cJSON *null(void)
{
	return mem_check(cJSON_CreateNull());
}

static cJSON *text(const char *s)
{
	return mem_check(cJSON_CreateString(s));
}

static cJSON *ping(struct control_job *job)
{
	(void)job;
	return control_ok("pong");
}

static cJSON *clock_value(struct control_job *job)
{
	cJSON *o = cJSON_CreateObject();

	json_set_num(o, "clock", (double)job->w->clock);
	return o;
}

/* ---- deliveries ---- */

static void add_handed(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	struct control_list *l = ctx;
	cJSON *o;

	if (!(started_us ? l->begun : l->unbegun))
		return;
	o = control_list_describe(l, d, pid, started_us);
	if (o)
		cJSON_AddItemToArray(l->out, o);
}

static void add_waiting(void *ctx, const struct delivery *d)
{
	struct control_list *l = ctx;
	cJSON *o = control_list_describe(l, d, 0, 0);

	if (o)
		cJSON_AddItemToArray(l->out, o);
}

static cJSON *active(struct control_job *job)
{
	struct control_list l = {
		.w = job->w, .out = cJSON_CreateArray(), .begun = true,
		.safe = control_flag(job, "safe"),
	};

	pool_each(job->w->pool, add_handed, &l);
	return control_list_end(&l);
}

static cJSON *reserved(struct control_job *job)
{
	struct control_list l = { .w = job->w, .out = cJSON_CreateArray(), .unbegun = true };

	pool_each(job->w->pool, add_handed, &l);
	worker_each_reserved(job->w, add_waiting, &l);
	return control_list_end(&l);
}

static bool is_wanted(const cJSON *ids, const char *id)
{
	const cJSON *item;

	if (cJSON_IsString(ids))
		return strcmp(ids->valuestring, id) == 0;
	cJSON_ArrayForEach(item, ids)
		if (cJSON_IsString(item) && strcmp(item->valuestring, id) == 0)
			return true;
	return false;
}

static void add_found(struct control_list *l, const struct delivery *d, pid_t pid,
		      int64_t started_us)
{
	cJSON *o, *pair;

	if (!is_wanted(l->ids, d->id))
		return;
	o = control_list_describe(l, d, pid, started_us);
	if (!o)
		return;
	pair = cJSON_CreateArray();
	cJSON_AddItemToArray(pair, text(started_us ? "active" : "reserved"));
	cJSON_AddItemToArray(pair, o);
	json_set(l->out, d->id, pair);
}

static void find_handed(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	add_found(ctx, d, pid, started_us);
}

static void find_waiting(void *ctx, const struct delivery *d)
{
	add_found(ctx, d, 0, 0);
}

static cJSON *query_task(struct control_job *job)
{
	struct control_list l = {
		.w = job->w,
		.out = cJSON_CreateObject(),
		.ids = json_get(job->call.arguments, "ids"),
	};

	pool_each(job->w->pool, find_handed, &l);
	worker_each_reserved(job->w, find_waiting, &l);
	return l.out;
}

/* ---- the program ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct catalog_task *const *)a)->task->name,
		      (*(const struct catalog_task *const *)b)->task->name);
}

static double rate_of(const struct worker *w, const struct catalog_task *t)
{
	const struct conf_task *c = conf_task(w->program.conf, t->task->name);

	if (t->control_rate_per_s >= 0)
		return t->control_rate_per_s;
	return c && c->rate_per_s > 0 ? c->rate_per_s : 0;
}

static void put_seconds(struct buf *b, int64_t ms)
{
	if (ms > 0)
		buf_printf(b, "%g", (double)ms / 1000);
}

/* As Celery writes rates: a whole number of the smallest unit that has one. */
static void put_rate(struct buf *b, double per_s)
{
	static const struct {
		int s;
		char unit;
	} units[] = { { 1, 's' }, { 60, 'm' }, { 3600, 'h' } };

	for (size_t i = 0; i < COUNT(units) && per_s > 0; i++) {
		double n = per_s * units[i].s;

		if (n - (double)(int64_t)(n + 0.5) < 1e-6 &&
		    (double)(int64_t)(n + 0.5) - n < 1e-6) {
			buf_printf(b, "%.0f/%c", n, units[i].unit);
			return;
		}
	}
	if (per_s > 0)
		buf_printf(b, "%g/s", per_s);
}

/* Nothing, as Python's None, for what a task of ours does not have. */
static void put_attribute(struct buf *b, const struct worker *w, const struct catalog_task *t,
			  const char *name)
{
	if (strcmp(name, "rate_limit") == 0)
		put_rate(b, rate_of(w, t));
	else if (strcmp(name, "time_limit") == 0)
		put_seconds(b, catalog_hard_ms(t));
	else if (strcmp(name, "soft_time_limit") == 0)
		put_seconds(b, catalog_soft_ms(t));
	else if (strcmp(name, "max_retries") == 0)
		buf_printf(b, "%d", t->max_retries);
	else if (strcmp(name, "default_retry_delay") == 0)
		put_seconds(b, t->backoff_ms);
	else if (strcmp(name, "serializer") == 0)
		buf_puts(b, "json");
	else if (strcmp(name, "acks_late") == 0)
		buf_puts(b, "True");
	else if (strcmp(name, "ignore_result") == 0)
		buf_puts(b, t->ignore_result ? "True" : "False");
	else if (strcmp(name, "track_started") == 0)
		buf_puts(b, t->track_started ? "True" : "False");
	else if (strcmp(name, "name") == 0)
		buf_puts(b, t->task->name);
	else if (strcmp(name, "queue") == 0)
		buf_puts(b, t->queue);
}

static void put_attributes(struct buf *b, const struct worker *w, const struct catalog_task *t,
			   const cJSON *names)
{
	const cJSON *item;
	struct buf value;
	bool any = false;

	buf_init(&value, 1024);
	cJSON_ArrayForEach(item, names) {
		if (!cJSON_IsString(item))
			continue;
		buf_clear(&value);
		put_attribute(&value, w, t, item->valuestring);
		if (value.len == 0)
			continue;
		buf_printf(b, "%s%s=%s", any ? " " : " [", item->valuestring, buf_text(&value));
		any = true;
	}
	if (any)
		buf_putc(b, ']');
	buf_release(&value);
}

static cJSON *registered(struct control_job *job)
{
	struct worker *w = job->w;
	const struct catalog_task **tasks = mem_alloc((w->catalog.n + 1) * sizeof *tasks);
	const cJSON *names = json_get(job->call.arguments, "taskinfoitems");
	cJSON *list = cJSON_CreateArray(), *usual = cJSON_Parse("[\"rate_limit\"]");
	bool builtins = control_flag(job, "builtins");
	struct buf b;

	if (!cJSON_IsArray(names) || !names->child)
		names = usual;
	buf_init(&b, 16384);
	for (size_t i = 0; i < w->catalog.n; i++)
		tasks[i] = &w->catalog.tasks[i];
	qsort(tasks, w->catalog.n, sizeof *tasks, by_name);
	for (size_t i = 0; i < w->catalog.n; i++) {
		if (!builtins && strncmp(tasks[i]->task->name, "celery.", 7) == 0)
			continue;
		buf_clear(&b);
		buf_puts(&b, tasks[i]->task->name);
		put_attributes(&b, w, tasks[i],
			       names);
		cJSON_AddItemToArray(list, text(buf_text(&b)));
	}
	buf_release(&b);
	cJSON_Delete(usual);
	free(tasks);
	return list;
}

static cJSON *exchange_of(const struct worker_queue *q)
{
	cJSON *o = cJSON_CreateObject();

	json_set_str(o, "name", q->exchange ? q->exchange : q->name);
	json_set_str(o, "type", q->exchange_type ? q->exchange_type : "direct");
	json_set(o, "arguments", null());
	json_set_bool(o, "durable", true);
	json_set_bool(o, "passive", false);
	json_set_bool(o, "auto_delete", false);
	json_set(o, "delivery_mode", null());
	json_set_bool(o, "no_declare", false);
	return o;
}

static cJSON *arguments_of(const struct consumer_queue_conf *conf)
{
	cJSON *o;

	if (!conf->quorum && conf->max_priority == 0)
		return null();
	o = cJSON_CreateObject();
	if (conf->quorum)
		json_set_str(o, "x-queue-type", "quorum");
	else
		json_set_num(o, "x-max-priority", conf->max_priority);
	return o;
}

static cJSON *describe_queue(const struct worker_queue *q, const struct consumer_queue_conf *conf)
{
	static const char *const unset[] = { "alias", "no_declare", "expires", "message_ttl",
					     "max_length", "max_length_bytes", "max_priority" };
	cJSON *o = cJSON_CreateObject();

	json_set_str(o, "name", q->name);
	json_set(o, "exchange", exchange_of(q));
	json_set_str(o, "routing_key", q->key ? q->key : q->name);
	json_set(o, "queue_arguments", arguments_of(conf));
	json_set(o, "binding_arguments", null());
	json_set(o, "consumer_arguments", null());
	json_set_bool(o, "durable", true);
	json_set_bool(o, "exclusive", false);
	json_set_bool(o, "auto_delete", false);
	json_set_bool(o, "no_ack", false);
	json_set(o, "bindings", cJSON_CreateArray());
	for (size_t i = 0; i < COUNT(unset); i++)
		json_set(o, unset[i], null());
	return o;
}

static cJSON *active_queues(struct control_job *job)
{
	struct worker *w = job->w;
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < w->nqueues; i++)
		if (!(consumer_off(w->consumer, (int)i) & CONSUMER_DROPPED))
			cJSON_AddItemToArray(list,
					     describe_queue(&w->queues[i], &w->queue_confs[i]));
	return list;
}

/* ---- revokes and peers ---- */

static cJSON *revoked(struct control_job *job)
{
	const struct orders *orders = job->w->orders;
	size_t n = orders_revoked(orders), first = n > REVOKED_SHOWN ? n - REVOKED_SHOWN : 0;
	cJSON *list = cJSON_CreateArray();
	double when;

	for (size_t i = first; i < n; i++) {
		const char *id = orders_revoked_id(orders, i, &when);

		if (id)
			cJSON_AddItemToArray(list, text(id));
	}
	return list;
}

/* Python peers raise on a time that is no float. */
static cJSON *revoked_when(const struct orders *orders)
{
	size_t n = orders_revoked(orders), first = n > REVOKED_SHOWN ? n - REVOKED_SHOWN : 0;
	cJSON *o = cJSON_CreateObject();
	char number[40];
	double when;

	for (size_t i = first; i < n; i++) {
		const char *id = orders_revoked_id(orders, i, &when);
		cJSON *pair;

		if (!id)
			continue;
		snprintf(number, sizeof number, "%.6f", when);
		pair = cJSON_CreateArray();
		cJSON_AddItemToArray(pair, mem_check(cJSON_CreateRaw(number)));
		cJSON_AddItemToArray(pair, text(id));
		cJSON_AddItemToObject(o, id, pair);
	}
	return o;
}

static cJSON *hello(struct control_job *job)
{
	struct worker *w = job->w;
	cJSON *o;

	if (strcmp(json_str(job->call.arguments, "from_node", ""), w->program.node) == 0)
		return null();
	control_adopt(w, json_get(job->call.arguments, "revoked"));
	o = cJSON_CreateObject();
	json_set(o, "revoked", revoked_when(w->orders));
	json_set_num(o, "clock", (double)++w->clock);
	return o;
}

const struct control_method CONTROL_INSPECT[] = {
	{ "active", "dump_active", "safe **", active },
	{ "active_queues", NULL, "", active_queues },
	{ "clock", NULL, "**", clock_value },
	{ "conf", "dump_conf", "with_defaults **", control_conf },
	{ "hello", NULL, "from_node! revoked **", hello },
	{ "memdump", NULL, "samples **", control_memdump },
	{ "memsample", NULL, "**", control_memsample },
	{ "objgraph", NULL, "num max_depth type", control_objgraph },
	{ "ping", NULL, "**", ping },
	{ "query_task", NULL, "ids! **", query_task },
	{ "registered", "dump_tasks", "taskinfoitems builtins **", registered },
	{ "report", NULL, "**", control_report },
	{ "reserved", "dump_reserved", "**", reserved },
	{ "revoked", "dump_revoked", "**", revoked },
	{ "scheduled", "dump_schedule", "**", control_scheduled },
	{ "stats", NULL, "**", control_stats },
	{ 0 },
};
