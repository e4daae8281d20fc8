/* SPDX-License-Identifier: MIT */
#include "common/worker/plain.h"

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/raw.h"
#include "common/base/uuid.h"
#include "common/worker/worker_private.h"

enum { PROPS_MAX = 1 << 18, AWAY_MS = 1000, LOW = 2, NORMAL = 5, HIGH = 8, HIGHEST = 9 };

static const struct catalog_task *task_of(const struct worker *w, const struct delivery *d)
{
	for (size_t i = 0; i < w->catalog.n; i++) {
		const char *plain = w->catalog.tasks[i].task->plain;

		if (plain && strcmp(plain, w->queues[d->queue].name) == 0)
			return &w->catalog.tasks[i];
	}
	return NULL;
}

bool plain_is(const struct worker *w, const struct delivery *d, const struct message *m)
{
	struct raw body;

	return d->body && !m->task && !m->id && task_of(w, d) &&
	       raw_whole(d->body, d->body_len, &body, NULL) && raw_is_object(body) &&
	       !raw_member(body, "task").at;
}

static int priority_of(struct raw body, int fallback)
{
	struct raw value = raw_member(body, "priority");
	double n;

	if (raw_is(value, "\"low\""))
		return LOW;
	if (raw_is(value, "\"normal\""))
		return NORMAL;
	if (raw_is(value, "\"high\""))
		return HIGH;
	return raw_number(value, &n) && n >= 0 && n <= HIGHEST ? (int)n : fallback;
}

static int make(struct worker *w, const struct delivery *d, struct message *ret, struct err *e)
{
	const struct catalog_task *t = task_of(w, d);
	struct message *old = &w->scratch;
	char id[UUID_SIZE], *kwargs;
	struct raw body;
	int r;

	if (!t || !raw_whole(d->body, d->body_len, &body, NULL))
		return err_set(e, ERR_PROTOCOL, "no call");
	message_decode(old, d->props, d->props_len, "", 0, NULL);
	uuid_v4(id);
	kwargs = raw_dup(body);
	r = message_new(ret, t->task->name,
			old->correlation_id && *old->correlation_id ? old->correlation_id : id,
			NULL, kwargs, e);
	free(kwargs);
	ret->priority = old->priority != MESSAGE_NO_PRIORITY ? old->priority :
							       priority_of(body, t->priority);
	return r;
}

void plain_send(struct worker *w, struct delivery *d)
{
	struct message m;
	struct buf props;
	struct err e = { 0 };
	bool taken = false;
	int r;

	message_init(&m);
	buf_init(&props, PROPS_MAX);
	r = make(w, d, &m, &e);
	if (r >= 0)
		r = message_encode(&m, &props, &e);
	delivery_push(&w->outside, d);
	if (r >= 0)
		taken = outlet_publish(w->outlet, w->queues[d->queue].name, props.data, props.len,
				       m.body, m.body_len, d);
	if (taken)
		log_debug("plain message taken as a call task=%s task_id=%s", m.task, m.id);
	else
		delivery_remove(&w->outside, d);
	buf_release(&props);
	message_release(&m);
	if (!taken && r < 0)
		gate_dead(w, d, "malformed", e.msg);
	else if (!taken)
		gate_hold(w, d, AWAY_MS);
}
