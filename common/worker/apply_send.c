/* SPDX-License-Identifier: MIT */
/* One task's message, as its signature's options say (celery-wire 3.1). */
#include <libdeflate.h>
#include <math.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/pyrepr.h"
#include "common/worker/apply_private.h"
#include "common/worker/catalog.h"
#include "common/worker/outbox.h"

enum { REPR_MAX = 1024, LIMIT_S_MAX = 1000000000, PACK_BYTES = 8192, PACK_LEVEL = 1 };

static int wrong(struct err *e, const char *name, const char *want)
{
	return err_set(e, ERR_TYPE, "signature: option %s is not %s", name, want);
}

/* A string into the message; absent leaves *to as it is. */
static int take_string(struct apply *a, const struct signature *s, const char *name,
		       const char **to, struct err *e)
{
	struct raw v = signature_option(s, name);
	const char *text;

	if (!v.at)
		return 0;
	text = signature_string(&a->arena, s, name);
	if (!text)
		return wrong(e, name, "a string");
	*to = text;
	return 0;
}

static int take_int(const struct signature *s, const char *name, int most, int *to, struct err *e)
{
	struct raw v = signature_option(s, name);
	double d;

	if (!v.at)
		return 0;
	if (!raw_number(v, &d) || d != floor(d) || d < 0 || d > most)
		return wrong(e, name, "a whole number in its range");
	*to = (int)d;
	return 0;
}

static int take_limit(const struct signature *s, const char *name, int64_t *to, struct err *e)
{
	struct raw v = signature_option(s, name);
	double d;

	if (!v.at)
		return 0;
	if (!raw_number(v, &d))
		return wrong(e, name, "a number of seconds");
	*to = d > 0 && d < LIMIT_S_MAX ? (int64_t)(d * 1000) : -1;
	return 0;
}

/* ISO time, or seconds from now. */
static int take_time(struct apply *a, const struct signature *s, const char *name, int64_t *ret_us,
		     struct err *e)
{
	struct raw v = signature_option(s, name);
	const char *text = NULL;
	double d;
	int r;

	if (raw_number(v, &d)) {
		if (fabs(d) > LIMIT_S_MAX)
			return wrong(e, name, "a time");
		*ret_us = clock_wall_us() + (int64_t)(d * 1e6);
		return 1;
	}
	r = take_string(a, s, name, &text, e);
	if (r < 0 || !text)
		return r;
	return clock_parse_iso(text, ret_us, e) < 0 ? wrong(e, name, "a time") : 1;
}

static int take_times(struct apply *a, const struct signature *s, struct message *m,
		      int64_t *ret_delay_ms, struct err *e)
{
	int64_t eta = 0, expires = 0;
	char iso[CLOCK_ISO_SIZE];
	int when = take_time(a, s, "countdown", &eta, e), until;

	if (when == 0)
		when = take_time(a, s, "eta", &eta, e);
	until = when < 0 ? when : take_time(a, s, "expires", &expires, e);
	if (until < 0)
		return until;
	if (when > 0 && eta > clock_wall_us()) {
		clock_iso(eta, iso);
		m->eta = message_strdup(m, iso);
		*ret_delay_ms = (eta - clock_wall_us()) / 1000;
	}
	if (until > 0) {
		clock_iso(expires, iso);
		m->expires = message_strdup(m, iso);
	}
	return 0;
}

static const char *const KNOWN[] = {
	"lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries",
	"timelimit", "root_id", "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result",
	"replaced_task_nesting", "compression", "stamped_headers", "stamps",
};

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < COUNT(KNOWN); i++)
		if (strcmp(name, KNOWN[i]) == 0)
			return true;
	return strncmp(name, "x-jobfleet-", strlen("x-jobfleet-")) == 0;
}

static int put_headers(struct message *m, struct raw text, struct err *e)
{
	cJSON *table = NULL;
	int r = text.at ? json_parse(text.at, text.len, &table, e) : 0;

	if (r >= 0 && table && !cJSON_IsObject(table))
		r = wrong(e, "headers", "an object");
	for (const cJSON *h = r >= 0 && table ? table->child : NULL; h && r >= 0; h = h->next)
		if (!is_ours(h->string))
			r = message_set_header(m, h->string, h, e);
	cJSON_Delete(table);
	return r;
}

static int put_stamps(const struct signature *s, struct message *m, struct err *e)
{
	struct raw text = signature_option(s, "stamped_headers");
	cJSON *names = NULL, *stamps = mem_check(cJSON_CreateObject());
	int r = text.at ? json_parse(text.at, text.len, &names, e) : 0;

	if (r >= 0 && names && !cJSON_IsArray(names))
		r = wrong(e, "stamped_headers", "a list");
	for (const cJSON *n = r >= 0 && names ? names->child : NULL; n; n = n->next) {
		struct raw v = cJSON_IsString(n) ? signature_option(s, n->valuestring) : RAW_NONE;

		if (v.at)
			json_set(stamps, n->valuestring, cJSON_ParseWithLength(v.at, v.len));
	}
	if (r >= 0 && names) {
		r = message_set_header(m, "stamped_headers", names, e);
		if (r >= 0)
			r = message_set_header(m, "stamps", stamps, e);
	}
	cJSON_Delete(names);
	cJSON_Delete(stamps);
	return r;
}

static int put_options(struct apply *a, const struct signature *s, struct message *m, struct err *e)
{
	const struct {
		const char *name, **to;
	} strings[] = {
		{ "task_id", &m->id }, { "root_id", &m->root_id }, { "parent_id", &m->parent_id },
		{ "shadow", &m->shadow }, { "group_id", &m->group },
		{ "argsrepr", &m->argsrepr }, { "kwargsrepr", &m->kwargsrepr },
		{ "reply_to", &m->reply_to },
	};
	const struct {
		const char *name;
		int most, *to;
	} numbers[] = {
		{ "retries", INT32_MAX, &m->retries }, { "group_index", INT32_MAX, &m->group_index },
		{ "replaced_task_nesting", INT32_MAX, &m->nesting },
		{ "priority", 255, &m->priority }, { "delivery_mode", 2, &m->delivery_mode },
	};
	int r = 0;

	for (size_t i = 0; i < COUNT(strings) && r >= 0; i++)
		r = take_string(a, s, strings[i].name, strings[i].to, e);
	for (size_t i = 0; i < COUNT(numbers) && r >= 0; i++)
		r = take_int(s, numbers[i].name, numbers[i].most, numbers[i].to, e);
	if (r >= 0)
		r = take_limit(s, "time_limit", &m->hard_ms, e);
	if (r >= 0)
		r = take_limit(s, "soft_time_limit", &m->soft_ms, e);
	m->ignore_result = raw_is(signature_option(s, "ignore_result"), "true");
	if (r >= 0 && signature_option(s, "stamped_headers").at)
		r = put_stamps(s, m, e);
	return r < 0 ? r : put_headers(m, signature_option(s, "headers"), e);
}

/* What followed a task's headers so far: the trace it belongs to. */
static void hand_on_trace(struct apply *a, struct message *m)
{
	cJSON *trace = a->from ? message_header(a->from, "traceparent") : NULL;
	cJSON *own = trace ? message_header(m, "traceparent") : NULL;

	if (trace && !own)
		message_set_header(m, "traceparent", trace, NULL);
	cJSON_Delete(trace);
	cJSON_Delete(own);
}

static const char *repr_of(struct apply *a, struct raw json, bool tuple)
{
	struct buf b;
	char *text;

	buf_init(&b, 2 * REPR_MAX);
	pyrepr_put(&b, json.at, json.len, tuple, REPR_MAX);
	text = arena_strndup(&a->arena, buf_text(&b), b.len);
	buf_release(&b);
	return text;
}

static void put_list(struct buf *b, const char *name, struct raw v)
{
	buf_printf(b, "\"%s\": ", name);
	if (!v.at)
		buf_puts(b, "null");
	else
		buf_append(b, v.at, v.len);
}

/* A single signature stands in a list, too. */
static struct raw listed(struct apply *a, struct raw v)
{
	char *text;

	if (!raw_is_object(v))
		return v;
	text = mem_printf("[%.*s]", (int)v.len, v.at);
	return (struct raw){ arena_keep(&a->arena, text), v.len + 2 };
}

/* Each step of a long chain carries all that follow, so a thousand of them are hundreds of
 * megabytes for the broker, or a twentieth of that: what Celery's workers, which alone know chains,
 * read as well (celery-wire 1.6). */
static void take_body(struct message *m, const struct buf *b, size_t chain_len)
{
	struct libdeflate_compressor *c;
	size_t room, len;
	char *packed;

	if (chain_len < PACK_BYTES) {
		message_take_body(m, mem_dup(b->data, b->len), b->len);
		return;
	}
	c = mem_check(libdeflate_alloc_compressor(PACK_LEVEL));
	room = libdeflate_zlib_compress_bound(c, b->len);
	packed = mem_alloc(room);
	len = libdeflate_zlib_compress(c, b->data, b->len, packed, room);
	libdeflate_free_compressor(c);
	message_take_body(m, packed, len);
	m->compression = "application/x-gzip";
}

static int put_body(struct apply *a, const struct signature *s, struct raw partial,
		    struct message *m, struct err *e)
{
	struct raw own = raw_inside(s->args), args;
	struct buf *b = &a->work;

	buf_clear(b);
	buf_puts(b, "[[");
	buf_append(b, partial.at, partial.len);
	buf_puts(b, partial.len && own.len ? ", " : "");
	buf_append(b, own.at, own.len);
	buf_puts(b, "]");
	args = (struct raw){ b->data + 1, b->len - 1 };
	if (!m->argsrepr)
		m->argsrepr = repr_of(a, args, true);
	if (!m->kwargsrepr)
		m->kwargsrepr = repr_of(a, s->kwargs, false);
	buf_puts(b, ", ");
	buf_append(b, s->kwargs.at, s->kwargs.len);
	buf_puts(b, ", {");
	put_list(b, "callbacks", listed(a, signature_option(s, "link")));
	buf_puts(b, ", ");
	put_list(b, "errbacks", listed(a, signature_option(s, "link_error")));
	buf_puts(b, ", ");
	put_list(b, "chain", signature_option(s, "chain"));
	buf_puts(b, ", ");
	put_list(b, "chord", signature_option(s, "chord"));
	buf_puts(b, "}]");
	if (buf_overflowed(b) || b->len > (size_t)a->conf->fleet.max_message_bytes)
		return err_set(e, ERR_TOO_BIG, "the message for %s has %zu bytes, over %lld",
			       s->task, b->len, (long long)a->conf->fleet.max_message_bytes);
	take_body(m, b, signature_option(s, "chain").len);
	return 0;
}

/* Named in its options, routed by queues.conf, a task's of ours; else where its parent ran. */
static int route(struct apply *a, const struct signature *s, const char **ret_queue,
		 const char **ret_exchange, struct err *e)
{
	const struct catalog_task *own = a->catalog ? catalog_find(a->catalog, s->task) : NULL;
	const char *key = NULL;
	int r = take_string(a, s, "queue", ret_queue, e);

	if (r >= 0 && !*ret_queue)
		r = take_string(a, s, "routing_key", &key, e);
	if (r >= 0 && key)
		r = take_string(a, s, "exchange", ret_exchange, e);
	if (r < 0 || *ret_queue)
		return r;
	/* A queue's own exchange is direct: the default one reaches the same queue. */
	if (*ret_exchange && (!key || strcmp(*ret_exchange, key) == 0))
		*ret_exchange = NULL;
	*ret_queue = key ? key : conf_route(a->conf, s->task);
	if (!*ret_queue && own && own->task->queue)
		*ret_queue = own->task->queue;
	if (!*ret_queue)
		*ret_queue = a->queue;
	if (!**ret_queue)
		return err_set(e, ERR_INVALID,
			       "no queue is known for task %.100s: name one, or add "
			       "a task block to queues.conf",
			       s->task);
	return 0;
}

int apply_send(struct apply *a, struct signature *s, struct raw partial, struct buf *tuple,
	       struct err *e)
{
	const char *queue = NULL, *exchange = NULL, *id = apply_freeze(a, s);
	struct message *m = &a->message;
	int64_t delay_ms = 0;
	int r;

	message_clear(m);
	m->task = s->task;
	m->priority = 0;
	m->generation = a->generation;
	m->hop = 1;	/* as the relay would send its row, which is hop 0 */
	m->origin = a->origin;
	r = route(a, s, &queue, &exchange, e);
	if (r >= 0)
		r = put_options(a, s, m, e);
	if (r >= 0 && (!id || !*id || strlen(id) > 255 || strlen(m->task) > 255))
		r = err_set(e, ERR_TYPE, "signature: no usable task_id or task name");
	if (r >= 0)
		r = take_times(a, s, m, &delay_ms, e);
	if (r >= 0)
		r = put_body(a, s, partial, m, e);
	if (r < 0)
		return r;
	if (!m->root_id)
		m->root_id = m->id;
	m->correlation_id = m->id;
	hand_on_trace(a, m);
	if (tuple) {
		buf_puts(tuple, "[[");
		buf_put_json_string(tuple, m->id);
		buf_puts(tuple, ", null], null]");
	}
	return outbox_add(a->outbox, m, queue, exchange, delay_ms, e);
}
