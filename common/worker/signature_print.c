/* SPDX-License-Identifier: MIT */
/* A signature's text: as it came while nothing of it was changed, else put together anew. */
#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/worker/signature.h"

enum { PRINT_MAX = 256 << 20 };

static const char *const TASKS[] = {
	[SIGNATURE_CHAIN] = "celery.chain", [SIGNATURE_GROUP] = "celery.group",
	[SIGNATURE_CHORD] = "celery.chord",
};

static bool is_changed(const struct signature *s)
{
	bool changed = s->changed;

	for (size_t i = 0; i < s->nsteps && !changed; i++)
		changed = is_changed(s->steps[i]);
	return changed || (s->header && is_changed(s->header)) || (s->body && is_changed(s->body));
}

static void put_options(struct buf *out, const struct signature_options *o)
{
	bool first = true;

	buf_putc(out, '{');
	for (size_t i = 0; i < o->n; i++) {
		const struct signature_option *x = &o->list[i];

		if (!x->value.at)
			continue;
		buf_puts(out, first ? "" : ", ");
		buf_append(out, x->key.at, x->key.len);
		buf_puts(out, ": ");
		buf_append(out, x->value.at, x->value.len);
		first = false;
	}
	buf_putc(out, '}');
}

static void put_steps(struct buf *out, const struct signature *s)
{
	buf_puts(out, "{\"tasks\": [");
	for (size_t i = 0; i < s->nsteps; i++) {
		buf_puts(out, i ? ", " : "");
		signature_print(out, s->steps[i]);
	}
	buf_puts(out, "]}");
}

static void put_kwargs(struct buf *out, const struct signature *s)
{
	if (s->kind == SIGNATURE_TASK) {
		buf_append(out, s->kwargs.at, s->kwargs.len);
	} else if (s->kind == SIGNATURE_CHORD) {
		buf_puts(out, "{\"kwargs\": {}, \"header\": ");
		signature_print(out, s->header);
		buf_puts(out, ", \"body\": ");
		signature_print(out, s->body);
		buf_putc(out, '}');
	} else {
		put_steps(out, s);
	}
}

void signature_print(struct buf *out, const struct signature *s)
{
	if (s->text.at && !is_changed(s)) {
		buf_append(out, s->text.at, s->text.len);
		return;
	}
	buf_puts(out, "{\"task\": ");
	buf_put_json_string(out, s->kind == SIGNATURE_TASK ? s->task : TASKS[s->kind]);
	buf_puts(out, ", \"args\": ");
	buf_append(out, s->args.at, s->args.len);
	buf_puts(out, ", \"kwargs\": ");
	put_kwargs(out, s);
	buf_puts(out, ", \"options\": ");
	put_options(out, &s->options);
	buf_puts(out, ", \"subtask_type\": ");
	if (s->kind == SIGNATURE_TASK)
		buf_puts(out, "null");
	else
		buf_put_json_string(out, TASKS[s->kind] + strlen("celery."));
	buf_puts(out, s->immutable ? ", \"immutable\": true}" : ", \"immutable\": false}");
}

char *signature_text(struct arena *a, const struct signature *s)
{
	struct buf b;

	buf_init(&b, PRINT_MAX);
	signature_print(&b, s);
	return arena_keep(a, buf_take(&b));
}
