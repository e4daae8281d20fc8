/* SPDX-License-Identifier: MIT */
/* Remote control: Celery's pidbox (celery-wire section 6). Requests come over the consuming
 * connection, answers go out by the outlet, so that they flow while every child is busy. */
#include <stdarg.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/broker/link.h"
#include "common/broker/props.h"
#include "common/worker/control_private.h"

enum {
	PROPS_MAX = 1 << 17, PARAM_NAME = 64, MISSING_MAX = 8,
	LATE_S = 2,			/* hosts' clocks differ */
};

static const struct control_method *find(const char *name)
{
	const struct control_method *const tables[] = { CONTROL_INSPECT, CONTROL_COMMANDS };

	for (size_t t = 0; t < COUNT(tables); t++)
		for (const struct control_method *m = tables[t]; m->name; m++)
			if (strcmp(name, m->name) == 0 ||
			    (m->alias && strcmp(name, m->alias) == 0))
				return m;
	return NULL;
}

static char *vtext(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	return mem_check(text);
}

static cJSON *object_of(const char *key, const char *text)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, key, text);
	return o;
}

cJSON *control_ok(const char *fmt, ...)
{
	va_list ap;
	char *text;
	cJSON *o;

	va_start(ap, fmt);
	text = vtext(fmt, ap);
	va_end(ap);
	o = object_of("ok", text);
	free(text);
	return o;
}

cJSON *control_error(const char *fmt, ...)
{
	va_list ap;
	char *text;
	cJSON *o;

	va_start(ap, fmt);
	text = vtext(fmt, ap);
	va_end(ap);
	o = object_of("error", text);
	free(text);
	return o;
}

cJSON *control_raise(const char *type, const char *fmt, ...)
{
	va_list ap;
	char *text, quote;
	cJSON *o;

	va_start(ap, fmt);
	text = vtext(fmt, ap);
	va_end(ap);
	quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
	o = control_error("%s(%c%s%c)", type, quote, text, quote);
	free(text);
	return o;
}

int control_number(const struct control_job *job, const char *name, double min, double max,
		   double *ret)
{
	const cJSON *v = json_get(job->call.arguments, name);
	double got;

	if (!v)
		return 0;
	if (cJSON_IsNumber(v))
		got = v->valuedouble;
	else if (!cJSON_IsString(v) || scan_double(v->valuestring, min, max, &got, NULL) < 0)
		return -1;
	if (!(got >= min && got <= max))
		return -1;
	*ret = got;
	return 0;
}

int control_whole(const struct control_job *job, const char *name, int min, int max, int *ret)
{
	double got = *ret;

	if (control_number(job, name, min, max, &got) < 0 || got != (int)got)
		return -1;
	*ret = (int)got;
	return 0;
}

bool control_flag(const struct control_job *job, const char *name)
{
	const cJSON *v = json_get(job->call.arguments, name);
	bool is = false;

	if (cJSON_IsString(v) && scan_bool(v->valuestring, &is, NULL) >= 0)
		return is;
	return cJSON_IsTrue(v) || (cJSON_IsNumber(v) && v->valuedouble != 0);
}

void control_job_free(struct control_job *job)
{
	control_call_release(&job->call);
	free(job);
}

static void reply(struct control_job *job, cJSON *answer)
{
	struct worker *w = job->w;
	cJSON *headers = cJSON_CreateObject(), *body = cJSON_CreateObject();
	struct buf props;
	char *text;

	json_set_str(headers, "ticket", job->call.ticket);
	json_set_num(headers, "clock", (double)++w->clock);
	json_set(body, w->program.node, answer);
	text = json_print(body);
	buf_init(&props, PROPS_MAX);
	/* While it leaves, what was kept is ended, and the outlet may be gone. */
	if (w->state < WORKER_LEAVING && props_encode(&props, headers, NULL) == 0)
		outlet_reply(w->outlet, job->call.exchange, job->call.key, props.data, props.len,
			     text, strlen(text));
	buf_release(&props);
	cJSON_Delete(headers);
	cJSON_Delete(body);
	free(text);
}

void control_answer(struct control_job *job, cJSON *answer)
{
	const char *error = json_str(answer, "error", NULL);

	if (error)
		log_warn("control %s: %s", job->call.method, error);
	if (job->call.exchange)
		reply(job, answer);
	else
		cJSON_Delete(answer);
	control_job_free(job);
}

/* The next word of a method's params; false at the end. */
static bool next_param(const char **at, char name[PARAM_NAME], bool *required)
{
	size_t n = strcspn(*at, " ");

	if (n == 0)
		return false;
	*required = (*at)[n - 1] == '!';
	snprintf(name, PARAM_NAME, "%.*s", (int)(n - *required), *at);
	*at += n + strspn(*at + n, " ");
	return true;
}

static bool knows(const char *params, const char *wanted)
{
	char name[PARAM_NAME];
	bool required;

	while (next_param(&params, name, &required))
		if (strcmp(name, wanted) == 0 || strcmp(name, "**") == 0)
			return true;
	return false;
}

static cJSON *missing(const struct control_method *m, const char *const *names, size_t n)
{
	struct buf text;
	cJSON *o;

	buf_init(&text, MISSING_MAX * PARAM_NAME * 2);
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s'%s'", i == 0 ? "" : i + 1 < n ? ", " : n == 2 ? " and " :
			   ", and ", names[i]);
	o = control_raise("TypeError", "%s() missing %zu required positional argument%s: %s",
			  m->name, n, n == 1 ? "" : "s", buf_text(&text));
	buf_release(&text);
	return o;
}

/* NULL: the call fits the method; else the TypeError that Python would raise. */
static cJSON *check_arguments(const struct control_method *m, const cJSON *arguments)
{
	char names[MISSING_MAX][PARAM_NAME];
	const char *absent[MISSING_MAX], *at = m->params;
	const cJSON *item;
	size_t n = 0;
	bool required;

	cJSON_ArrayForEach(item, arguments)
		if (!knows(m->params, item->string))
			return control_raise("TypeError", "%s() got an unexpected keyword argument "
					     "'%.60s'", m->name, item->string);
	while (n < MISSING_MAX && next_param(&at, names[n], &required))
		if (required && !cJSON_GetObjectItemCaseSensitive(arguments, names[n])) {
			absent[n] = names[n];
			n++;
		}
	return n ? missing(m, absent, n) : NULL;
}

static void serve(struct control_job *job)
{
	const struct control_method *m = find(job->call.method);
	cJSON *answer;

	log_debug("control %s", job->call.method);
	answer = m ? check_arguments(m, job->call.arguments) :
		 control_raise("KeyError", "%.100s", job->call.method);
	if (!answer)
		answer = m->answer(job);
	if (answer)
		control_answer(job, answer);
}

/* One for the message, and one behind the later of both clocks (celery-wire section 7). */
static void adjust_clock(struct worker *w, uint64_t theirs)
{
	w->clock++;
	w->clock = (theirs > w->clock ? theirs : w->clock) + 1;
}

static bool is_late(const struct control_call *call)
{
	return call->expires > 0 && (double)clock_wall_us() / 1e6 > call->expires + LATE_S;
}

void control_request(void *ctx, const struct link_event *ev)
{
	struct worker *w = ctx;
	struct control_job *job;
	struct control_call call;
	struct err e = { 0 };
	int r;

	if (!ev->body)
		return;
	r = control_decode(&call, ev->body, ev->body_len, ev->props, ev->props_len, &e);
	if (r < 0) {
		adjust_clock(w, 0);
		log_warn("control message ignored: %s", e.msg);
		return;
	}
	adjust_clock(w, call.clock);
	r = control_is_for(&call, w->program.node, &e);
	if (r < 0)
		log_warn("control message ignored: %s", e.msg);
	if (r > 0 && is_late(&call))
		log_warn("control %s came too late and is ignored", call.method);
	if (r <= 0 || is_late(&call)) {
		control_call_release(&call);
		return;
	}
	job = mem_zalloc(sizeof *job);
	*job = (struct control_job){ .w = w, .call = call };
	serve(job);
}
