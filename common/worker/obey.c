/* SPDX-License-Identifier: MIT */
#include "common/worker/obey.h"

#include "common/base/log.h"
#include "common/store/pending.h"
#include "common/worker/worker_private.h"

/* The stamps are in the headers, which are looked at only while some stamp is revoked. */
static bool stamp_revoked(struct worker *w, const struct delivery *d)
{
	struct message *m = &w->scratch;
	cJSON *stamps;
	bool revoked;

	if (!orders_has_stamps(w->orders) ||
	    message_decode(m, d->props, d->props_len, "", 0, NULL) < 0)
		return false;
	stamps = message_header(m, "stamps");
	revoked = orders_revokes_stamps(w->orders, stamps);
	cJSON_Delete(stamps);
	return revoked;
}

bool obey_stops(struct worker *w, struct delivery *d)
{
	if (!*d->id || !d->body)
		return false;
	if (orders_revokes_id(w->orders, d->id) || stamp_revoked(w, d)) {
		log_each(worker_log_task(w, d), "revoked id=%s task=%s", d->id, d->name);
		gate_verdict(w, d, KEEPER_REVOKED, "revoked", NULL);
		return true;
	}
	if (orders_pauses_queue(w->orders, w->queues[d->queue].name)) {
		gate_give_back(w, d);
		return true;
	}
	if (!orders_pauses_task(w->orders, d->name))
		return false;
	if (d->claimed)		/* its row in pending is there already */
		gate_give_back(w, d);
	else
		gate_park(w, d, "parked", 0, PENDING_NEVER, "paused");
	return true;
}

void obey_queue(struct worker *w, int queue)
{
	const char *name = w->queues[queue].name;
	bool paused = orders_pauses_queue(w->orders, name);
	bool was = (consumer_off(w->consumer, queue) & CONSUMER_PAUSED) != 0;

	if (paused == was)
		return;
	log_info("%s queue=%s", paused ? "paused" : "resumed", name);
	consumer_switch(w->consumer, queue, CONSUMER_PAUSED, paused);
	if (paused)
		gate_give_back_queue(w, queue);
}

void obey_order(void *ctx, const struct order *o)
{
	struct worker *w = ctx;

	if (!o) {
		orders_set_loaded(w->orders);
		return;
	}
	orders_apply(w->orders, o);
	if (o->kind == ORDER_PAUSE_QUEUE || o->kind == ORDER_PAUSE_FLEET)
		for (int i = 0; i < (int)w->nqueues; i++)
			obey_queue(w, i);
}
