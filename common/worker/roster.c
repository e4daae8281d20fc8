/* SPDX-License-Identifier: MIT */
/* The roster: which deliveries a worker holds, for remote control, and the heartbeat row that tells
 * the rest of the fleet. */
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/worker/worker_private.h"

enum { LISTED_MAX = 1000, BEAT_MAX = 1 << 20 };

static const char *const STATES[] = { "starting", "running", "draining", "stopped" };

struct each {
	worker_each_fn *fn;
	void *ctx;
};

static void pass(void *ctx, struct delivery *d)
{
	struct each *x = ctx;

	x->fn(x->ctx, d);
}

static bool waits_for_time(const struct delivery *d)
{
	return d->eta_us > clock_wall_us();
}

void worker_each_reserved(const struct worker *w, worker_each_fn *fn, void *ctx)
{
	struct each x = { fn, ctx };

	buffer_each(&w->buffer, pass, &x);
	for (struct delivery *d = w->held.first; d; d = d->next)
		if (!waits_for_time(d))
			fn(ctx, d);
	for (struct delivery *d = w->outside.first; d; d = d->next)
		fn(ctx, d);
}

void worker_each_scheduled(const struct worker *w, worker_each_fn *fn, void *ctx)
{
	for (struct delivery *d = w->held.first; d; d = d->next)
		if (waits_for_time(d))
			fn(ctx, d);
}

struct list {
	struct buf *out;
	const struct worker *w;
	int n;
	bool reserved, truncated;
};

static bool has_room(struct list *l)
{
	if (l->n++ < LISTED_MAX)
		return true;
	l->truncated = true;
	return false;
}

static void put_active(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	struct list *l = ctx;
	double since = (double)(clock_wall_us() - (clock_mono_us() - started_us)) / 1e6;

	(void)pid;
	if (started_us == 0 || !has_room(l))
		return;
	buf_puts(l->out, l->n > 1 ? ", {\"id\": " : "{\"id\": ");
	buf_put_json_string(l->out, d->id);
	buf_puts(l->out, ", \"name\": ");
	buf_put_json_string(l->out, d->name);
	buf_printf(l->out, ", \"since\": %.3f}", since);
}

static void put_reserved(void *ctx, const struct delivery *d)
{
	struct list *l = ctx;

	if (!has_room(l))
		return;
	if (l->n > 1)
		buf_puts(l->out, ", ");
	buf_put_json_string(l->out, d->id);
}

static void put_handed(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	(void)pid;
	if (started_us == 0)
		put_reserved(ctx, d);
}

/* Whether one of these has run, nobody can tell from the ledger. */
static void put_loose(const struct catalog *c, struct buf *out)
{
	int n = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->tasks[i].ledger)
			continue;
		buf_puts(out, n++ ? ", " : "");
		buf_put_json_string(out, c->tasks[i].task->name);
	}
}

/* What autoscale reckons with. */
static void put_measures(const struct worker *w, struct buf *out)
{
	int n = 0;

	buf_printf(out, "\"bounds\": [%d, %d], \"run_us\": {", w->least, w->most);
	for (size_t i = 0; i < w->nqueues; i++) {
		if (w->queues[i].run_us < 1)
			continue;
		buf_puts(out, n++ ? ", " : "");
		buf_put_json_string(out, w->queues[i].name);
		buf_printf(out, ": %.0f", w->queues[i].run_us);
	}
	buf_puts(out, "}");
}

static void put_info(const struct worker *w, struct buf *out)
{
	struct list active = { .out = out, .w = w }, reserved = { .out = out, .w = w };

	buf_puts(out, "{\"active\": [");
	pool_each(w->pool, put_active, &active);
	buf_puts(out, "], \"reserved\": [");
	pool_each(w->pool, put_handed, &reserved);
	worker_each_reserved(w, put_reserved, &reserved);
	worker_each_scheduled(w, put_reserved, &reserved);
	buf_puts(out, "], \"loose\": [");
	put_loose(&w->catalog, out);
	buf_puts(out, "], ");
	put_measures(w, out);
	buf_puts(out, ", ");
	meter_put(w, out);
	buf_printf(out, ", \"truncated\": %s}",
		   active.truncated || reserved.truncated ? "true" : "false");
}

static void beat_done(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct worker *w = ctx;

	(void)d;
	w->beat_waits = false;
	w->beat_heard = true;
	if (a->code == -ERR_SCHEMA && w->state < WORKER_DRAINING) {
		log_error("%s", a->text);
		w->exit_code = OPTS_EXIT_AGAIN;
		worker_drain(w, "the database's schema is too old");
	} else if (a->code < 0) {
		log_debug("no heartbeat row: %s", a->text);
	}
}

static void list_queues(const struct worker *w, struct buf *out)
{
	buf_putc(out, '{');
	for (size_t i = 0; i < w->nqueues; i++)
		buf_printf(out, "%s\"%.200s\"", i ? "," : "", w->queues[i].name);
	buf_putc(out, '}');
}

void worker_beat(struct worker *w, int64_t now)
{
	struct buf queues, info;
	struct desk_beat b;

	if (w->beat_waits || now < w->beat_ms)
		return;
	buf_init(&queues, BEAT_MAX);
	buf_init(&info, BEAT_MAX);
	list_queues(w, &queues);
	put_info(w, &info);
	b = (struct desk_beat){
		.state = STATES[w->state], .queues = buf_text(&queues), .info = buf_text(&info),
		.concurrency = w->children, .active = (int)pool_busy(w->pool),
		.reserved = (int)feed_reserved(w), .processed = w->processed, .failed = w->failed,
	};
	w->beat_ms = now + w->program.conf->fleet.heartbeat_s * 1000;
	w->beat_waits = true;
	desk_beat(w->desk, &b, beat_done, w);
	buf_release(&queues);
	buf_release(&info);
}
