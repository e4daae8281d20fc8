/* SPDX-License-Identifier: MIT */
#include "common/worker/delivery.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/broker/link.h"
#include "common/broker/message.h"

struct delivery *delivery_new(const struct link_event *ev, const struct message *m)
{
	const char *id = m->id ? m->id : "", *name = m->task ? m->task : "";
	size_t nid = strlen(id) + 1, nname = strlen(name) + 1;
	size_t body_len = ev->body ? ev->body_len : 0;
	struct delivery *d = mem_zalloc(sizeof *d + nid + nname + ev->props_len + body_len + 2);
	int priority = m->priority;

	d->id = (char *)(d + 1);
	d->name = d->id + nid;
	d->props = d->name + nname;
	d->body = ev->body ? d->props + ev->props_len + 1 : NULL;
	memcpy(d->id, id, nid);
	memcpy(d->name, name, nname);
	if (ev->props_len)
		memcpy(d->props, ev->props, ev->props_len);
	if (body_len)
		memcpy(d->body, ev->body, body_len);
	d->props_len = ev->props_len;
	d->body_len = body_len;
	d->tag = ev->tag;
	d->ask_ledger = ev->redelivered;
	d->priority = priority < 0 ? 0 : priority >= DELIVERY_PRIORITIES ?
			DELIVERY_PRIORITIES - 1 : priority;
	d->task = DELIVERY_UNKNOWN_TASK;
	d->generation = m->generation;
	d->retries = m->retries;
	d->hop = m->hop;
	d->nesting = m->nesting;
	d->forwards = m->forwards;
	d->slot = m->admitted;
	if (m->slot_ms)
		d->slot_ms = clock_mono_ms() + m->slot_ms - clock_wall_ms();
	d->unique = m->unique;
	d->hard_ms = m->hard_ms;
	d->soft_ms = m->soft_ms;
	d->arrived_ms = clock_mono_ms();
	return d;
}

void delivery_free(struct delivery *d)
{
	if (d) {
		free(d->cause);
		free(d->lease);
	}
	free(d);
}

size_t delivery_bytes(const struct delivery *d)
{
	return sizeof *d + d->props_len + d->body_len;
}

void delivery_push(struct delivery_list *l, struct delivery *d)
{
	d->next = NULL;
	d->prev = l->last;
	if (l->last)
		l->last->next = d;
	else
		l->first = d;
	l->last = d;
	l->n++;
	l->bytes += delivery_bytes(d);
}

void delivery_push_front(struct delivery_list *l, struct delivery *d)
{
	d->prev = NULL;
	d->next = l->first;
	if (l->first)
		l->first->prev = d;
	else
		l->last = d;
	l->first = d;
	l->n++;
	l->bytes += delivery_bytes(d);
}

void delivery_remove(struct delivery_list *l, struct delivery *d)
{
	if (d->prev)
		d->prev->next = d->next;
	else
		l->first = d->next;
	if (d->next)
		d->next->prev = d->prev;
	else
		l->last = d->prev;
	d->next = d->prev = NULL;
	l->n--;
	l->bytes -= delivery_bytes(d);
}

struct delivery *delivery_pop(struct delivery_list *l)
{
	struct delivery *d = l->first;

	if (d)
		delivery_remove(l, d);
	return d;
}
