/* SPDX-License-Identifier: MIT */
/* Signatures of a handler: built in the run's arena, applied into its outbox. */
#include "common/worker/run_private.h"

#include <stdarg.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/worker/apply.h"
#include "common/worker/signature.h"

enum { TUPLE_MAX = 64 << 20 };

static struct arena *arena_of(struct run *run)
{
	return &run_apply_of(run)->arena;
}

/* The first fault of all signatures of the run; run_apply says it. */
static void fault(struct run *run, const char *what, const char *json)
{
	if (!run->sig_fault)
		run->sig_fault = arena_keep(arena_of(run), mem_printf("%s: %.100s", what, json));
}

static struct raw kept(struct run *run, const char *json, const char *what)
{
	char *copy = arena_strndup(arena_of(run), json, strlen(json));
	struct raw r = RAW_NONE;

	if (!raw_whole(copy, strlen(copy), &r, NULL))
		fault(run, what, json);
	return r;
}

struct signature *run_sig(struct run *run, const char *task, const char *args, const char *kwargs)
{
	struct signature *s = signature_new(arena_of(run), SIGNATURE_TASK);

	s->task = arena_strndup(arena_of(run), task, strlen(task));
	if (args) {
		s->args = kept(run, args, "args of a signature are no JSON array");
		if (!raw_is_array(s->args))
			fault(run, "args of a signature are no JSON array", args);
	}
	if (kwargs) {
		s->kwargs = kept(run, kwargs, "kwargs of a signature are no JSON object");
		if (!raw_is_object(s->kwargs))
			fault(run, "kwargs of a signature are no JSON object", kwargs);
	}
	return s;
}

int run_sig_read(struct run *run, const char *json, struct signature **ret, struct err *e)
{
	struct arena *a = arena_of(run);
	size_t n = strlen(json);

	return signature_read(a, (struct raw){ arena_strndup(a, json, n), n }, ret, e);
}

static struct signature *container(struct run *run, enum signature_kind kind, va_list ap)
{
	struct signature *s = signature_new(arena_of(run), kind), *step;

	while ((step = va_arg(ap, struct signature *)))
		run_add(run, s, step);
	return s;
}

struct signature *run_chain(struct run *run, ...)
{
	struct signature *s;
	va_list ap;

	va_start(ap, run);
	s = container(run, SIGNATURE_CHAIN, ap);
	va_end(ap);
	return s;
}

struct signature *run_group(struct run *run, ...)
{
	struct signature *s;
	va_list ap;

	va_start(ap, run);
	s = container(run, SIGNATURE_GROUP, ap);
	va_end(ap);
	return s;
}

void run_add(struct run *run, struct signature *to, struct signature *step)
{
	signature_add_step(arena_of(run), to, step);
}

struct signature *run_chord(struct run *run, struct signature *group, struct signature *body)
{
	struct signature *header = group;

	if (group->kind != SIGNATURE_GROUP) {
		header = signature_new(arena_of(run), SIGNATURE_GROUP);
		run_add(run, header, group);
	}
	return signature_new_chord(arena_of(run), header, body);
}

void run_set(struct run *run, struct signature *s, const char *option, const char *json)
{
	signature_set(arena_of(run), s, option,
		      kept(run, json, "the value of an option is no JSON"));
}

void run_set_immutable(struct signature *s)
{
	s->immutable = s->changed = true;
}

static void link_as(struct run *run, struct signature *s, const char *name,
		    const struct signature *to)
{
	const char *text = signature_text(arena_of(run), to);

	signature_extend(arena_of(run), s, name, (struct raw){ text, strlen(text) });
}

void run_link(struct run *run, struct signature *s, struct signature *callback)
{
	link_as(run, s, "link", callback);
}

void run_link_error(struct run *run, struct signature *s, struct signature *errback)
{
	link_as(run, s, "link_error", errback);
}

static struct signature *quoted(struct run *run, const char *name, const char *value,
				struct signature *over)
{
	signature_set_string(arena_of(run), over, name, value);
	return over;
}

static int publish(struct run *run, struct signature *s, struct err *e)
{
	struct signature *over = signature_new(arena_of(run), SIGNATURE_TASK);
	const struct message *m = run->message;
	struct outbox_mark mark = outbox_mark(&run->outbox);
	struct buf tuple;
	int r;

	if (run->sig_fault)
		return err_set(e, ERR_INVALID, "%s", run->sig_fault);
	quoted(run, "parent_id", run->id, over);
	quoted(run, "root_id", m && m->root_id ? m->root_id : run->id, over);
	if (run_heir_priority(run) >= 0 && !signature_has(s, "priority"))
		signature_set_int(arena_of(run), over, "priority", run_heir_priority(run));
	buf_init(&tuple, TUPLE_MAX);
	r = apply_signature(run_apply_of(run), s, (struct raw){ "", 0 }, &over->options, &tuple, e);
	if (r < 0) {
		outbox_forget(&run->outbox, mark);
	} else {
		buf_puts(&run->children, run->children.len ? ", " : "");
		buf_append(&run->children, buf_text(&tuple), tuple.len);
	}
	buf_release(&tuple);
	return r;
}

int run_apply(struct run *run, struct signature *s, const char **ret_id, struct err *e)
{
	const char *id = apply_freeze(run_apply_of(run), s);

	if (!id)
		return err_set(e, ERR_TYPE, "signature: task_id is not a string");
	if (ret_id)
		*ret_id = id;
	return publish(run, s, e);
}

/* ---- ends ---- */

static int leave(struct run *run, enum run_exit exit, struct err *e, const char *text)
{
	if (!run->message)
		return err_set(e, ERR_INVALID, "%s: only a worker's task can end so", text);
	run->exit = exit;
	return err_set(e, ERR_CANCELLED, "%s", text);
}

int run_ignore(struct run *run, struct err *e)
{
	return leave(run, RUN_IGNORED, e, "ignored");
}

int run_reject(struct run *run, bool requeue, struct err *e, const char *fmt, ...)
{
	char text[ERR_MSG_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return leave(run, requeue ? RUN_REQUEUED : RUN_REJECTED, e, text);
}

/* Where s's result comes from becomes this task, one nesting deeper, by which the ledger tells them
 * apart. */
static void take_place(struct run *run, struct signature *s)
{
	while (s->kind == SIGNATURE_CHAIN || s->kind == SIGNATURE_CHORD) {
		s->changed = true;
		s = s->kind == SIGNATURE_CHORD ? s->body : s->steps[s->nsteps - 1];
	}
	signature_set_string(arena_of(run), s, "task_id", run->id);
	signature_set_int(arena_of(run), s, "replaced_task_nesting", run->key.nesting + 1);
	if (run->message->ignore_result)
		signature_set(arena_of(run), s, "ignore_result", RAW("true"));
	if (run->message->reply_to && *run->message->reply_to)
		signature_set_string(arena_of(run), s, "reply_to", run->message->reply_to);
}

static void take_canvas(struct run *run, struct signature *s)
{
	const struct message *m = run->message;
	struct arena *a = arena_of(run);

	signature_extend(a, s, "link", run->canvas.callbacks);
	signature_extend(a, s, "link_error", run->canvas.errbacks);
	signature_set(a, s, "chord", run->canvas.chord);
	signature_set(a, s, "chain", run->canvas.chain);
	signature_set_string(a, s, "group_id", m->group);
	if (m->group_index >= 0)
		signature_set_int(a, s, "group_index", m->group_index);
}

static bool is_empty(const struct signature *s)
{
	for (; s->kind != SIGNATURE_TASK; s = s->steps[s->nsteps - 1]) {
		if (s->kind == SIGNATURE_CHORD)
			return false;
		if (s->nsteps == 0)
			return true;
		if (s->kind == SIGNATURE_GROUP)
			return false;
	}
	return false;
}

int run_replace(struct run *run, struct signature *s, struct err *e)
{
	struct apply *a = run_apply_of(run);
	int r;

	if (!run->message)
		return err_set(e, ERR_INVALID, "only a worker's task can be replaced");
	if (signature_has(s, "chord"))
		return err_set(e, ERR_INVALID, "A signature replacing a task must not be part of a "
			       "chord");
	if (is_empty(s))
		return err_set(e, ERR_INVALID, "Cannot replace with an empty chain or group");
	r = run_load(run, e);
	if (r < 0)
		return r;
	if (s->kind == SIGNATURE_CHAIN)
		apply_freeze(a, s);	/* a group at its end is one that a body has to follow */
	if (s->kind == SIGNATURE_CHAIN && s->steps[s->nsteps - 1]->kind == SIGNATURE_GROUP) {
		struct signature **last = &s->steps[s->nsteps - 1];

		*last = run_chord(run, *last, run_sig(run, "celery.accumulate", NULL,
						      "{\"index\": 0}"));
	} else if (s->kind == SIGNATURE_GROUP) {
		s = run_chord(run, s, run_sig(run, "celery.accumulate", NULL, "{\"index\": 0}"));
	}
	take_place(run, s);
	take_canvas(run, s);
	r = publish(run, s, e);
	return r < 0 ? r : leave(run, RUN_REPLACED, e, "Replaced by new task");
}
