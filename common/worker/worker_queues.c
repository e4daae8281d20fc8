/* SPDX-License-Identifier: MIT */
/* The queues of a running worker and the bounds of its pool, as remote control moves them. */
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/worker/obey.h"
#include "common/worker/slot.h"
#include "common/worker/worker_private.h"

void worker_scale(struct worker *w, int least, int most)
{
	least = least < 1 ? 1 : least > SLOT_MAX_CHILDREN ? SLOT_MAX_CHILDREN : least;
	most = most < least ? least : most > SLOT_MAX_CHILDREN ? SLOT_MAX_CHILDREN : most;
	w->least = least;
	w->most = most;
	w->children = w->children < least ? least : w->children > most ? most : w->children;
	log_info("pool children=%d least=%d most=%d", w->children, least, most);
	pool_resize(w->pool, w->children);
}

void worker_weigh_queues(struct worker *w)
{
	for (size_t i = 0; i < w->nqueues; i++) {
		const struct conf_queue *q = conf_queue(w->program.conf, w->queues[i].name);

		buffer_set_weight(&w->buffer, (int)i, q ? q->weight : 1);
	}
}

static int find(const struct worker *w, const char *name)
{
	for (size_t i = 0; i < w->nqueues; i++)
		if (strcmp(w->queues[i].name, name) == 0)
			return (int)i;
	return -1;
}

static char *copy(const char *s)
{
	return s && *s ? mem_strdup(s) : NULL;
}

int worker_add_queue(struct worker *w, const char *name, const char *exchange, const char *type,
		     const char *key)
{
	const struct conf_queue *q = conf_queue(w->program.conf, name);
	struct worker_queue *mine;
	struct consumer_queue_conf conf;
	int at = find(w, name);

	if (at >= 0) {
		consumer_switch(w->consumer, at, CONSUMER_DROPPED, false);
		return 0;
	}
	if (w->nqueues == WORKER_MAX_QUEUES)
		return -1;
	mine = &w->queues[w->nqueues];
	*mine = (struct worker_queue){ .name = mem_strdup(name), .exchange = copy(exchange),
				       .exchange_type = copy(type), .key = copy(key) };
	conf = (struct consumer_queue_conf){
		.name = mine->name, .max_priority = q ? q->max_priority : 0,
		.quorum = q && q->type == CONF_QUEUE_QUORUM,
		.delivery_limit = q ? q->delivery_limit : 0, .exchange = mine->exchange,
		.exchange_type = mine->exchange_type, .key = mine->key,
	};
	buffer_set_weight(&w->buffer, (int)w->nqueues, q ? q->weight : 1);
	w->nqueues++;
	if (consumer_add(w->consumer, &conf) < 0)
		return -1;
	obey_queue(w, (int)w->nqueues - 1);
	return 0;
}

bool worker_cancel_queue(struct worker *w, const char *name)
{
	int at = find(w, name);

	if (at < 0 || (consumer_off(w->consumer, at) & CONSUMER_DROPPED))
		return false;
	consumer_switch(w->consumer, at, CONSUMER_DROPPED, true);
	return true;
}
