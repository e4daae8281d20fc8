/* SPDX-License-Identifier: MIT */
#include "common/worker/buffer.h"

#include "common/base/mem.h"

void buffer_init(struct buffer *b, enum conf_order order)
{
	*b = (struct buffer){ .order = order };
	for (int i = 0; i < BUFFER_MAX_QUEUES; i++)
		b->queue[i].weight = 1;
}

void buffer_set_weight(struct buffer *b, int queue, int weight)
{
	b->queue[queue].weight = weight > 0 ? weight : 1;
}

static void count_in(struct buffer *b, const struct delivery *d)
{
	struct buffer_queue *q = &b->queue[d->queue];

	if (d->queue >= b->used)
		b->used = d->queue + 1;
	q->filled |= 1u << d->priority;
	q->n++;
	b->n++;
	b->bytes += delivery_bytes(d);
}

void buffer_put(struct buffer *b, struct delivery *d)
{
	d->seq = ++b->next_seq;
	delivery_push(&b->queue[d->queue].by_priority[d->priority], d);
	count_in(b, d);
}

void buffer_put_front(struct buffer *b, struct delivery *d)
{
	delivery_push_front(&b->queue[d->queue].by_priority[d->priority], d);
	count_in(b, d);
}

static void take_out(struct buffer *b, struct delivery *d)
{
	struct buffer_queue *q = &b->queue[d->queue];

	delivery_remove(&q->by_priority[d->priority], d);
	if (!q->by_priority[d->priority].first)
		q->filled &= ~(1u << d->priority);
	q->n--;
	b->n--;
	b->bytes -= delivery_bytes(d);
}

static struct delivery *head(const struct buffer_queue *q)
{
	return q->n ? q->by_priority[31 - __builtin_clz(q->filled)].first : NULL;
}

static struct delivery *by_priority(const struct buffer *b)
{
	struct delivery *best = NULL;

	for (int i = 0; i < b->used; i++) {
		struct delivery *d = head(&b->queue[i]);

		if (d && (!best || d->priority > best->priority ||
			  (d->priority == best->priority && d->seq < best->seq)))
			best = d;
	}
	return best;
}

static struct delivery *strictly(const struct buffer *b)
{
	for (int i = 0; i < b->used; i++)
		if (b->queue[i].n)
			return head(&b->queue[i]);
	return NULL;
}

static struct delivery *by_weight(const struct buffer *b)
{
	const struct buffer_queue *best = NULL;

	for (int i = 0; i < b->used; i++) {
		const struct buffer_queue *q = &b->queue[i];

		if (q->n && (!best || q->credit + q->weight > best->credit + best->weight))
			best = q;
	}
	return best ? head(best) : NULL;
}

struct delivery *buffer_next(const struct buffer *b)
{
	if (b->n == 0)
		return NULL;
	for (int i = 0; i < b->used; i++) {
		struct delivery *d = head(&b->queue[i]);

		if (d && d->seq == BUFFER_FIRST)
			return d;
	}
	switch (b->order) {
	case CONF_ORDER_STRICT: return strictly(b);
	case CONF_ORDER_WEIGHTED: return by_weight(b);
	default: return by_priority(b);
	}
}

static void pay(struct buffer *b, struct buffer_queue *chosen)
{
	int total = 0;

	for (int i = 0; i < b->used; i++) {
		struct buffer_queue *q = &b->queue[i];

		if (q->n == 0)
			continue;
		q->credit += q->weight;
		total += q->weight;
	}
	chosen->credit -= total;
}

void buffer_take(struct buffer *b, struct delivery *d)
{
	if (b->order == CONF_ORDER_WEIGHTED)
		pay(b, &b->queue[d->queue]);
	take_out(b, d);
}

struct delivery *buffer_pop(struct buffer *b, int queue)
{
	struct delivery *d = head(&b->queue[queue]);

	if (d)
		take_out(b, d);
	return d;
}

void buffer_each(const struct buffer *b, buffer_each_fn *fn, void *ctx)
{
	for (int i = 0; i < b->used; i++)
		for (int p = DELIVERY_PRIORITIES - 1; p >= 0 && b->queue[i].n; p--)
			for (struct delivery *d = b->queue[i].by_priority[p].first; d; d = d->next)
				fn(ctx, d);
}
