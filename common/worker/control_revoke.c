/* SPDX-License-Identifier: MIT */
/* Revokes by id and by stamp. They hold here at once; the answer goes out when they are persisted,
 * so that an answered revoke survives every restart. */
#include <signal.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/pyrepr.h"
#include "common/worker/control_private.h"

enum { REVOKE_MAX = 10000, ID_MAX = 255, ADOPT_MAX = 1000, SHOWN_MAX = 65536 };

/* One answer for all orders of a call. */
struct revoke {
	struct control_job *job;
	cJSON *answer;
	size_t waiting;
	char *problem;
};

static void end_if_done(struct revoke *r)
{
	if (r->waiting > 0)
		return;
	if (r->problem) {
		cJSON_Delete(r->answer);
		r->answer = control_error("flagged as revoked until this worker ends only: %s",
					  r->problem);
	}
	control_answer(r->job, r->answer);
	free(r->problem);
	free(r);
}

static void persisted(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct revoke *r = ctx;

	(void)d;
	if (a->code < 0 && !r->problem)
		r->problem = mem_strdup(a->text && *a->text ? a->text : "it was not persisted");
	r->waiting--;
	end_if_done(r);
}

/* waiting starts at 1: an order may be answered before the next is given. */
static struct revoke *revoke_new(struct control_job *job)
{
	struct revoke *r = mem_zalloc(sizeof *r);

	r->job = job;
	r->waiting = 1;
	return r;
}

static void revoke_add(struct revoke *r, enum order_kind kind, const char *name, const char *value)
{
	struct worker *w = r->job->w;
	struct order o = {
		.kind = kind, .name = name, .value = value, .reason = "", .by = "remote control",
		.on = true,
	};

	orders_apply(w->orders, &o);
	r->waiting++;
	desk_order(w->desk, &o, persisted, r);
}

static cJSON *revoke_end(struct revoke *r, cJSON *answer)
{
	r->answer = answer;
	r->waiting--;
	end_if_done(r);
	return NULL;
}

/* ---- signals ---- */

/* A name as Python's signal module has it, with or without SIG, or a number. */
static cJSON *read_signal(const struct control_job *job, int *ret)
{
	const cJSON *v = json_get(job->call.arguments, "signal");
	const char *name;

	*ret = SIGTERM;
	if (!v || (cJSON_IsString(v) && !*v->valuestring))
		return NULL;
	if (cJSON_IsNumber(v) && v->valuedouble >= 1 && v->valuedouble < NSIG) {
		*ret = (int)v->valuedouble;
		return NULL;
	}
	if (!cJSON_IsString(v))
		return control_raise("TypeError", "signal name must be uppercase string.");
	name = strncmp(v->valuestring, "SIG", 3) == 0 ? v->valuestring + 3 : v->valuestring;
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) && strcmp(sigabbrev_np(i), name) == 0) {
			*ret = i;
			return NULL;
		}
	return control_raise("AttributeError", "module 'signal' has no attribute 'SIG%.20s'", name);
}

/* ---- by id ---- */

static bool is_id(const cJSON *v)
{
	return cJSON_IsString(v) && *v->valuestring && strlen(v->valuestring) <= ID_MAX;
}

/* NULL: task_id is one id or a list of them; else the error. */
static cJSON *check_ids(const cJSON *ids)
{
	const cJSON *item;
	int n = 0;

	if (!ids || is_id(ids))
		return NULL;
	if (!cJSON_IsArray(ids))
		return control_raise("TypeError", "task_id must be an id or a list of ids");
	cJSON_ArrayForEach(item, ids) {
		if (!is_id(item))
			return control_raise("TypeError", "a task id is a text of 1 to %d bytes",
					     ID_MAX);
		if (++n > REVOKE_MAX)
			return control_raise("ValueError", "more than %d ids in one call",
					     REVOKE_MAX);
	}
	return NULL;
}

static const cJSON *first_id(const cJSON *ids)
{
	return cJSON_IsArray(ids) ? ids->child : ids;
}

static const cJSON *next_id(const cJSON *ids, const cJSON *id)
{
	return cJSON_IsArray(ids) ? id->next : NULL;
}

struct search {
	const char *id;
	bool found;
};

static void compare(void *ctx, const struct delivery *d)
{
	struct search *s = ctx;

	s->found = s->found || strcmp(d->id, s->id) == 0;
}

/* One that waits here is discarded when its turn comes: it is revoked. */
static bool terminate_here(struct worker *w, const char *id, int number)
{
	struct search s = { .id = id };

	if (pool_terminate(w->pool, id, number)) {
		log_info("terminating id=%s signal=%d", id, number);
		return true;
	}
	s.found = pool_runs(w->pool, id);
	if (!s.found)
		worker_each_reserved(w, compare, &s);
	if (!s.found)
		worker_each_scheduled(w, compare, &s);
	return s.found;
}

static void put_id(struct buf *b, const char *id)
{
	buf_printf(b, "%s%s", b->len ? ", " : "", id);
}

static cJSON *revoke_ids(struct control_job *job, bool terminate)
{
	const cJSON *ids = json_get(job->call.arguments, "task_id"), *id;
	cJSON *problem = check_ids(ids), *answer;
	struct buf named;
	struct revoke *r;
	int number;

	if (!problem)
		problem = read_signal(job, &number);
	if (problem)
		return problem;
	buf_init(&named, SHOWN_MAX);
	r = revoke_new(job);
	for (id = first_id(ids); id; id = next_id(ids, id)) {
		revoke_add(r, ORDER_REVOKE_ID, "", id->valuestring);
		if (!terminate || terminate_here(job->w, id->valuestring, number))
			put_id(&named, id->valuestring);
	}
	if (!terminate)
		answer = control_ok("tasks %s flagged as revoked", buf_text(&named));
	else if (named.len > 0)
		answer = control_ok("terminate: %s", buf_text(&named));
	else
		answer = control_ok("terminate: tasks unknown");
	buf_release(&named);
	return revoke_end(r, answer);
}

cJSON *control_revoke(struct control_job *job)
{
	return revoke_ids(job, control_flag(job, "terminate"));
}

cJSON *control_terminate(struct control_job *job)
{
	return revoke_ids(job, true);
}

void control_adopt(struct worker *w, const cJSON *revoked)
{
	struct revoke *r;
	const cJSON *item;
	int n = 0;

	if (!cJSON_IsObject(revoked))
		return;
	r = revoke_new(mem_zalloc(sizeof *r->job));
	r->job->w = w;
	r->job->call.method = "hello";
	cJSON_ArrayForEach(item, revoked)
		if (*item->string && strlen(item->string) <= ID_MAX && n < ADOPT_MAX &&
		    !orders_revokes_id(w->orders, item->string)) {
			n++;
			revoke_add(r, ORDER_REVOKE_ID, "", item->string);
		}
	if (n > 0)
		log_info("adopted revokes of a peer n=%d", n);
	revoke_end(r, control_ok("adopted"));
}

/* ---- by stamp ---- */

/* {"stamp": "value" or [values]} of that or of ["stamp=value", …], as `celery control` sends it;
 * NULL if it is neither. */
static cJSON *read_stamps(const cJSON *headers)
{
	cJSON *o = cJSON_CreateObject();
	const cJSON *item;

	cJSON_ArrayForEach(item, headers) {
		const char *equals = cJSON_IsString(item) ? strchr(item->valuestring, '=') : NULL;
		char *name;

		if (cJSON_IsObject(headers)) {
			cJSON_AddItemToObject(o, item->string, cJSON_Duplicate(item, true));
			continue;
		}
		if (!equals)
			continue;
		name = mem_strndup(item->valuestring, (size_t)(equals - item->valuestring));
		json_set_str(o, name, equals + 1);
		free(name);
	}
	if (o->child && (cJSON_IsObject(headers) || cJSON_IsArray(headers)))
		return o;
	cJSON_Delete(o);
	return NULL;
}

static bool has_value(const cJSON *values, const char *wanted)
{
	const cJSON *item;

	if (cJSON_IsString(values))
		return strcmp(values->valuestring, wanted) == 0;
	cJSON_ArrayForEach(item, values)
		if (cJSON_IsString(item) && strcmp(item->valuestring, wanted) == 0)
			return true;
	return false;
}

/* A value or each of a list of values; others mean nothing. */
static void each_stamp(const cJSON *stamps, void (*fn)(void *, const char *, const char *),
		       void *ctx)
{
	const cJSON *stamp, *item;

	cJSON_ArrayForEach(stamp, stamps) {
		if (cJSON_IsString(stamp))
			fn(ctx, stamp->string, stamp->valuestring);
		else if (cJSON_IsArray(stamp))
			cJSON_ArrayForEach(item, stamp)
				if (cJSON_IsString(item))
					fn(ctx, stamp->string, item->valuestring);
	}
}

struct stamp_search {
	struct worker *w;
	const cJSON *stamps, *own;	/* wanted; of the delivery looked at */
	cJSON *hit;			/* the same form, of all found */
	int number;
	bool matched;
};

static void match_stamp(void *ctx, const char *name, const char *value)
{
	struct stamp_search *s = ctx;
	cJSON *list;

	if (!has_value(cJSON_GetObjectItemCaseSensitive(s->own, name), value))
		return;
	s->matched = true;
	list = cJSON_GetObjectItemCaseSensitive(s->hit, name);
	if (!list) {
		list = cJSON_CreateArray();
		cJSON_AddItemToObject(s->hit, name, list);
	}
	if (!has_value(list, value))
		cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(value)));
}

static void terminate_stamped(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	struct stamp_search *s = ctx;
	struct message m;
	cJSON *own;

	(void)pid;
	if (started_us == 0)
		return;
	message_init(&m);
	message_decode(&m, d->props, d->props_len, "", 0, NULL);
	own = message_header(&m, "stamps");
	message_release(&m);
	s->own = own;
	s->matched = false;
	each_stamp(s->stamps, match_stamp, s);
	if (s->matched)
		pool_terminate(s->w->pool, d->id, s->number);
	cJSON_Delete(own);
}

static void add_stamp(void *ctx, const char *name, const char *value)
{
	revoke_add(ctx, ORDER_REVOKE_STAMP, name, value);
}

static cJSON *stamp_answer(const cJSON *stamps, const char *tail)
{
	char *json = json_print(stamps);
	struct buf b;
	cJSON *o;

	buf_init(&b, SHOWN_MAX * 2);
	pyrepr_put(&b, json, strlen(json), false, SHOWN_MAX);
	o = control_ok("headers %s %s", buf_text(&b), tail);
	buf_release(&b);
	free(json);
	return o;
}

static void count_stamp(void *ctx, const char *name, const char *value)
{
	int *n = ctx;

	*n = *name && strlen(name) <= ID_MAX && strlen(value) <= ID_MAX ? *n + 1 : REVOKE_MAX + 1;
}

cJSON *control_revoke_stamped(struct control_job *job)
{
	cJSON *stamps = read_stamps(json_get(job->call.arguments, "headers"));
	struct stamp_search s = { .w = job->w, .stamps = stamps };
	cJSON *problem = read_signal(job, &s.number), *answer;
	struct revoke *r;
	int n = 0;

	each_stamp(stamps, count_stamp, &n);
	if (!problem && (n == 0 || n > REVOKE_MAX))
		problem = control_raise("ValueError", "headers must name stamps and their values, "
					"1 to %d of at most %d bytes each", REVOKE_MAX, ID_MAX);
	if (problem) {
		cJSON_Delete(stamps);
		return problem;
	}
	r = revoke_new(job);
	each_stamp(stamps, add_stamp, r);
	if (control_flag(job, "terminate")) {
		s.hit = cJSON_CreateObject();
		pool_each(job->w->pool, terminate_stamped, &s);
		answer = s.hit->child ? stamp_answer(s.hit, "revoked") :
			 stamp_answer(stamps, "were not terminated");
		cJSON_Delete(s.hit);
	} else {
		answer = stamp_answer(stamps, "flagged as revoked, but not terminated");
	}
	cJSON_Delete(stamps);
	return revoke_end(r, answer);
}
