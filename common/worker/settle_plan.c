/* SPDX-License-Identifier: MIT */
#include "common/worker/settle_plan.h"

#include <utf8proc.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/pyrepr.h"
#include "common/store/result.h"
#include "common/worker/run_private.h"
#include "common/worker/settle.h"

enum {
	META_MAX = 64 << 20,
	PROPS_MAX = 1 << 20,
	PARK_MS = 60000,		/* a source that did not say when to come back */
	EVENT_TEXT_MAX = 1024,
};

char *plan_event_of_result(const char *json)
{
	struct buf b;

	buf_init(&b, 2 * EVENT_TEXT_MAX);
	pyrepr_put(&b, json, strlen(json), false, EVENT_TEXT_MAX);
	return buf_take(&b);
}

/* As Python shows an exception: MyError('boom') */
static char *event_of_error(const struct err *error)
{
	struct buf text, b;

	buf_init(&text, 8 * ERR_MSG_SIZE);
	buf_init(&b, 2 * EVENT_TEXT_MAX);
	buf_put_json_string(&text, error->msg);
	buf_printf(&b, "%s(", err_exc_type(error));
	pyrepr_put(&b, buf_text(&text), text.len, false, EVENT_TEXT_MAX - 100);
	buf_putc(&b, ')');
	buf_release(&text);
	return buf_take(&b);
}

bool plan_wants_result(const struct run *run)
{
	return run->message && !run->message->ignore_result && !run->task->ignore_result;
}

void plan_init(struct plan *p, enum ledger_outcome outcome, const char *status)
{
	*p = (struct plan){ .outcome = outcome, .status = status };
	p->end.outcome = outcome;
	buf_init(&p->meta, META_MAX);
	buf_init(&p->json, META_MAX);
	buf_init(&p->props, PROPS_MAX);
}

void plan_release(struct plan *p)
{
	buf_release(&p->meta);
	buf_release(&p->json);
	buf_release(&p->props);
}

/* Without a wish for it the ledger still needs it, where the canvas has to be repeated from it. */
int plan_meta(struct plan *p, struct run *run, const char *json, const char *traceback,
	      struct err *e)
{
	if (!plan_wants_result(run) && !(run->ledger && settle_has_end(run, p->outcome)))
		return 0;
	return run_print_state(run, p->status, json, traceback, &p->meta, e);
}

static struct raw meta_member(const struct plan *p, const char *name)
{
	return p->meta.len ? raw_member((struct raw){ p->meta.data, p->meta.len }, name) : RAW_NONE;
}

int plan_error(struct plan *p, struct run *run, const struct err *error, struct settle *ret,
	       struct err *e)
{
	char *trace = mem_printf("Traceback (most recent call last):\n  File \"%s\", in %s\n    "
				 "task %s, attempt %d, queue %s, node %s\n%s.%s: %s\n",
				 run->stores->name, run->task->task->name, run->id,
				 run->key.retries + 1, run->queue, run->node,
				 err_exc_module(error), err_exc_type(error), error->msg);
	int r = result_print_error(&p->json, err_exc_type(error), error->msg,
				   err_exc_module(error), e);

	p->cause = err_name(error->code);
	p->end.json = (struct raw){ p->json.data, p->json.len };
	if (r >= 0)
		r = plan_meta(p, run, buf_text(&p->json), trace, e);
	p->end.traceback = meta_member(p, "traceback");
	if (ret->wants_event) {
		mem_replace(&ret->event_text, event_of_error(error));
		mem_replace(&ret->event_trace, mem_strdup(trace));
	}
	free(trace);
	return r;
}

int plan_check_result(const struct run *run, const char *result, struct err *e)
{
	size_t most = (size_t)run->stores->conf->fleet.max_message_bytes, n = strlen(result);
	utf8proc_int32_t cp;

	if (n > most)
		return err_set(e, ERR_TOO_BIG, "the result of %s has %zu bytes, over %zu "
			       "(fleet.max_message)", run->task->task->name, n, most);
	for (size_t i = 0; i < n;) {
		utf8proc_ssize_t used = (unsigned char)result[i] < 0x80 ? 1 :
			utf8proc_iterate((const utf8proc_uint8_t *)result + i,
					 (utf8proc_ssize_t)(n - i), &cp);

		if (used <= 0)
			return err_set(e, ERR_INVALID, "the result of %s is not valid UTF-8 at "
				       "byte %zu", run->task->task->name, i);
		i += (size_t)used;
	}
	return 0;
}

static void eta_in(int64_t delay_ms, char out[CLOCK_ISO_SIZE])
{
	clock_iso(clock_wall_us() + delay_ms * 1000, out);
}

/* The same message once more, one attempt further. Its broker expiration goes: the broker would
 * drop it without a word, while the gate honours the expires header. */
int plan_retry(struct plan *p, struct run *run, int64_t delay_ms, struct err *e)
{
	static const char *const brokers[] = { "x-death", "x-first-death-", "x-last-death-",
					       "x-delivery-count" };
	struct message m = *run->message;
	char eta[CLOCK_ISO_SIZE];
	int r;

	for (size_t i = 0; i < COUNT(brokers); i++)
		message_drop_headers(run->message, brokers[i]);
	eta_in(delay_ms, eta);
	m.retries++;
	m.hop = m.admitted = 0;
	m.slot_ms = 0;
	m.parent_id = m.id;
	m.expiration = NULL;
	m.eta = eta;
	r = pending_from_message(&p->next, &m, "retry", run->queue, &p->props, e);
	p->next.delay_ms = delay_ms;
	p->next.reason = p->cause;
	p->has_next = true;
	return r;
}

int plan_park(struct plan *p, struct run *run, const struct err *error, struct err *e)
{
	int r = pending_from_message(&p->next, run->message, "parked", run->queue, &p->props, e);

	p->next.delay_ms = error->retry_after_ms > 0 ? error->retry_after_ms : PARK_MS;
	p->next.reason = error->msg;
	p->has_next = p->no_row = true;
	return r;
}

int plan_dead(struct plan *p, struct run *run, const char *cause, const struct err *error,
	      struct err *e)
{
	const struct message *m = run->message;
	int r = message_encode(m, &p->props, e);

	p->dead = (struct dead_letter){
		.task_id = m->id, .generation = m->generation, .task = m->task,
		.queue = run->queue, .cause = cause, .reason = error->msg,
		.props = p->props.data, .props_len = p->props.len, .body = m->body,
		.body_len = m->body_len,
	};
	return r;
}
