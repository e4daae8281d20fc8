/* SPDX-License-Identifier: MIT */
#include "common/worker/canvas.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/worker/apply.h"
#include "common/worker/catalog.h"

enum { TUPLE_MAX = 64 << 20 };

static const char PLAIN[] =
	"{\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}";

int canvas_read(struct raw embed, struct canvas *ret, struct err *e)
{
	struct canvas c = { 0 };
	const struct {
		const char *name;
		struct raw *to;
	} parts[] = {
		{ "callbacks", &c.callbacks }, { "errbacks", &c.errbacks }, { "chain", &c.chain },
		{ "chord", &c.chord },
	};
	struct raw_walk w;
	struct raw key, value;

	if (!raw_is_null(embed) && !raw_is(embed, PLAIN) && !raw_is(embed, "{}")) {
		w = raw_walk(embed);
		while (raw_next(&w, &key, &value))
			for (size_t i = 0; i < COUNT(parts); i++)
				if (raw_key_is(key, parts[i].name) && !raw_is_null(value))
					*parts[i].to = value;
		if (w.bad || w.at + 1 != w.end)
			return err_set(e, ERR_PROTOCOL, "embed is not a JSON object");
	}
	*ret = c;
	return 0;
}

/* ---- success ---- */

static struct raw quoted(struct apply *a, const char *text)
{
	struct buf b;
	struct raw r;

	buf_init(&b, TUPLE_MAX);
	buf_put_json_string(&b, text);
	r.len = b.len;
	r.at = arena_strndup(&a->arena, buf_text(&b), b.len);
	buf_release(&b);
	return r;
}

static struct signature_options overrides(struct apply *a, const struct canvas_task *t)
{
	struct signature_options over = { 0 };
	char text[16];
	int n;

	options_set(&a->arena, &over, "parent_id", quoted(a, t->id));
	options_set(&a->arena, &over, "root_id", quoted(a, t->root_id ? t->root_id : t->id));
	if (t->priority >= 0) {
		n = snprintf(text, sizeof text, "%d", t->priority);
		options_set(&a->arena, &over, "priority",
			    (struct raw){ arena_strndup(&a->arena, text, (size_t)n), (size_t)n });
	}
	return over;
}

static int follow(struct apply *a, const struct signature *s, struct raw partial,
		  const struct signature_options *over, struct buf *children, struct err *e)
{
	struct buf tuple;
	int r;

	buf_init(&tuple, TUPLE_MAX);
	r = apply_signature(a, s, partial, over, &tuple, e);
	if (r >= 0 && children) {
		buf_puts(children, children->len ? ", " : "");
		buf_append(children, buf_text(&tuple), tuple.len);
	}
	buf_release(&tuple);
	return r;
}

static int call_back(struct apply *a, struct raw callbacks, struct raw partial,
		     const struct signature_options *over, struct buf *children, struct err *e)
{
	struct signature *rest = signature_new(&a->arena, SIGNATURE_GROUP), **list;
	size_t n;
	int r = signature_read_list(&a->arena, callbacks, &list, &n, e);

	if (r >= 0 && n == 1)
		return follow(a, list[0], partial, over, children, e);
	for (size_t i = 0; i < n && r >= 0; i++) {
		if (list[i]->kind == SIGNATURE_GROUP)
			r = follow(a, list[i], partial, over, children, e);
		else
			signature_add_step(&a->arena, rest, list[i]);
	}
	if (r >= 0 && rest->nsteps)
		r = follow(a, rest, partial, over, children, e);
	return r;
}

static int next_step(struct apply *a, struct raw chain, struct raw partial,
		     struct signature_options *over, struct buf *children, struct err *e)
{
	struct raw last, rest;
	struct signature *s;
	int r;

	if (!raw_is_array(chain))
		return err_set(e, ERR_PROTOCOL, "embed: chain is not a list");
	if (!signature_pop(&a->arena, chain, &last, &rest))
		return 0;
	r = signature_read(&a->arena, last, &s, e);
	if (r < 0)
		return r;
	options_set(&a->arena, over, "chain", rest);
	return follow(a, s, partial, over, children, e);
}

int canvas_succeed(struct apply *a, const struct canvas *c, const struct canvas_task *t,
		   struct raw result, struct buf *children, struct err *e)
{
	struct signature_options over;
	int r = 0;

	if (!c->callbacks.at && !c->chain.at)
		return 0;
	over = overrides(a, t);
	if (c->callbacks.at)
		r = call_back(a, c->callbacks, result, &over, children, e);
	if (r >= 0 && c->chain.at)
		r = next_step(a, c->chain, result, &over, children, e);
	return r;
}

/* ---- failure ---- */

/* Celery hands (request, exc, traceback) to errbacks that take more than one argument, where it
 * knows their signature. */
static bool takes_error(const struct apply *a, const struct signature *s)
{
	const struct catalog_task *own = a->catalog && s->kind == SIGNATURE_TASK ?
					 catalog_find(a->catalog, s->task) : NULL;

	return own && own->task->params[0] && strcmp(own->task->params[0], "*") != 0 &&
	       own->task->params[1] && strcmp(own->task->params[1], "*") != 0;
}

static void put_member(struct buf *b, const char *name, const char *value)
{
	buf_puts(b, b->len > 1 ? ", " : "");
	buf_put_json_string(b, name);
	buf_puts(b, ": ");
	if (value)
		buf_put_json_string(b, value);
	else
		buf_puts(b, "null");
}

static struct raw request_and_error(struct apply *a, const struct canvas_task *t, struct raw error,
				    struct raw traceback)
{
	struct buf b;
	struct raw r;

	buf_init(&b, TUPLE_MAX);
	buf_putc(&b, '{');
	put_member(&b, "id", t->id);
	put_member(&b, "task", t->name);
	put_member(&b, "root_id", t->root_id);
	put_member(&b, "parent_id", t->parent_id);
	buf_puts(&b, "}, ");
	buf_append(&b, error.at ? error.at : "null", error.at ? error.len : 4);
	buf_puts(&b, ", ");
	buf_append(&b, traceback.at ? traceback.at : "null", traceback.at ? traceback.len : 4);
	r.len = b.len;
	r.at = arena_keep(&a->arena, buf_take(&b));
	return r;
}

int canvas_fail(struct apply *a, struct raw errbacks, const struct canvas_task *t,
		struct raw error, struct raw traceback, struct err *e)
{
	struct signature *group = signature_new(&a->arena, SIGNATURE_GROUP), **list;
	struct signature_options over = overrides(a, t);
	size_t n = 0;
	int r = signature_read_list(&a->arena, errbacks, &list, &n, e);

	for (size_t i = 0; i < n && r >= 0; i++) {
		struct signature *s = signature_copy(&a->arena, list[i]);

		if (takes_error(a, s) && !s->immutable) {
			struct raw more = request_and_error(a, t, error, traceback);
			struct raw own = raw_inside(s->args);
			char *args = mem_printf("[%.*s%s%.*s]", (int)more.len, more.at,
						own.len ? ", " : "", (int)own.len, own.at);

			s->args = (struct raw){ arena_keep(&a->arena, args), strlen(args) };
			s->immutable = true;
		}
		signature_add_step(&a->arena, group, s);
	}
	if (r < 0 || group->nsteps == 0)
		return r;
	return apply_signature(a, group, quoted(a, t->id), &over, NULL, e);
}

/* ---- what never runs ---- */

static void add_loss(struct apply *a, const struct signature *s, struct canvas_losses *ret)
{
	double index;

	if (ret->n == ret->room) {
		size_t room = ret->room ? ret->room * 2 : 8;
		struct canvas_loss *list = arena_zalloc(&a->arena, room * sizeof *list);

		if (ret->n)
			memcpy(list, ret->list, ret->n * sizeof *list);
		ret->list = list;
		ret->room = room;
	}
	ret->list[ret->n++] = (struct canvas_loss){
		.id = signature_string(&a->arena, s, "task_id"),
		.group_id = signature_string(&a->arena, s, "group_id"),
		.group_index = raw_number(signature_option(s, "group_index"), &index) &&
			       index >= 0 && index <= INT32_MAX ? (int)index : -1,
		.chord = signature_option(s, "chord"),
	};
}

static void lose_frozen(struct apply *a, const struct signature *s, struct canvas_losses *ret)
{
	for (size_t i = 0; i < s->nsteps; i++)
		lose_frozen(a, s->steps[i], ret);
	if (s->kind == SIGNATURE_CHORD)
		lose_frozen(a, s->body, ret);
	if (s->kind == SIGNATURE_TASK)
		add_loss(a, s, ret);
}

void canvas_lose(struct apply *a, const struct signature *s, struct canvas_losses *ret)
{
	struct signature *copy = signature_copy(&a->arena, s);

	apply_freeze(a, copy);
	lose_frozen(a, copy, ret);
}

int canvas_lose_chain(struct apply *a, struct raw chain, struct canvas_losses *ret, struct err *e)
{
	struct signature **list;
	size_t n;
	int r = signature_read_list(&a->arena, chain, &list, &n, e);

	for (size_t i = 0; i < n && r >= 0; i++)
		canvas_lose(a, list[i], ret);
	return r;
}
