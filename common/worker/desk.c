/* SPDX-License-Identifier: MIT */
#include "common/worker/desk.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/worker/delivery.h"
#include "common/worker/frame.h"
#include "common/worker/watch.h"

enum { DESK_DEADLINE_MS = 60000, DESK_BOUND = 2000, DESK_BYTES = 64 << 20 };

struct request {
	struct request *next;
	uint32_t number;
	int64_t deadline_ms;
	struct delivery *d;
	desk_done *done;
	void *ctx;
};

struct desk {
	struct frame_port port;
	int pidfd;
	struct watch watch;
	struct request *first, *last;	/* in the order they were sent: answers come so, too */
	size_t n;
	uint32_t next_number;
	order_fn *on_order;
	void *order_ctx;
};

static void finish_first(struct desk *k, const struct desk_answer *a)
{
	struct request *r = k->first;

	k->first = r->next;
	if (!k->first)
		k->last = NULL;
	k->n--;
	if (k->first)		/* the deadline is for silence, not for a long queue */
		k->first->deadline_ms = clock_mono_ms() + DESK_DEADLINE_MS;
	r->done(r->ctx, r->d, a);
	free(r);
}

static void keeper_gone(struct desk *k)
{
	struct desk_answer lost = { .code = -ERR_DB, .text = "the keeper is not there" };
	size_t n = k->n;

	watch_stop(&k->watch);
	frame_port_release(&k->port);
	if (k->pidfd >= 0)
		close(k->pidfd);
	k->pidfd = -1;
	while (n-- > 0)		/* callbacks may ask again: those are for the next keeper */
		finish_first(k, &lost);
}

static void take_admitted(struct desk *k, struct frame *f)
{
	uint32_t number = frame_get_u32(f);
	struct desk_answer a = { .code = (int)frame_get_i64(f) };

	a.verdict = (int)frame_get_u32(f);
	a.wait_ms = frame_get_i64(f);
	a.text = frame_get_str(f);
	if (k->first && k->first->number == number)
		finish_first(k, &a);
}

static void take_answer(struct desk *k, struct frame *f)
{
	uint32_t number = frame_get_u32(f);
	struct desk_answer a = { .code = (int)frame_get_i64(f) };

	a.text = frame_get_str(f);
	a.starts = (int32_t)frame_get_u32(f);
	a.arrivals = (int32_t)frame_get_u32(f);
	a.claimed = frame_get_u32(f) != 0;
	if (k->first && k->first->number == number)
		finish_first(k, &a);
}

static void take_order(struct desk *k, struct frame *f)
{
	struct order o = { .kind = (enum order_kind)frame_get_u32(f), .reason = "", .by = "" };

	o.name = frame_get_str(f);
	o.value = frame_get_str(f);
	o.on = frame_get_u32(f) != 0;
	o.at_ms = frame_get_i64(f);
	k->on_order(k->order_ctx, &o);
}

static void take(struct desk *k, struct frame *f)
{
	if (f->kind == FRAME_ANSWER)
		take_answer(k, f);
	else if (f->kind == FRAME_ADMITTED)
		take_admitted(k, f);
	else if (!k->on_order)
		return;
	else if (f->kind == FRAME_ORDER)
		take_order(k, f);
	else if (f->kind == FRAME_ORDERS_LOADED)
		k->on_order(k->order_ctx, NULL);
}

static void readable(void *ctx)
{
	struct desk *k = ctx;
	struct frame f;
	int r;

	if (k->port.fd < 0)
		return;
	r = frame_fill(&k->port, false);
	while (frame_next(&k->port, &f))
		take(k, &f);
	if (r < 0)
		keeper_gone(k);
	else
		desk_flush(k);
}

struct desk *desk_new(void *loop)
{
	struct desk *k = mem_zalloc(sizeof *k);

	frame_port_init(&k->port, -1);
	k->pidfd = -1;
	watch_init(&k->watch, loop, readable, k);
	return k;
}

void desk_free(struct desk *k)
{
	if (!k)
		return;
	keeper_gone(k);
	free(k);
}

void desk_keeper_came(struct desk *k, int fd, int pidfd)
{
	frame_port_release(&k->port);
	frame_port_init(&k->port, fd);
	k->pidfd = pidfd;
	watch_set(&k->watch, fd, POLLIN);
}

bool desk_has_keeper(const struct desk *k)
{
	return k->port.fd >= 0;
}

void desk_tick(struct desk *k)
{
	if (!k->first || clock_mono_ms() < k->first->deadline_ms)
		return;
	log_error("the keeper did not answer in %d ms and is replaced", DESK_DEADLINE_MS);
	if (k->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, k->pidfd, SIGKILL, NULL, 0);
	keeper_gone(k);
}

void desk_flush(struct desk *k)
{
	if (k->port.fd < 0)
		return;
	if (frame_flush(&k->port, false) < 0)
		return;		/* its end of file follows */
	watch_set(&k->watch, k->port.fd,
		  (short)(POLLIN | (frame_has_unsent(&k->port) ? POLLOUT : 0)));
}

static bool has_room(const struct desk *k)
{
	return k->port.out.len < DESK_BYTES;
}

bool desk_is_full(const struct desk *k)
{
	return k->n >= DESK_BOUND || !has_room(k);
}

static bool begin(struct desk *k, enum frame_kind kind, struct delivery *d, desk_done *done,
		  void *ctx)
{
	struct desk_answer lost = { .code = -ERR_DB, .text = "the keeper is not there" };
	struct request *r;

	if (k->port.fd >= 0 && !has_room(k))
		lost.text = "the keeper has more than it can take";
	if (k->port.fd < 0 || !has_room(k)) {
		done(ctx, d, &lost);
		return false;
	}
	r = mem_zalloc(sizeof *r);
	r->number = ++k->next_number;
	r->deadline_ms = clock_mono_ms() + DESK_DEADLINE_MS;
	r->d = d;
	r->done = done;
	r->ctx = ctx;
	if (k->last)
		k->last->next = r;
	else
		k->first = r;
	k->last = r;
	k->n++;
	frame_begin(&k->port, kind);
	frame_put_u32(&k->port, r->number);
	return true;
}

void desk_park(struct desk *k, struct delivery *d, const char *kind, const char *queue,
	       int64_t due_us, int64_t delay_ms, const char *reason, desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_PARK, d, done, ctx))
		return;
	frame_put_str(&k->port, kind);
	frame_put_str(&k->port, queue);
	frame_put_i64(&k->port, due_us);
	frame_put_i64(&k->port, delay_ms);
	frame_put_str(&k->port, reason);
	frame_put_u32(&k->port, (uint32_t)d->slot);
	frame_put_i64(&k->port, d->slot_ms ? clock_wall_ms() + d->slot_ms - clock_mono_ms() : 0);
	frame_put_bytes(&k->port, d->props, d->props_len);
	frame_put_bytes(&k->port, d->body, d->body_len);
	frame_end(&k->port);
}

static void put_count(struct desk *k, const struct delivery *d, int arrival, const char *cause)
{
	frame_put_str(&k->port, d->id);
	frame_put_u32(&k->port, (uint32_t)d->generation);
	frame_put_u32(&k->port, (uint32_t)d->retries);
	frame_put_u32(&k->port, (uint32_t)arrival);
	frame_put_str(&k->port, cause);
	frame_end(&k->port);
}

void desk_count(struct desk *k, struct delivery *d, bool arrival, const char *cause,
		desk_done *done, void *ctx)
{
	if (begin(k, FRAME_START, d, done, ctx))
		put_count(k, d, arrival, cause);
}

void desk_uncount(struct desk *k, const struct delivery *d, desk_done *done, void *ctx)
{
	if (begin(k, FRAME_START, NULL, done, ctx))
		put_count(k, d, -1, NULL);
}

void desk_verdict(struct desk *k, struct delivery *d, enum keeper_verdict v, const char *queue,
		  const char *text, const char *dead_cause, desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_VERDICT, d, done, ctx))
		return;
	frame_put_u32(&k->port, v);
	frame_put_str(&k->port, queue);
	frame_put_str(&k->port, text);
	frame_put_str(&k->port, dead_cause);
	frame_put_bytes(&k->port, d->props, d->props_len);
	frame_put_bytes(&k->port, d->body, d->body_len);
	frame_end(&k->port);
}

void desk_claim(struct desk *k, const struct delivery *d, enum keeper_claim what,
		const char *queue, int64_t lease_ms, desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_CLAIM, NULL, done, ctx))
		return;
	frame_put_u32(&k->port, what);
	frame_put_str(&k->port, queue);
	frame_put_i64(&k->port, lease_ms);
	frame_put_str(&k->port, d->id);
	frame_put_u32(&k->port, (uint32_t)d->generation);
	frame_put_u32(&k->port, (uint32_t)d->nesting);
	frame_put_u32(&k->port, (uint32_t)d->retries);
	frame_put_u32(&k->port, (uint32_t)d->hop);
	if (what == KEEPER_CLAIM) {
		frame_put_bytes(&k->port, d->props, d->props_len);
		frame_put_bytes(&k->port, d->body, d->body_len);
	}
	frame_end(&k->port);
}

void desk_order(struct desk *k, const struct order *o, desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_ORDER_WRITE, NULL, done, ctx))
		return;
	frame_put_u32(&k->port, o->kind);
	frame_put_str(&k->port, o->name ? o->name : "");
	frame_put_str(&k->port, o->value ? o->value : "");
	frame_put_str(&k->port, o->reason);
	frame_put_str(&k->port, o->by);
	frame_put_u32(&k->port, o->on);
	frame_end(&k->port);
}

void desk_admit(struct desk *k, struct delivery *d, const struct admit_ask *ask, desk_done *done,
		void *ctx)
{
	bool looked_at = (ask->want & (ADMIT_UNIQUE | ADMIT_LEASE)) != 0;

	if (!begin(k, FRAME_ADMIT, d, done, ctx))
		return;
	frame_put_u32(&k->port, ask->want);
	frame_put_i64(&k->port, (int64_t)(ask->rate * 1e6));
	frame_put_u32(&k->port, (uint32_t)ask->burst);
	frame_put_u32(&k->port, (uint32_t)ask->stamp);
	frame_put_str(&k->port, ask->parameter ? ask->parameter : "");
	frame_put_u32(&k->port, (uint32_t)ask->limit);
	frame_put_i64(&k->port, ask->lease_ms);
	frame_put_str(&k->port, d->name);
	frame_put_bytes(&k->port, d->props, looked_at ? d->props_len : 0);
	frame_put_bytes(&k->port, d->body, looked_at ? d->body_len : 0);
	frame_end(&k->port);
}

void desk_release(struct desk *k, const char *key, const char *id, bool unique, bool wake,
		  desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_RELEASE, NULL, done, ctx))
		return;
	frame_put_str(&k->port, key);
	frame_put_str(&k->port, id);
	frame_put_u32(&k->port, unique);
	frame_put_u32(&k->port, wake);
	frame_end(&k->port);
}

void desk_renew(struct desk *k, const struct delivery *const *held, size_t n, int64_t lease_ms,
		desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_RENEW, NULL, done, ctx))
		return;
	frame_put_i64(&k->port, lease_ms);
	frame_put_u32(&k->port, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		frame_put_str(&k->port, held[i]->lease);
		frame_put_str(&k->port, held[i]->id);
	}
	frame_end(&k->port);
}

void desk_parked(struct desk *k, const char *queues, desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_PARKED, NULL, done, ctx))
		return;
	frame_put_str(&k->port, queues);
	frame_end(&k->port);
}

void desk_rate(struct desk *k, const char *task, desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_RATE, NULL, done, ctx))
		return;
	frame_put_str(&k->port, task);
	frame_end(&k->port);
}

void desk_on_orders(struct desk *k, order_fn *fn, void *ctx)
{
	k->on_order = fn;
	k->order_ctx = ctx;
}

void desk_beat(struct desk *k, const struct desk_beat *b, desk_done *done, void *ctx)
{
	if (!begin(k, FRAME_BEAT, NULL, done, ctx))
		return;
	frame_put_str(&k->port, b->state);
	frame_put_str(&k->port, b->queues);
	frame_put_u32(&k->port, (uint32_t)b->concurrency);
	frame_put_u32(&k->port, (uint32_t)b->active);
	frame_put_u32(&k->port, (uint32_t)b->reserved);
	frame_put_i64(&k->port, b->processed);
	frame_put_i64(&k->port, b->failed);
	frame_put_str(&k->port, b->info);
	frame_end(&k->port);
}
