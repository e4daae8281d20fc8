/* SPDX-License-Identifier: MIT */
#include "common/worker/outbox.h"

#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "common/store/join.h"
#include "common/store/pending.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/stores.h"

enum { CLAIM_MS = 5000, PUBLISH_MS = 2000, PROPS_MAX = 1 << 20, BYTES_MAX = 1 << 30 };

void outbox_init(struct outbox *o)
{
	*o = (struct outbox){ 0 };
}

static void item_release(struct outbox_item *x)
{
	free(x->id);
	free(x->task);
	free(x->queue);
	free(x->exchange);
	free(x->props);
	free(x->body);
}

static void join_release(struct outbox_join *j)
{
	free(j->id);
	free(j->body);
	free(j->tree);
}

void outbox_release(struct outbox *o)
{
	o->unstored = o->n;
	o->unstored_joins = o->njoins;
	outbox_forget_unstored(o);
	free(o->items);
	free(o->joins);
	outbox_init(o);
}

struct outbox_mark outbox_mark(const struct outbox *o)
{
	return (struct outbox_mark){ o->n, o->njoins };
}

void outbox_forget(struct outbox *o, struct outbox_mark to)
{
	for (; o->n > to.n && o->unstored > 0; o->unstored--) {
		struct outbox_item *x = &o->items[--o->n];

		o->bytes -= x->props_len + x->body_len;
		item_release(x);
	}
	for (; o->njoins > to.njoins && o->unstored_joins > 0; o->unstored_joins--)
		join_release(&o->joins[--o->njoins]);
}

void outbox_forget_unstored(struct outbox *o)
{
	outbox_forget(o, (struct outbox_mark){ 0, 0 });
}

bool outbox_has_unstored(const struct outbox *o)
{
	return o->unstored > 0 || o->unstored_joins > 0;
}

bool outbox_has_delayed(const struct outbox *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->items[i].delay_ms > 0)
			return true;
	return false;
}

static struct outbox_item *add_item(struct outbox *o)
{
	if (o->n == o->room) {
		o->room = o->room ? o->room * 2 : 4;
		o->items = mem_realloc(o->items, o->room * sizeof *o->items);
	}
	o->unstored++;
	return &o->items[o->n++];
}

int outbox_add(struct outbox *o, const struct message *m, const char *queue, const char *exchange,
	       int64_t delay_ms, struct err *e)
{
	struct buf props;
	size_t len;
	int r;

	if (o->n == OUTBOX_MAX || o->bytes > BYTES_MAX)
		return err_set(e, ERR_TOO_BIG, "more than %d messages, or 1 GiB of them, from one "
			       "task", OUTBOX_MAX);
	buf_init(&props, PROPS_MAX);
	r = message_encode(m, &props, e);
	len = props.len;
	if (r >= 0) {
		*add_item(o) = (struct outbox_item){
			.id = mem_strdup(m->id), .task = mem_strdup(m->task),
			.queue = mem_strdup(queue), .exchange = mem_strdup(exchange),
			.props = mem_dup(props.data, len), .props_len = len,
			.body = mem_dup(m->body, m->body_len), .body_len = m->body_len,
			.generation = m->generation, .nesting = m->nesting, .retries = m->retries,
			.delay_ms = delay_ms,
		};
		o->bytes += len + m->body_len;
	}
	buf_release(&props);
	return r;
}

int outbox_add_join(struct outbox *o, const char *id, int64_t size, const char *body,
		    const char *tree, struct err *e)
{
	if (size > JOIN_PARTS_MAX)
		return err_set(e, ERR_TOO_BIG, "a chord of %lld parts, over %d",
			       (long long)size, JOIN_PARTS_MAX);
	o->joins = mem_realloc(o->joins, (o->njoins + 1) * sizeof *o->joins);
	o->joins[o->njoins++] = (struct outbox_join){ .id = mem_strdup(id), .size = size,
						      .body = mem_strdup(body),
						      .tree = mem_strdup(tree) };
	o->unstored_joins++;
	return 0;
}

/* The more there are, the longer it takes to publish all of them and to say so. */
static int64_t claim_ms(const struct outbox *o)
{
	return CLAIM_MS + (int64_t)o->n;
}

static struct pending_row row_of(const struct outbox *o, const struct outbox_item *x)
{
	return (struct pending_row){
		.task_id = x->id, .generation = x->generation, .nesting = x->nesting,
		.retries = x->retries, .kind = x->delay_ms > 0 ? "eta" : "outbox",
		.task = x->task, .queue = x->queue, .props = x->props, .props_len = x->props_len,
		.body = x->body, .body_len = x->body_len, .delay_ms = x->delay_ms,
		.claim_ms = x->delay_ms > 0 ? 0 : claim_ms(o),
	};
}

/* As GroupResult.save writes it. */
static char *saved_tree(const struct outbox_join *j)
{
	return j->tree ? mem_printf("{\"result\": %s}", j->tree) : NULL;
}

static int note_join(const struct outbox_join *j, struct pg *pg, struct err *e)
{
	char *tree = saved_tree(j);
	int r = join_note(pg, j->id, j->size, j->body, tree, e);

	free(tree);
	return r;
}

int outbox_store(struct outbox *o, struct pg *pg, struct err *e)
{
	size_t first = o->n - o->unstored;
	struct pending_row *rows = mem_alloc((o->unstored + 1) * sizeof *rows);
	size_t n = 0;
	int r;

	for (size_t i = first; i < o->n; i++)
		if (!o->items[i].sent)
			rows[n++] = row_of(o, &o->items[i]);
	r = pending_insert_many(pg, rows, n, e);
	free(rows);
	for (size_t i = o->njoins - o->unstored_joins; i < o->njoins && r >= 0; i++)
		r = note_join(&o->joins[i], pg, e);
	if (r < 0)
		return r;
	for (size_t i = first; i < o->n; i++)
		o->items[i].stored = !o->items[i].sent;
	o->unstored = o->unstored_joins = 0;
	return 0;
}

void outbox_unstore(struct outbox *o, size_t n, size_t njoins)
{
	for (size_t i = o->n - n; i < o->n; i++)
		o->items[i].stored = false;
	o->unstored = n;
	o->unstored_joins = njoins;
}

static int save_tree(struct redis *redis, const struct outbox_join *j, int64_t expires_s,
		     struct err *e)
{
	char *key = mem_printf("celery-taskset-meta-%s", j->id);
	char *value = saved_tree(j), seconds[24];
	int r;

	snprintf(seconds, sizeof seconds, "%lld", (long long)expires_s);
	r = expires_s > 0 ? redis_cmd(redis, NULL, e, "SETEX", key, seconds, value, NULL) :
			    redis_cmd(redis, NULL, e, "SET", key, value, NULL);
	free(key);
	free(value);
	return r;
}

int outbox_start(struct outbox *o, struct stores *stores, struct err *e)
{
	int64_t expires_s = stores->conf->fleet.result_expires_s;
	struct redis *redis;
	int r = o->njoins ? stores_redis(stores, &redis, e) : 0;

	for (size_t i = 0; i < o->njoins && r >= 0; i++) {
		if (o->joins[i].tree)
			r = save_tree(redis, &o->joins[i], expires_s, e);
		if (r >= 0)
			r = join_start(redis, o->joins[i].id, o->joins[i].size, expires_s, e);
	}
	return r;
}

static void confirmed(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	struct outbox *o = ctx;

	o->items[tag].sent = outcome == PUBLISH_CONFIRMED;
}

/* Not marked means published once more by the relay: the ledger keeps that harmless. */
static void mark_sent(struct outbox *o, struct stores *stores)
{
	struct pending_row *ours = mem_alloc(2 * (o->n + 1) * sizeof *ours), *others = ours + o->n;
	struct err e = { 0 };
	struct pg *pg;
	size_t n = 0, m = 0;
	int r = 0;

	for (size_t i = 0; i < o->n; i++) {
		const struct outbox_item *x = &o->items[i];

		if (!x->sent || !x->stored)
			continue;
		if (conf_queue(stores->conf, x->queue) && !x->exchange)
			ours[n++] = row_of(o, x);
		else
			others[m++] = row_of(o, x);
	}
	if (n + m > 0)
		r = stores_pg(stores, &pg, &e);
	if (n > 0 && r >= 0)
		r = pending_mark_sent(pg, ours, n, &e);
	if (m > 0 && r >= 0)
		r = pending_forget(pg, others, m, &e);
	if (r < 0)
		log_debug("follow-ups not marked sent: %s", e.msg);
	free(ours);
}

static bool is_due(const struct outbox_item *x)
{
	return !x->sent && x->delay_ms == 0;
}

static size_t count_due(const struct outbox *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += is_due(&o->items[i]);
	return n;
}

static int send_due(struct outbox *o, struct publisher *p, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < o->n && r >= 0; i++) {
		const struct outbox_item *x = &o->items[i];

		if (is_due(x))
			r = publisher_send(p, x->exchange ? x->exchange : "", x->queue, x->props,
					   x->props_len, x->body, x->body_len, i, PUBLISH_MS, e);
	}
	return r < 0 ? r : publisher_wait(p, PUBLISH_MS, e);
}

size_t outbox_publish(struct outbox *o, struct stores *stores)
{
	struct publisher *p;
	struct err e = { 0 };
	int r;

	if (count_due(o) == 0 || stores_publisher(stores, &p, &e) < 0)
		return count_due(o);
	publisher_on_done(p, confirmed, o);
	r = send_due(o, p, &e);
	publisher_on_done(p, NULL, NULL);
	if (r != 0) {
		/* A late confirm must not be taken for another run's. */
		publisher_close(stores->publisher);
		stores->publisher = NULL;
	}
	mark_sent(o, stores);
	return count_due(o);
}
