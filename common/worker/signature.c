/* SPDX-License-Identifier: MIT */
#include "common/worker/signature.h"

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"

enum { PRINT_MAX = 256 << 20 };

struct reading {
	struct arena *arena;
	size_t members;
	struct err *e;
};

static const char *const TYPES[] = {
	[SIGNATURE_CHAIN] = "chain", [SIGNATURE_GROUP] = "group", [SIGNATURE_CHORD] = "chord",
};

static int wrong(struct reading *r, const char *what, const char *want)
{
	return err_set(r->e, ERR_PROTOCOL, "signature: %s is not %s", what, want);
}

static const char *content(struct arena *a, struct raw r)
{
	char *s;

	if (raw_is_string(r) && !memchr(r.at, '\\', r.len))
		return arena_strndup(a, r.at + 1, r.len - 2);
	s = raw_string(r);
	return s ? arena_keep(a, s) : NULL;
}

static void add_option(struct arena *a, struct signature_options *o, struct raw key,
		       struct raw value)
{
	if (o->n == o->room) {
		size_t room = o->room ? o->room * 2 : 8;
		struct signature_option *list = arena_zalloc(a, room * sizeof *list);

		if (o->n)
			memcpy(list, o->list, o->n * sizeof *list);
		o->list = list;
		o->room = room;
	}
	o->list[o->n++] = (struct signature_option){ key, value };
}

/* Whoever applies it takes these for strings. */
static bool is_wrong_id(struct reading *r, struct raw key, struct raw value)
{
	static const char *const IDS[] = { "task_id", "group_id", "root_id", "parent_id" };

	for (size_t i = 0; i < COUNT(IDS); i++)
		if (raw_key_is(key, IDS[i]))
			return !raw_is_string(value) || (memchr(value.at, '\\', value.len) &&
							 !content(r->arena, value));
	return false;
}

static int read_options(struct reading *r, struct raw text, struct signature_options *o)
{
	struct raw_walk w;
	struct raw key, value;

	if (raw_is_null(text))
		return 0;
	if (!raw_is_object(text))
		return wrong(r, "options", "an object");
	w = raw_walk(text);
	while (raw_next(&w, &key, &value)) {
		if (raw_is_null(value))
			continue;
		if (is_wrong_id(r, key, value))
			return err_set(r->e, ERR_TYPE, "signature: %.*s is not a string",
				       (int)key.len, key.at);
		add_option(r->arena, o, key, value);
	}
	return 0;
}

static int read_one(struct reading *r, struct raw text, int depth, struct signature **ret);

static int read_steps(struct reading *r, struct raw list, const char *what, int depth,
		      struct signature *s)
{
	struct raw_walk w = raw_walk(list);
	struct raw item;
	int rc = 0;

	if (!raw_is_array(list))
		return wrong(r, what, "a list of signatures");
	while (rc >= 0 && raw_next(&w, NULL, &item)) {
		struct signature *step;

		rc = read_one(r, item, depth + 1, &step);
		if (rc >= 0)
			signature_add_step(r->arena, s, step);
	}
	return rc;
}

static int read_chord(struct reading *r, struct raw kwargs, int depth, struct signature *s)
{
	struct raw header = raw_member(kwargs, "header"), body = raw_member(kwargs, "body");
	int rc;

	if (raw_is_object(header)) {
		rc = read_one(r, header, depth + 1, &s->header);
		if (rc >= 0 && s->header->kind != SIGNATURE_GROUP) {
			struct signature *only = s->header;

			s->header = signature_new(r->arena, SIGNATURE_GROUP);
			signature_add_step(r->arena, s->header, only);
		}
	} else {
		s->header = signature_new(r->arena, SIGNATURE_GROUP);
		rc = read_steps(r, header, "a chord's header", depth, s->header);
	}
	if (rc < 0)
		return rc;
	if (!raw_is_object(body))
		return wrong(r, "a chord's body", "a signature");
	return read_one(r, body, depth + 1, &s->body);
}

static int read_kind(struct reading *r, struct raw type, enum signature_kind *ret)
{
	if (raw_is_null(type)) {
		*ret = SIGNATURE_TASK;
		return 0;
	}
	for (int k = SIGNATURE_CHAIN; k <= SIGNATURE_CHORD; k++)
		if (raw_key_is(type, TYPES[k])) {
			*ret = (enum signature_kind)k;
			return 0;
		}
	return err_set(r->e, ERR_PROTOCOL, "signature: subtask_type %.*s is unknown",
		       (int)(type.len < 40 ? type.len : 40), type.at);
}

struct parts {
	struct raw task, args, kwargs, options, type, immutable;
};

static struct parts parts_of(struct raw text)
{
	struct parts p = { 0 };
	const struct {
		const char *name;
		struct raw *to;
	} fields[] = {
		{ "task", &p.task }, { "args", &p.args }, { "kwargs", &p.kwargs },
		{ "options", &p.options }, { "subtask_type", &p.type },
		{ "immutable", &p.immutable },
	};
	struct raw_walk w = raw_walk(text);
	struct raw key, value;

	while (raw_next(&w, &key, &value))
		for (size_t i = 0; i < COUNT(fields); i++)
			if (raw_key_is(key, fields[i].name) && !raw_is_null(value))
				*fields[i].to = value;
	return p;
}

static int read_fields(struct reading *r, const struct parts *p, struct signature *s)
{
	if (p->args.at && !raw_is_array(p->args))
		return wrong(r, "args", "a list");
	if (p->kwargs.at && !raw_is_object(p->kwargs))
		return wrong(r, "kwargs", "an object");
	s->args = p->args.at ? p->args : RAW("[]");
	s->kwargs = p->kwargs.at ? p->kwargs : RAW("{}");
	s->immutable = raw_is(p->immutable, "true");
	s->task = content(r->arena, p->task);
	if (s->kind == SIGNATURE_TASK && (!s->task || !*s->task))
		return wrong(r, "task", "a name");
	return read_options(r, p->options, &s->options);
}

static int read_one(struct reading *r, struct raw text, int depth, struct signature **ret)
{
	struct signature *s = signature_new(r->arena, SIGNATURE_TASK);
	struct parts p;
	int rc;

	if (depth > SIGNATURE_DEPTH)
		return err_set(r->e, ERR_PROTOCOL, "signature: nested deeper than %d",
			       SIGNATURE_DEPTH);
	if (++r->members > SIGNATURE_MEMBERS)
		return err_set(r->e, ERR_PROTOCOL, "signature: more than %d members",
			       SIGNATURE_MEMBERS);
	if (!raw_is_object(text))
		return wrong(r, "it", "an object");
	p = parts_of(text);
	s->text = text;
	rc = read_kind(r, p.type, &s->kind);
	if (rc >= 0)
		rc = read_fields(r, &p, s);
	if (rc >= 0 && s->kind == SIGNATURE_CHORD)
		rc = read_chord(r, p.kwargs, depth, s);
	else if (rc >= 0 && s->kind != SIGNATURE_TASK)
		rc = read_steps(r, raw_member(p.kwargs, "tasks"), "tasks", depth, s);
	s->changed = false;
	*ret = s;
	return rc;
}

int signature_read(struct arena *a, struct raw text, struct signature **ret, struct err *e)
{
	struct reading r = { .arena = a, .e = e };
	struct raw whole;

	if (!text.at || !raw_whole(text.at, text.len, &whole, NULL))
		return err_set(e, ERR_PROTOCOL, "signature: not JSON");
	return read_one(&r, whole, 1, ret);
}

int signature_read_list(struct arena *a, struct raw text, struct signature ***ret, size_t *ret_n,
			struct err *e)
{
	struct signature *list = signature_new(a, SIGNATURE_GROUP);
	struct reading r = { .arena = a, .e = e };
	int rc = 0;

	if (raw_is_object(text)) {
		struct signature *only;

		rc = read_one(&r, text, 1, &only);
		if (rc >= 0)
			signature_add_step(a, list, only);
	} else if (!raw_is_null(text)) {
		rc = read_steps(&r, text, "it", 0, list);
	}
	*ret = list->steps;
	*ret_n = list->nsteps;
	return rc;
}

struct signature *signature_new(struct arena *a, enum signature_kind kind)
{
	struct signature *s = arena_zalloc(a, sizeof *s);

	s->kind = kind;
	s->changed = true;
	s->args = RAW("[]");
	s->kwargs = RAW("{}");
	return s;
}

struct signature *signature_new_chord(struct arena *a, struct signature *header,
				      struct signature *body)
{
	struct signature *chord = signature_new(a, SIGNATURE_CHORD);

	chord->header = header;
	chord->body = body;
	return chord;
}

struct signature *signature_copy(struct arena *a, const struct signature *s)
{
	struct signature *copy = arena_zalloc(a, sizeof *copy);
	struct signature_options *o = &copy->options;

	*copy = *s;
	o->list = arena_zalloc(a, (o->n + 4) * sizeof *o->list);
	o->room = o->n + 4;
	if (o->n)
		memcpy(o->list, s->options.list, o->n * sizeof *o->list);
	return copy;
}

void signature_add_step(struct arena *a, struct signature *s, struct signature *step)
{
	if ((s->nsteps & (s->nsteps - 1)) == 0) {	/* full at 0, 1, 2, 4, … */
		struct signature **grown =
			arena_zalloc(a, (s->nsteps ? s->nsteps * 2 : 1) * sizeof(*grown));

		if (s->nsteps)
			memcpy(grown, s->steps, s->nsteps * sizeof(*grown));
		s->steps = grown;
	}
	s->steps[s->nsteps++] = step;
	s->changed = true;
}

struct raw options_get(const struct signature_options *o, const char *name)
{
	for (size_t i = 0; i < o->n; i++)
		if (raw_key_is(o->list[i].key, name))
			return o->list[i].value;
	return RAW_NONE;
}

struct raw signature_option(const struct signature *s, const char *name)
{
	return options_get(&s->options, name);
}

bool signature_has(const struct signature *s, const char *name)
{
	return signature_option(s, name).at;
}

void options_set(struct arena *a, struct signature_options *o, const char *name, struct raw value)
{
	char *key;

	if (raw_is_null(value))
		value = RAW_NONE;
	for (size_t i = 0; i < o->n; i++)
		if (raw_key_is(o->list[i].key, name)) {
			o->list[i].value = value;
			return;
		}
	if (!value.at)
		return;
	key = arena_zalloc(a, strlen(name) + 3);
	snprintf(key, strlen(name) + 3, "\"%s\"", name);
	add_option(a, o, (struct raw){ key, strlen(key) }, value);
}

void signature_set(struct arena *a, struct signature *s, const char *name, struct raw value)
{
	options_set(a, &s->options, name, value);
	s->changed = true;
}

void signature_set_string(struct arena *a, struct signature *s, const char *name,
			  const char *value)
{
	struct buf b;
	size_t len;

	if (!value) {
		signature_set(a, s, name, RAW_NONE);
		return;
	}
	buf_init(&b, PRINT_MAX);
	buf_put_json_string(&b, value);
	len = b.len;
	signature_set(a, s, name, (struct raw){ arena_strndup(a, buf_text(&b), len), len });
	buf_release(&b);
}

void signature_set_int(struct arena *a, struct signature *s, const char *name, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)value);

	signature_set(a, s, name, (struct raw){ arena_strndup(a, text, (size_t)n), (size_t)n });
}

static struct raw items_of(struct raw list)
{
	return raw_is_array(list) ? raw_inside(list) : list;
}

void signature_extend(struct arena *a, struct signature *s, const char *name, struct raw more)
{
	struct raw old = signature_option(s, name), x = items_of(old), y = items_of(more);
	char *text;

	if (raw_is_null(more) || y.len == 0)
		return;
	if (!old.at || x.len == 0)
		text = mem_printf("[%.*s]", (int)y.len, y.at);
	else
		text = mem_printf("[%.*s, %.*s]", (int)x.len, x.at, (int)y.len, y.at);
	signature_set(a, s, name, (struct raw){ arena_keep(a, text), strlen(text) });
}

const char *signature_string(struct arena *a, const struct signature *s, const char *name)
{
	return content(a, signature_option(s, name));
}

bool signature_pop(struct arena *a, struct raw chain, struct raw *ret_last, struct raw *ret_rest)
{
	struct raw before;
	char *rest;

	if (!raw_last(chain, ret_last, &before))
		return false;
	rest = arena_strndup(a, before.at - 1, before.len + 2);
	rest[0] = '[';
	rest[before.len + 1] = ']';
	*ret_rest = (struct raw){ rest, before.len + 2 };
	return true;
}

int64_t signature_size(const struct signature *s)
{
	int64_t n = 0;

	switch (s->kind) {
	case SIGNATURE_GROUP:
		for (size_t i = 0; i < s->nsteps; i++)
			n += signature_size(s->steps[i]);
		return n;
	case SIGNATURE_CHAIN:
		for (size_t i = s->nsteps; i > 0 && n == 0; i--)
			n = signature_size(s->steps[i - 1]);
		return n;
	case SIGNATURE_CHORD:
		return signature_size(s->body);
	default:
		return 1;
	}
}
