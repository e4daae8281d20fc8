/* SPDX-License-Identifier: MIT */
/* What is due later: held in this worker, and parked in PostgreSQL for its queues. The keeper knows
 * the parked ones; when it does not say so in time, the held ones are the answer. */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/worker/control_private.h"

enum { PATIENCE_MS = 500 };

struct schedule {
	struct control_job *job;	/* NULL: answered */
	struct control_list list;
	uv_timer_t timer;
	bool asked, closing;		/* the keeper's answer is to come; the timer's end, too */
};

static void add_entry(struct control_list *l, cJSON *request, const char *eta)
{
	cJSON *o = cJSON_CreateObject();

	json_set_str(o, "eta", eta);
	json_set_num(o, "priority", 6);		/* of Celery's timer */
	json_set(o, "request", request);
	cJSON_AddItemToArray(l->out, o);
}

static void add_held(void *ctx, const struct delivery *d)
{
	struct control_list *l = ctx;
	cJSON *request = control_list_describe(l, d, 0, 0);
	char when[CLOCK_ISO_SIZE];

	if (!request)
		return;
	clock_iso(d->eta_us, when);
	add_entry(l, request, when);
}

static void timer_closed(uv_handle_t *timer)
{
	struct schedule *s = timer->data;

	s->closing = false;
	if (!s->asked)
		free(s);
}

static void answer(struct schedule *s)
{
	struct control_job *job = s->job;

	s->job = NULL;
	if (s->list.hidden > 0)
		add_entry(&s->list, control_list_note(&s->list), NULL);
	control_answer(job, s->list.out);
	uv_close((uv_handle_t *)&s->timer, timer_closed);
}

static void late(uv_timer_t *timer)
{
	struct schedule *s = timer->data;

	if (s->job)
		answer(s);
}

static void add_parked(struct control_list *l, const char *json)
{
	cJSON *all = NULL, *item;

	if (json_parse(json, strlen(json), &all, NULL) < 0)
		return;
	while ((item = cJSON_DetachItemFromArray(all, 0)))
		cJSON_AddItemToArray(l->out, item);
	cJSON_Delete(all);
}

static void heard(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct schedule *s = ctx;

	(void)d;
	s->asked = false;
	if (s->job) {
		if (a->code == 0 && a->text)
			add_parked(&s->list, a->text);
		answer(s);
	} else if (!s->closing) {
		free(s);
	}
}

/* A PostgreSQL array. */
static char *queue_names(const struct worker *w)
{
	struct buf b;
	char *names;

	buf_init(&b, 1 << 20);
	buf_putc(&b, '{');
	for (size_t i = 0; i < w->nqueues; i++) {
		buf_puts(&b, i ? ",\"" : "\"");
		for (const char *p = w->queues[i].name; *p; p++) {
			if (*p == '"' || *p == '\\')
				buf_putc(&b, '\\');
			buf_putc(&b, *p);
		}
		buf_putc(&b, '"');
	}
	buf_putc(&b, '}');
	names = buf_take(&b);
	return names;
}

cJSON *control_scheduled(struct control_job *job)
{
	struct worker *w = job->w;
	struct schedule *s = mem_zalloc(sizeof *s);
	char *queues = queue_names(w);

	*s = (struct schedule){
		.job = job, .list = { .w = w, .out = cJSON_CreateArray() }, .asked = true,
		.closing = true,
	};
	worker_each_scheduled(w, add_held, &s->list);
	uv_timer_init(&w->loop, &s->timer);
	s->timer.data = s;
	uv_timer_start(&s->timer, late, PATIENCE_MS, 0);
	desk_parked(w->desk, queues, heard, s);
	free(queues);
	return NULL;
}
