/* SPDX-License-Identifier: MIT */
/* Remote control: Celery's pidbox (celery-wire section 6). Requests come over the consuming
 * connection, replies go out by the outlet, so that they flow while every child is busy. */
#include <fnmatch.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/link.h"
#include "common/broker/props.h"
#include "common/net/url.h"
#include "common/worker/worker_private.h"

enum { REQUEST_MAX = 1 << 20, REPLY_PROPS_MAX = 1 << 17 };

static cJSON *ping(struct worker *w, const cJSON *args)
{
	cJSON *reply = cJSON_CreateObject();

	(void)w;
	(void)args;
	json_set_str(reply, "ok", "pong");
	return reply;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static cJSON *registered(struct worker *w, const cJSON *args)
{
	const char **names = mem_alloc((w->catalog.n + 1) * sizeof *names);
	cJSON *list = cJSON_CreateArray();

	(void)args;
	for (size_t i = 0; i < w->catalog.n; i++)
		names[i] = w->catalog.tasks[i].task->name;
	qsort(names, w->catalog.n, sizeof *names, by_name);
	for (size_t i = 0; i < w->catalog.n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(names[i]));
	free(names);
	return list;
}

static cJSON *stats_pool(struct worker *w)
{
	cJSON *pool = cJSON_CreateObject(), *pids = cJSON_CreateArray(), *limits;

	for (int i = 0; i < w->children; i++)
		if (pool_pid(w->pool, i))
			cJSON_AddItemToArray(pids, cJSON_CreateNumber(pool_pid(w->pool, i)));
	limits = cJSON_CreateArray();
	cJSON_AddItemToArray(limits, cJSON_CreateNumber(0));
	cJSON_AddItemToArray(limits, cJSON_CreateNumber(0));
	json_set_str(pool, "implementation", "jobfleet");
	json_set_num(pool, "max-concurrency", w->children);
	json_set(pool, "processes", pids);
	json_set_str(pool, "max-tasks-per-child", "N/A");
	json_set_bool(pool, "put-guarded-by-semaphore", false);
	json_set(pool, "timeouts", limits);
	json_set(pool, "writes", cJSON_CreateObject());
	return pool;
}

/* Never the password. */
static cJSON *stats_broker(struct worker *w)
{
	cJSON *b = cJSON_CreateObject();
	struct url u;

	json_set_str(b, "transport", "amqp");
	if (url_parse(&u, w->program.conf->fleet.broker_url, NULL) < 0)
		return b;
	json_set_str(b, "hostname", u.nhosts ? u.hosts[0].host : "");
	json_set_num(b, "port", u.nhosts ? u.hosts[0].port : 0);
	json_set_str(b, "userid", u.user);
	json_set_str(b, "virtual_host", u.path && *u.path ? u.path : "/");
	json_set_bool(b, "ssl", strcmp(u.scheme, "amqps") == 0);
	json_set_num(b, "heartbeat", w->program.conf->fleet.heartbeat_s);
	url_release(&u);
	return b;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static cJSON *stats_rusage(void)
{
	struct rusage u;
	cJSON *o = cJSON_CreateObject();

	getrusage(RUSAGE_SELF, &u);
	json_set_num(o, "utime", seconds(u.ru_utime));
	json_set_num(o, "stime", seconds(u.ru_stime));
	json_set_num(o, "maxrss", (double)u.ru_maxrss);
	json_set_num(o, "minflt", (double)u.ru_minflt);
	json_set_num(o, "majflt", (double)u.ru_majflt);
	json_set_num(o, "nvcsw", (double)u.ru_nvcsw);
	json_set_num(o, "nivcsw", (double)u.ru_nivcsw);
	return o;
}

static cJSON *stats(struct worker *w, const cJSON *args)
{
	cJSON *o = cJSON_CreateObject(), *total = cJSON_CreateObject();
	char clock[24];
	int prefetch = 0;

	(void)args;
	for (size_t i = 0; i < w->nqueues; i++)
		prefetch += consumer_prefetch(w->consumer, (int)i);
	for (size_t i = 0; i < w->catalog.n; i++)
		if (w->catalog.tasks[i].done > 0)
			json_set_num(total, w->catalog.tasks[i].task->name,
				     (double)w->catalog.tasks[i].done);
	snprintf(clock, sizeof clock, "%llu", (unsigned long long)w->clock);
	json_set(o, "total", total);
	json_set_num(o, "pid", getpid());
	json_set_str(o, "clock", clock);
	json_set_num(o, "uptime", (double)((clock_mono_ms() - w->started_ms) / 1000));
	json_set(o, "pool", stats_pool(w));
	json_set(o, "broker", stats_broker(w));
	json_set_num(o, "prefetch_count", prefetch);
	json_set(o, "rusage", stats_rusage());
	return o;
}

static const struct {
	const char *method, *alias;
	cJSON *(*answer)(struct worker *w, const cJSON *args);
} METHODS[] = {
	{ "ping", "ping", ping },
	{ "registered", "dump_tasks", registered },
	{ "stats", "stats", stats },
};

static cJSON *unknown(const char *method)
{
	cJSON *o = cJSON_CreateObject();
	char *text = mem_printf("KeyError('%.100s')", method);

	json_set_str(o, "error", text);
	free(text);
	return o;
}

static bool is_for_us(const struct worker *w, const cJSON *request)
{
	const cJSON *to = json_get(request, "destination"), *item;
	const char *pattern = json_str(request, "pattern", NULL);
	const char *matcher = json_str(request, "matcher", NULL);

	if (cJSON_IsArray(to) && cJSON_GetArraySize(to) > 0) {
		cJSON_ArrayForEach(item, to)
			if (cJSON_IsString(item) &&
			    strcmp(item->valuestring, w->program.node) == 0)
				return true;
		return false;
	}
	if (pattern && matcher && strcmp(matcher, "glob") == 0)
		return fnmatch(pattern, w->program.node, 0) == 0;
	return true;
}

static void reply(struct worker *w, const cJSON *request, cJSON *answer)
{
	const cJSON *to = json_get(request, "reply_to");
	const char *exchange = json_str(to, "exchange", NULL),
		   *key = json_str(to, "routing_key", "");
	cJSON *headers = cJSON_CreateObject(), *body = cJSON_CreateObject();
	struct buf props;
	char *text;

	json_set_str(headers, "ticket", json_str(request, "ticket", ""));
	json_set_num(headers, "clock", (double)++w->clock);
	json_set(body, w->program.node, answer);
	text = json_print(body);
	buf_init(&props, REPLY_PROPS_MAX);
	if (exchange && strlen(exchange) < 256 && strlen(key) < 256 &&
	    props_encode(&props, headers, NULL) == 0)
		outlet_reply(w->outlet, exchange, key, props.data, props.len, text, strlen(text));
	buf_release(&props);
	cJSON_Delete(headers);
	cJSON_Delete(body);
	free(text);
}

static void serve(struct worker *w, const cJSON *request)
{
	const char *method = json_str(request, "method", "");
	const cJSON *args = json_get(request, "arguments");
	cJSON *answer = NULL;

	for (size_t i = 0; i < COUNT(METHODS) && !answer; i++)
		if (strcmp(method, METHODS[i].method) == 0 || strcmp(method, METHODS[i].alias) == 0)
			answer = METHODS[i].answer(w, args);
	if (!answer)
		answer = unknown(method);
	if (json_get(request, "reply_to"))
		reply(w, request, answer);
	else
		cJSON_Delete(answer);
}

void control_request(void *ctx, const struct link_event *ev)
{
	struct worker *w = ctx;
	cJSON *request = NULL;

	w->clock++;
	if (!ev->body || ev->body_len > REQUEST_MAX)
		return;
	if (json_parse(ev->body, ev->body_len, &request, NULL) < 0 || !cJSON_IsObject(request))
		log_warn("control message is no JSON object and is ignored");
	else if (is_for_us(w, request))
		serve(w, request);
	cJSON_Delete(request);
}
