/* SPDX-License-Identifier: MIT */
#include "common/worker/apply.h"

#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/worker/apply_private.h"
#include "common/worker/outbox.h"

enum { WORK_MAX = 256 << 20 };

void apply_init(struct apply *a, const struct conf *conf, struct outbox *outbox, const char *source)
{
	char host[256] = "";

	*a = (struct apply){ .conf = conf, .outbox = outbox, .source = source, .queue = "" };
	arena_init(&a->arena);
	message_init(&a->message);
	buf_init(&a->work, WORK_MAX);
	gethostname(host, sizeof host - 1);
	snprintf(a->origin, sizeof a->origin, "jobfleet%d@%s", (int)getpid(), host);
}

void apply_release(struct apply *a)
{
	message_release(&a->message);
	buf_release(&a->work);
	arena_release(&a->arena);
}

void apply_new_id(struct apply *a, char out[UUID_SIZE])
{
	char *name = mem_printf("%s/canvas/%d", a->source, a->position++);

	uuid_v5(name, strlen(name), out);
	free(name);
}

/* ---- result tuples (celery-wire 2.5) ---- */

static void put_leaf(struct buf *out, const char *id)
{
	buf_puts(out, "[[");
	buf_put_json_string(out, id);
	buf_puts(out, ", null], null]");
}

/* Where the result of a frozen signature will stand; true: somewhere in it is a group. */
static bool put_place(struct apply *a, const struct signature *s, struct buf *out)
{
	if (s->kind == SIGNATURE_CHAIN && s->nsteps)
		return put_place(a, s->steps[s->nsteps - 1], out);
	if (s->kind == SIGNATURE_CHORD)
		return put_place(a, s->body, out);
	if (s->kind != SIGNATURE_GROUP) {
		put_leaf(out, signature_string(&a->arena, s, "task_id"));
		return false;
	}
	buf_puts(out, "[[");
	buf_put_json_string(out, signature_string(&a->arena, s, "task_id"));
	buf_puts(out, ", null], [");
	for (size_t i = 0; i < s->nsteps; i++) {
		buf_puts(out, i ? ", " : "");
		put_place(a, s->steps[i], out);
	}
	buf_puts(out, "]]");
	return true;
}

static void open_tuple(struct buf *out, const char *id)
{
	buf_puts(out, "[[");
	buf_put_json_string(out, id);
	buf_puts(out, ", null], [");
}

/* ---- applying ---- */

static int apply_any(struct apply *a, struct signature *s, struct raw partial, int depth,
		     struct buf *tuple, struct err *e);

static struct raw joined(struct apply *a, struct raw x, struct raw y)
{
	char *text;

	if (!x.len || !y.len)
		return x.len ? x : y;
	text = mem_printf("%.*s, %.*s", (int)x.len, x.at, (int)y.len, y.at);
	return (struct raw){ arena_keep(&a->arena, text), strlen(text) };
}

/* Steps behind the first, last one first, before what was there already: a stack. */
static void push_rest(struct apply *a, struct signature *s, struct signature *first)
{
	struct raw waiting = signature_option(first, "chain"), inside = raw_inside(waiting);
	struct buf *b = &a->work;

	if (s->nsteps < 2 && !waiting.at)
		return;
	buf_clear(b);
	buf_putc(b, '[');
	buf_append(b, inside.at, inside.len);
	for (size_t i = s->nsteps; i > 1; i--) {
		buf_puts(b, b->len > 1 ? ", " : "");
		signature_print(b, s->steps[i - 1]);
	}
	buf_putc(b, ']');
	signature_set(&a->arena, first, "chain",
		      (struct raw){ arena_strndup(&a->arena, b->data, b->len), b->len });
}

static int apply_chain(struct apply *a, struct signature *s, struct raw partial, int depth,
		       struct buf *tuple, struct err *e)
{
	static const char *const own[] = { "task_id", "link", "link_error", "group_id",
					   "group_index", "chord" };
	struct raw args = joined(a, partial, raw_inside(s->args));
	struct signature *first;

	apply_freeze_at(a, s, depth);
	if (s->nsteps == 0)
		return err_set(e, ERR_TYPE, "an empty chain cannot be applied");
	apply_take_out(a, &s->options, own, COUNT(own));
	first = s->steps[0];
	apply_merge(a, first, &s->options);
	push_rest(a, s, first);
	return apply_any(a, first, args, depth + 1, tuple, e);
}

/* Publishes members as parts of one group. */
static int spread(struct apply *a, struct signature *group, const char *gid, struct raw partial,
		  const struct signature_options *over, int depth, struct buf *tuple, struct err *e)
{
	int r = 0;

	if (tuple)
		open_tuple(tuple, gid);
	for (size_t i = 0; i < group->nsteps && r >= 0; i++) {
		struct signature *m = group->steps[i];

		apply_merge(a, m, over);
		if (!signature_has(m, "group_index"))
			signature_set_int(&a->arena, m, "group_index", (int64_t)i);
		if (!signature_has(m, "group_id"))
			signature_set_string(&a->arena, m, "group_id", gid);
		apply_freeze_at(a, m, depth);
		if (tuple) {
			buf_puts(tuple, i ? ", " : "");
			put_place(a, m, tuple);
		}
		r = apply_any(a, m, partial, depth + 1, NULL, e);
	}
	if (tuple)
		buf_puts(tuple, "]]");
	return r;
}

/* The members' places as one tree, if one of them is a group's: Celery's on_chord_part_return then
 * reads it to nest the values. NULL: the plain order will do. */
static char *tree_of(struct apply *a, struct signature *group, const char *gid, struct raw chord)
{
	struct buf *b = &a->work;
	bool nested = false;

	for (size_t i = 0; i < group->nsteps; i++) {
		struct signature *m = group->steps[i];

		if (m->kind == SIGNATURE_TASK)
			continue;
		signature_set(&a->arena, m, "chord", chord);
		if (!signature_has(m, "group_id"))
			signature_set_string(&a->arena, m, "group_id", gid);
		if (!signature_has(m, "group_index"))
			signature_set_int(&a->arena, m, "group_index", (int64_t)i);
		apply_freeze_at(a, m, 0);
		buf_clear(b);
		nested = put_place(a, m, b) || nested;
	}
	if (!nested)
		return NULL;
	buf_clear(b);
	open_tuple(b, gid);
	for (size_t i = 0; i < group->nsteps; i++) {
		apply_freeze_at(a, group->steps[i], 0);
		buf_puts(b, i ? ", " : "");
		put_place(a, group->steps[i], b);
	}
	buf_puts(b, "]]");
	return mem_strndup(b->data, b->len);
}

static int begin_join(struct apply *a, struct signature *group, const char *gid, struct raw chord,
		      struct err *e)
{
	char *tree = tree_of(a, group, gid, chord);
	char *body = raw_dup(chord);
	int r = outbox_add_join(a->outbox, gid, signature_size(group), body, tree, e);

	free(tree);
	free(body);
	return r;
}

static int apply_group(struct apply *a, struct signature *s, struct raw partial, int depth,
		       struct buf *tuple, struct err *e)
{
	static const char *const own[] = { "task_id", "link", "link_error", "group_id",
					   "group_index", "chain" };
	bool inner = signature_has(s, "group_id");	/* then its parts are in the outer chord's size */
	struct raw args = joined(a, partial, raw_inside(s->args)), chord;
	const char *gid;
	int r = 0;

	if (signature_has(s, "link"))
		return err_set(e, ERR_TYPE, "Cannot add link to group: use a chord");
	gid = inner ? signature_string(&a->arena, s, "group_id") : apply_ensure_id(a, s);
	if (!gid)
		return err_set(e, ERR_TYPE, "signature: group_id is not a string");
	apply_flatten_group(a, s);
	chord = signature_option(s, "chord");
	if (chord.at && !inner && s->nsteps)
		r = begin_join(a, s, gid, chord, e);
	apply_take_out(a, &s->options, own, COUNT(own));
	return r < 0 ? r : spread(a, s, gid, args, &s->options, depth, tuple, e);
}

static int apply_chord(struct apply *a, struct signature *s, struct raw partial, int depth,
		       struct buf *tuple, struct err *e)
{
	static const char *const inherited[] = { "parent_id", "root_id", "priority" };
	static const char *const own[] = { "task_id", "link", "link_error", "group_id",
					   "group_index", "chain", "chord" };
	struct raw args = joined(a, partial, raw_inside(s->args)), body;
	struct signature_options over = { 0 };
	struct signature *header;
	const char *gid;
	int r;

	for (size_t i = 0; i < COUNT(inherited); i++)
		options_set(&a->arena, &over, inherited[i], signature_option(s, inherited[i]));
	apply_freeze_at(a, s, depth);
	header = s->header;
	gid = signature_string(&a->arena, header, "task_id");
	if (!gid)
		return err_set(e, ERR_TYPE,
			       "signature: task_id of a chord's header is not a string");
	apply_flatten_group(a, header);
	if (header->nsteps == 0)
		return apply_any(a, s->body, RAW("[]"), depth + 1, tuple, e);
	body.at = signature_text(&a->arena, s->body);
	body.len = strlen(body.at);
	r = begin_join(a, header, gid, body, e);
	apply_take_out(a, &header->options, own, COUNT(own));
	for (size_t i = 0; i < COUNT(inherited); i++)
		if (options_get(&over, inherited[i]).at)
			options_set(&a->arena, &header->options, inherited[i],
				    options_get(&over, inherited[i]));
	options_set(&a->arena, &header->options, "chord", body);
	return r < 0 ? r : spread(a, header, gid, args, &header->options, depth, tuple, e);
}

/* A group with steps of a chain behind it: the next one joins it. */
static int join_with_next(struct apply *a, struct signature *s, struct signature **ret,
			  struct err *e)
{
	struct raw last, rest;
	struct signature *body, *chord;
	int r;

	if (!signature_pop(&a->arena, signature_option(s, "chain"), &last, &rest)) {
		*ret = s;
		return 0;
	}
	r = signature_read(&a->arena, last, &body, e);
	if (r < 0)
		return r;
	signature_set(&a->arena, s, "chain", RAW_NONE);
	chord = signature_new_chord(&a->arena, s, body);
	signature_set(&a->arena, chord, "chain", rest);
	signature_set(&a->arena, chord, "parent_id", signature_option(s, "parent_id"));
	signature_set(&a->arena, chord, "root_id", signature_option(s, "root_id"));
	*ret = chord;
	return 0;
}

/* s is a copy whose options may be changed. */
static int apply_any(struct apply *a, struct signature *s, struct raw partial, int depth,
		     struct buf *tuple, struct err *e)
{
	int r = 0;

	if (depth > APPLY_DEPTH)
		return err_set(e, ERR_PROTOCOL, "signature: nested deeper than %d", APPLY_DEPTH);
	if (s->immutable)
		partial = (struct raw){ "", 0 };
	if (s->kind == SIGNATURE_GROUP)
		r = join_with_next(a, s, &s, e);
	if (r < 0)
		return r;
	switch (s->kind) {
	case SIGNATURE_CHAIN: return apply_chain(a, s, partial, depth, tuple, e);
	case SIGNATURE_GROUP: return apply_group(a, s, partial, depth, tuple, e);
	case SIGNATURE_CHORD: return apply_chord(a, s, partial, depth, tuple, e);
	default: return apply_send(a, s, partial, tuple, e);
	}
}

int apply_signature(struct apply *a, const struct signature *s, struct raw partial,
		    const struct signature_options *over, struct buf *tuple, struct err *e)
{
	struct signature *copy = signature_copy(&a->arena, s);

	apply_merge(a, copy, over);
	return apply_any(a, copy, partial, 0, tuple, e);
}
