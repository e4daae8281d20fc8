/* SPDX-License-Identifier: MIT */
#include "common/worker/orders.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { FIRST_ROOM = 64 };

struct entry {
	struct entry *next;		/* of its bucket */
	double when;			/* epoch seconds */
	char key[];
};

/* Keys in the order they came; past most the oldest goes. */
struct fifo {
	struct entry **ring, **buckets;
	size_t room, first, n;		/* room: of both, a power of two */
};

/* A resumed one stays, so that an older order of the other store cannot undo it. */
struct pause {
	enum order_kind kind;
	bool on;
	int64_t at_ms;
	char *name;
};

struct orders {
	struct fifo ids, stamps;
	struct pause *pauses;
	size_t npauses;
	bool loaded;
};

/* FNV-1a (draft-eastlake-fnv-17) */
static size_t hash(const char *key)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

static struct entry **place(const struct fifo *f, const char *key)
{
	struct entry **p = &f->buckets[hash(key) & (f->room - 1)];

	while (*p && strcmp((*p)->key, key) != 0)
		p = &(*p)->next;
	return p;
}

static bool has(const struct fifo *f, const char *key)
{
	return f->n && *place(f, key);
}

static struct entry *at(const struct fifo *f, size_t i)
{
	return f->ring[(f->first + i) & (f->room - 1)];
}

static void grow(struct fifo *f)
{
	struct fifo more = { .room = f->room ? f->room * 2 : FIRST_ROOM, .n = f->n };

	more.ring = mem_zalloc(more.room * sizeof *more.ring);
	more.buckets = mem_zalloc(more.room * sizeof *more.buckets);
	for (size_t i = 0; i < f->n; i++) {
		struct entry *e = at(f, i);
		struct entry **p = &more.buckets[hash(e->key) & (more.room - 1)];

		e->next = *p;
		*p = e;
		more.ring[i] = e;
	}
	free(f->ring);
	free(f->buckets);
	*f = more;
}

static void drop_first(struct fifo *f)
{
	struct entry *e = at(f, 0), **p = place(f, e->key);

	*p = e->next;
	f->first = (f->first + 1) & (f->room - 1);
	f->n--;
	free(e);
}

static void push(struct fifo *f, const char *key)
{
	size_t len = strlen(key) + 1;
	struct entry *e, **p;

	if (has(f, key))
		return;
	if (f->n >= ORDERS_MAX)
		drop_first(f);
	if (f->n == f->room)
		grow(f);
	e = mem_zalloc(sizeof *e + len);
	e->when = (double)clock_wall_us() / 1000000;
	memcpy(e->key, key, len);
	p = place(f, key);
	*p = e;
	f->ring[(f->first + f->n++) & (f->room - 1)] = e;
}

static void release(struct fifo *f)
{
	while (f->n)
		drop_first(f);
	free(f->ring);
	free(f->buckets);
}

struct orders *orders_new(void)
{
	return mem_zalloc(sizeof(struct orders));
}

void orders_free(struct orders *o)
{
	if (!o)
		return;
	release(&o->ids);
	release(&o->stamps);
	for (size_t i = 0; i < o->npauses; i++)
		free(o->pauses[i].name);
	free(o->pauses);
	free(o);
}

static char *stamp_key(const char *name, const char *value)
{
	return mem_printf("%s\x1f%s", name, value);
}

static struct pause *find_pause(const struct orders *o, enum order_kind kind, const char *name)
{
	for (size_t i = 0; i < o->npauses; i++)
		if (o->pauses[i].kind == kind && strcmp(o->pauses[i].name, name) == 0)
			return &o->pauses[i];
	return NULL;
}

static bool holds(const struct orders *o, enum order_kind kind, const char *name)
{
	const struct pause *p = find_pause(o, kind, name);

	return p && p->on;
}

static const char *pause_name(const struct order *order)
{
	return order->kind == ORDER_PAUSE_FLEET ? "" : order->name;
}

static void set_pause(struct orders *o, const struct order *order)
{
	struct pause *p = find_pause(o, order->kind, pause_name(order));

	if (!p) {
		o->pauses = mem_realloc(o->pauses, (o->npauses + 1) * sizeof *o->pauses);
		p = &o->pauses[o->npauses++];
		*p = (struct pause){ .kind = order->kind, .name = mem_strdup(pause_name(order)) };
	}
	if (order->at_ms && order->at_ms < p->at_ms)
		return;
	p->on = order->on;
	p->at_ms = order->at_ms;
}

bool orders_knows(const struct orders *o, const struct order *order)
{
	const struct pause *p;
	char *key;
	bool known;

	switch (order->kind) {
	case ORDER_REVOKE_ID:
		return has(&o->ids, order->value);
	case ORDER_REVOKE_STAMP:
		key = stamp_key(order->name, order->value);
		known = has(&o->stamps, key);
		free(key);
		return known;
	default:
		p = find_pause(o, order->kind, pause_name(order));
		return p && p->at_ms >= order->at_ms;
	}
}

void orders_apply(struct orders *o, const struct order *order)
{
	char *key;

	switch (order->kind) {
	case ORDER_REVOKE_ID:
		push(&o->ids, order->value);
		break;
	case ORDER_REVOKE_STAMP:
		key = stamp_key(order->name, order->value);
		push(&o->stamps, key);
		free(key);
		break;
	default:
		set_pause(o, order);
	}
}

void orders_set_loaded(struct orders *o)
{
	o->loaded = true;
}

bool orders_loaded(const struct orders *o)
{
	return o->loaded;
}

bool orders_revokes_id(const struct orders *o, const char *id)
{
	return has(&o->ids, id);
}

bool orders_has_stamps(const struct orders *o)
{
	return o->stamps.n > 0;
}

static bool revokes_stamp(const struct orders *o, const char *name, const cJSON *value)
{
	char *text = cJSON_IsString(value) ? mem_strdup(value->valuestring) : json_print(value);
	char *key = stamp_key(name, text);
	bool is = has(&o->stamps, key);

	free(key);
	free(text);
	return is;
}

bool orders_revokes_stamps(const struct orders *o, const cJSON *stamps)
{
	const cJSON *stamp, *value;

	if (!o->stamps.n || !cJSON_IsObject(stamps))
		return false;
	cJSON_ArrayForEach(stamp, stamps) {
		if (!cJSON_IsArray(stamp)) {
			if (revokes_stamp(o, stamp->string, stamp))
				return true;
			continue;
		}
		cJSON_ArrayForEach(value, stamp)
			if (revokes_stamp(o, stamp->string, value))
				return true;
	}
	return false;
}

bool orders_pauses_task(const struct orders *o, const char *task)
{
	return o->npauses && holds(o, ORDER_PAUSE_TASK, task);
}

bool orders_pauses_queue(const struct orders *o, const char *queue)
{
	return o->npauses && (holds(o, ORDER_PAUSE_FLEET, "") ||
			      holds(o, ORDER_PAUSE_QUEUE, queue));
}

size_t orders_revoked(const struct orders *o)
{
	return o->ids.n;
}

const char *orders_revoked_id(const struct orders *o, size_t i, double *ret_when)
{
	if (i >= o->ids.n)
		return NULL;
	if (ret_when)
		*ret_when = at(&o->ids, i)->when;
	return at(&o->ids, i)->key;
}
