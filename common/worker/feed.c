/* SPDX-License-Identifier: MIT */
/* Feeding the pool by priority, and what becomes of a delivery when it comes back from it. */
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/worker/worker_private.h"

enum {
	SHORT_US = 2500,		/* four of them are 10 ms: what may stand before a priority 9 */
	COPY_WAIT_MS = 200,
	STORE_AWAY_MS = 1000,
	AGAIN_MAX_MS = 5000,
	DEATH_BACKOFF_MS = 100, DEATH_BACKOFF_MAX_MS = 5000,
	AHEAD_US = 250000,		/* work that prefetch keeps at hand for each child */
	PREFETCH_MAX = 600,
	LONG_US = 1000000,
};

static const double AVERAGE_WEIGHT = 0.1;

struct catalog_task *feed_spec(const struct worker *w, const struct delivery *d)
{
	return d->task == DELIVERY_UNKNOWN_TASK ? NULL : &w->catalog.tasks[d->task];
}

void feed_ack(struct worker *w, struct delivery *d)
{
	FAULT_POINT("before-ack");
	consumer_ack(w->consumer, d);
	delivery_free(d);
}

static bool is_short(const struct catalog_task *t)
{
	return t->run_us > 0 && t->run_us < SHORT_US;
}

static struct delivery *next_buffered(struct worker *w)
{
	for (int p = DELIVERY_PRIORITIES - 1; p >= 0; p--)
		if (w->buffer[p].first)
			return w->buffer[p].first;
	return NULL;
}

static void start_counted(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct worker *w = ctx;
	char text[256];

	delivery_remove(&w->outside, d);
	if (a->code < 0) {
		log_warn("task %s waits: its start cannot be counted: %s", d->id, a->text);
		gate_hold(w, d, STORE_AWAY_MS);
		return;
	}
	if (a->starts > w->program.conf->fleet.start_budget) {
		snprintf(text, sizeof text, "%s (%lld starts did not end)",
			 d->cause ? d->cause : "Worker exited prematurely",
			 (long long)a->starts);
		gate_verdict(w, d, KEEPER_LOST, text, "lost");
		return;
	}
	d->start_counted = true;
	gate_decide(w, d);
}

/* False: not now, and somebody else has it. */
static bool may_start(struct worker *w, struct delivery *d, const struct catalog_task *t)
{
	if (d->expires_us && clock_wall_us() >= d->expires_us) {
		gate_decide(w, d);
		return false;
	}
	if ((d->ask_ledger || d->hop > 0) && pool_runs(w->pool, d->id)) {
		gate_hold(w, d, COPY_WAIT_MS);
		return false;
	}
	if (d->ask_ledger && t->ledger && !d->start_counted) {
		delivery_push(&w->outside, d);
		desk_count(w->desk, d, false, d->cause ? d->cause : "redelivered", start_counted,
			   w);
		return false;
	}
	return true;
}

void feed(struct worker *w)
{
	struct delivery *d;

	while (w->state == WORKER_RUNNING && (d = next_buffered(w))) {
		struct catalog_task *t = feed_spec(w, d);
		int child = pool_room(w->pool, is_short(t));

		if (child < 0)
			return;
		delivery_remove(&w->buffer[d->priority], d);
		if (!may_start(w, d, t))
			continue;
		FAULT_POINT("before-hand-over");
		pool_hand(w->pool, child, d, w->queues[d->queue].name,
			  d->soft_ms > 0 ? d->soft_ms : t->soft_ms,
			  d->hard_ms > 0 ? d->hard_ms : t->hard_ms, is_short(t));
	}
}

static void measure(double *average, int64_t us)
{
	double v = us > 0 ? (double)us : 1;

	*average = *average > 0 ? *average * (1 - AVERAGE_WEIGHT) + v * AVERAGE_WEIGHT : v;
}

void feed_done(void *ctx, struct delivery *d, const struct pool_done *done)
{
	struct worker *w = ctx;
	struct catalog_task *t = feed_spec(w, d);
	int64_t wait = done->delay_ms << (d->again < 4 ? d->again : 4);

	measure(&t->run_us, done->run_us);
	measure(&w->queues[d->queue].run_us, done->run_us);
	switch (done->verdict) {
	case CHILD_SETTLED:
		w->processed++;
		t->done++;
		w->failed += done->outcome == LEDGER_FAILURE;
		w->retried += done->outcome == LEDGER_RETRY;
		feed_ack(w, d);
		break;
	case CHILD_DEAD:
		w->processed++;
		w->failed++;
		d->name[0] = '\0';
		gate_dead(w, d, "malformed", done->reason ? done->reason : "not understood");
		break;
	case CHILD_AGAIN:
		w->redispatched++;
		d->again++;
		d->ask_ledger = d->start_counted = true;
		gate_hold(w, d, wait < AGAIN_MAX_MS ? wait : AGAIN_MAX_MS);
		break;
	}
}

void feed_weigh(struct worker *w, const struct delivery *d)
{
	measure(&w->queues[d->queue].bytes, (int64_t)delivery_bytes(d));
}

void feed_lost(void *ctx, struct delivery *d, bool hard, const char *cause)
{
	struct worker *w = ctx;
	struct catalog_task *t = feed_spec(w, d);
	int64_t wait = (int64_t)DEATH_BACKOFF_MS << (d->deaths < 6 ? d->deaths : 6);
	char text[128];

	d->deaths++;
	d->ask_ledger = true;
	d->start_counted = false;
	mem_replace(&d->cause, mem_strdup(cause));
	log_warn("child lost id=%s task=%s deaths=%d cause=\"%s\"%s", d->id, d->name, d->deaths,
		 cause, hard ? " (hard time limit)" : "");
	if (hard) {
		snprintf(text, sizeof text, "%g",
			 (double)(d->hard_ms > 0 ? d->hard_ms : t->hard_ms) / 1000);
		gate_verdict(w, d, KEEPER_HARD_LIMIT, text, NULL);
	} else if (!t->redeliver) {
		gate_verdict(w, d, KEEPER_LOST, cause, "interrupted");
	} else if (!t->ledger && d->deaths > w->program.conf->fleet.start_budget) {
		gate_verdict(w, d, KEEPER_LOST, cause, "lost");
	} else {
		w->redispatched++;
		gate_hold(w, d, wait < DEATH_BACKOFF_MAX_MS ? wait : DEATH_BACKOFF_MAX_MS);
	}
}

void feed_untouched(void *ctx, struct delivery *d)
{
	struct worker *w = ctx;

	if (consumer_owns(w->consumer, d) && w->state < WORKER_DRAINING)
		delivery_push_front(&w->buffer[d->priority], d);
	else
		gate_decide(w, d);
}

size_t feed_reserved(const struct worker *w)
{
	size_t n = w->held.n + w->outside.n;

	for (int p = 0; p < DELIVERY_PRIORITIES; p++)
		n += w->buffer[p].n;
	return n;
}

static size_t buffered_bytes(const struct worker *w)
{
	size_t n = w->held.bytes + w->outside.bytes;

	for (int p = 0; p < DELIVERY_PRIORITIES; p++)
		n += w->buffer[p].bytes;
	return n;
}

/* One per child for long tasks; for short ones as much as AHEAD_US of work, as far as messages of
 * their average size fit into the buffer. A full buffer or desk lets nothing more in: a window no
 * larger than what is unsettled stops the broker. */
static int wanted_prefetch(const struct worker *w, double run_us, double bytes)
{
	double ahead;

	if (buffered_bytes(w) > (size_t)w->program.conf->fleet.buffer_bytes ||
	    desk_is_full(w->desk))
		return 1;
	if (run_us >= LONG_US)
		return w->children;
	ahead = run_us > 0 ? w->children * (AHEAD_US / run_us) : w->children * 2;
	if (ahead * bytes > (double)w->program.conf->fleet.buffer_bytes)
		ahead = (double)w->program.conf->fleet.buffer_bytes / bytes;
	if (ahead < w->children * 2)
		ahead = w->children * 2;
	return ahead > PREFETCH_MAX ? PREFETCH_MAX : (int)ahead;
}

void feed_tune(struct worker *w)
{
	for (size_t i = 0; i < w->nqueues; i++) {
		const struct conf_queue *q = conf_queue(w->program.conf, w->queues[i].name);
		int have = consumer_prefetch(w->consumer, (int)i), want;

		want = q && q->prefetch > 0 ? q->prefetch :
		       wanted_prefetch(w, w->queues[i].run_us, w->queues[i].bytes);
		/* Small corrections are not worth a frame. */
		if (want > have * 5 / 4 || want < have * 3 / 4 || want == w->children)
			consumer_set_prefetch(w->consumer, (int)i, want);
	}
}
