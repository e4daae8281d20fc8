/* SPDX-License-Identifier: MIT */
/* Feeding the pool by priority, and what becomes of a delivery when it comes back from it. */
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/worker/admit.h"
#include "common/worker/obey.h"
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
	RELIEF_MS = 1000,
	NARROW_MS = 60000,		/* so long nothing is taken that would go back again */
	/* A task that kills the whole worker takes its neighbours along each time: whoever was
	 * there more often than that begins alone, so that only the culprit spends its budget. Not
	 * for longer than ALONE_MS: neither does it wait longer, nor do the others. */
	ALONE_STARTS = 1, ALONE_MS = 10000, ALONE_ASK_MS = 100,
	GROW_US = 100000,		/* work at hand for a child, beyond which one more is worth it */
};

static const double AVERAGE_WEIGHT = 0.1;

struct catalog_task *feed_spec(const struct worker *w, const struct delivery *d)
{
	return d->task == DELIVERY_UNKNOWN_TASK ? NULL : &w->catalog.tasks[d->task];
}

void feed_ack(struct worker *w, struct delivery *d)
{
	FAULT_POINT("before-ack");
	admit_end(w, d, false);
	if (d->claimed)
		claim_end(w, d, false);
	else
		consumer_ack(w->consumer, d);
	delivery_free(d);
}

static bool is_short(const struct catalog_task *t)
{
	return t->run_us > 0 && t->run_us < SHORT_US;
}

void feed_suspect(struct delivery *d, int64_t starts)
{
	if (starts >= ALONE_STARTS)
		d->alone_until_ms = clock_mono_ms() + ALONE_MS;
}

void feed_end_solo(struct worker *w, const struct delivery *d)
{
	if (d->alone_until_ms && d->start_counted)
		w->solo_until_ms = 0;
}

/* One that must begin alone was counted, or runs; only that one passes. */
static bool is_solo(const struct worker *w, const struct delivery *next)
{
	return clock_mono_ms() < w->solo_until_ms && !(next->alone_until_ms && next->start_counted);
}

/* Waits for the others to end, and for its turn among those that begin alone. */
static bool waits_for_solo(const struct worker *w, const struct delivery *d)
{
	int64_t now = clock_mono_ms();

	return now < d->alone_until_ms && (pool_busy(w->pool) > 0 || now < w->solo_until_ms);
}

static void start_counted(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct worker *w = ctx;
	char text[256];

	delivery_remove(&w->outside, d);
	if (d->alone_until_ms &&
	    (a->code < 0 || a->starts > w->program.conf->fleet.start_budget))
		w->solo_until_ms = 0;
	if (a->code < 0) {
		log_about(LOG_LEVEL_WARNING, worker_log_task(w, d),
			  "task %s waits: its start cannot be counted: %s", d->id, a->text);
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
	if (!d->alone_until_ms || !gate_owns(w, d) || w->state != WORKER_RUNNING) {
		gate_decide(w, d);
		return;
	}
	d->priority = DELIVERY_PRIORITIES - 1;	/* the others wait for it */
	d->seq = BUFFER_FIRST;
	buffer_put_front(&w->buffer, d);
}

/* False: not now, and somebody else has it. */
static bool may_start(struct worker *w, struct delivery *d, const struct catalog_task *t)
{
	if (obey_stops(w, d))
		return false;
	if (d->expires_us && clock_wall_us() >= d->expires_us) {
		gate_decide(w, d);
		return false;
	}
	/* One that ran beside its copy already and did not get its lock (the copy is frozen, say)
	 * must not wait for the copy's end. */
	if ((d->ask_ledger || d->hop > 0) && d->again == 0 && pool_runs(w->pool, d->id)) {
		gate_hold(w, d, COPY_WAIT_MS);
		return false;
	}
	if (!d->start_counted && waits_for_solo(w, d)) {
		gate_hold(w, d, ALONE_ASK_MS);
		return false;
	}
	if (d->ask_ledger && t->ledger && !d->start_counted) {
		if (clock_mono_ms() < d->alone_until_ms)
			w->solo_until_ms = clock_mono_ms() + ALONE_MS;
		delivery_push(&w->outside, d);
		desk_count(w->desk, d, false, d->cause ? d->cause : "redelivered", start_counted,
			   w);
		return false;
	}
	return admit_start(w, d);
}

static struct pool_hand how_to_hand(const struct worker *w, const struct delivery *d,
				    const struct catalog_task *t)
{
	return (struct pool_hand){
		.queue = w->queues[d->queue].name,
		.soft_ms = d->soft_ms > 0 ? d->soft_ms : catalog_soft_ms(t),
		.hard_ms = d->hard_ms > 0 ? d->hard_ms : catalog_hard_ms(t),
		.flags = (d->ask_ledger ? CHILD_ASK_LEDGER : 0) | (events_on(w) ? CHILD_EVENTS : 0),
		.is_short = is_short(t),
	};
}

void feed(struct worker *w)
{
	struct delivery *d;

	while (w->state == WORKER_RUNNING && (d = buffer_next(&w->buffer))) {
		struct catalog_task *t = feed_spec(w, d);
		int child = pool_room(w->pool, is_short(t));
		struct pool_hand how;

		if (child < 0 || is_solo(w, d))
			return;
		buffer_take(&w->buffer, d);
		if (!may_start(w, d, t))
			continue;
		FAULT_POINT("before-hand-over");
		how = how_to_hand(w, d, t);
		pool_hand(w->pool, child, d, &how);
	}
}

void feed_started(void *ctx, struct delivery *d, pid_t pid)
{
	struct worker *w = ctx;

	if (events_on(w))
		events_started(w, d, pid);
}

static void tell_end(struct worker *w, const struct delivery *d, const struct pool_done *done)
{
	switch (done->outcome) {
	case LEDGER_SUCCESS:
		events_succeeded(w, d, done->event_text, done->run_us);
		break;
	case LEDGER_FAILURE:
		events_failed(w, d, done->event_text, done->event_trace);
		break;
	case LEDGER_RETRY:
	case LEDGER_REPLACED:
		events_retried(w, d, done->event_text, done->event_trace);
		break;
	case LEDGER_REVOKED:
		events_revoked(w, d, false, 0, false);
		break;
	case LEDGER_REJECTED:
		events_rejected(w, d, false);
		break;
	default:
		break;
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

	feed_end_solo(w, d);
	measure(&t->run_us, done->run_us);
	measure(&w->queues[d->queue].run_us, done->run_us);
	admit_end(w, d, done->verdict == CHILD_SETTLED && ledger_outcome_is_final(done->outcome));
	switch (done->verdict) {
	case CHILD_SETTLED:
		if (events_on(w))
			tell_end(w, d, done);
		meter_done(w, d, done);
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
	case CHILD_REQUEUE:
		if (events_on(w))
			events_rejected(w, d, true);
		gate_give_back(w, d);
		break;
	case CHILD_UNENDED:
		w->redispatched++;
		d->ask_ledger = true;
		d->start_counted = false;	/* the next start is counted, up to start_budget */
		mem_replace(&d->cause, mem_strdup(done->reason ? done->reason : "did not end"));
		gate_hold(w, d, wait < AGAIN_MAX_MS ? wait : AGAIN_MAX_MS);
		d->again++;
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

void feed_lost(void *ctx, struct delivery *d, const struct pool_loss *loss)
{
	struct worker *w = ctx;
	struct catalog_task *t = feed_spec(w, d);
	int64_t wait = (int64_t)DEATH_BACKOFF_MS << (d->deaths < 6 ? d->deaths : 6);
	char text[128];

	admit_end(w, d, false);
	feed_end_solo(w, d);
	d->deaths++;
	d->ask_ledger = true;
	d->start_counted = false;
	mem_replace(&d->cause, mem_strdup(loss->cause));
	log_about(LOG_LEVEL_WARNING, worker_log_task(w, d),
		  "child lost id=%s task=%s deaths=%d cause=\"%s\"%s", d->id, d->name, d->deaths,
		  loss->cause, loss->hard ? " (hard time limit)" :
		  loss->terminated ? " (terminated)" : "");
	if (loss->terminated) {
		d->terminated = loss->terminated;
		gate_verdict(w, d, KEEPER_REVOKED, "terminated", NULL);
	} else if (loss->hard) {
		snprintf(text, sizeof text, "%g",
			 (double)(d->hard_ms > 0 ? d->hard_ms : catalog_hard_ms(t)) / 1000);
		gate_verdict(w, d, KEEPER_HARD_LIMIT, text, NULL);
	} else if (!t->redeliver) {
		gate_verdict(w, d, KEEPER_LOST, loss->cause, "interrupted");
	} else if (!t->ledger && d->deaths > w->program.conf->fleet.start_budget) {
		gate_verdict(w, d, KEEPER_LOST, loss->cause, "lost");
	} else {
		w->redispatched++;
		gate_hold(w, d, wait < DEATH_BACKOFF_MAX_MS ? wait : DEATH_BACKOFF_MAX_MS);
	}
}

void feed_untouched(void *ctx, struct delivery *d)
{
	struct worker *w = ctx;

	feed_end_solo(w, d);
	if (gate_owns(w, d) && w->state < WORKER_DRAINING)
		buffer_put_front(&w->buffer, d);
	else
		gate_decide(w, d);
}

size_t feed_reserved(const struct worker *w)
{
	return w->held.n + w->outside.n + w->buffer.n;
}

static size_t buffered_bytes(const struct worker *w)
{
	return w->held.bytes + w->outside.bytes + w->buffer.bytes;
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
	if (w->relieved)
		return w->children;
	if (run_us >= LONG_US)
		return w->most;		/* one for each child that there may be: growth sees it */
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
		if (clock_mono_ms() < w->narrow_until_ms && want > w->children)
			want = w->children;
		/* Small corrections are not worth a frame. */
		if (want > have * 5 / 4 || want < have * 3 / 4 || want == w->children ||
		    want == w->most)
			consumer_set_prefetch(w->consumer, (int)i, want);
	}
}

/* Every child has been busy with one task for a second: what waits behind them goes back to the
 * broker, where another worker may take it, and nothing more is taken until a child is free. */
void feed_relieve(struct worker *w)
{
	bool stuck = pool_stuck_ms(w->pool) >= RELIEF_MS && w->children >= w->most;

	if (w->relieved && !stuck) {
		w->relieved = false;
		w->narrow_until_ms = clock_mono_ms() + NARROW_MS;
		for (size_t i = 0; i < w->nqueues; i++)
			consumer_switch(w->consumer, (int)i, CONSUMER_RELIEVED, false);
	} else if (!w->relieved && stuck && w->buffer.n > 0 && w->state == WORKER_RUNNING) {
		log_debug("all children are busy for long, %zu messages go back", w->buffer.n);
		w->relieved = true;
		for (size_t i = 0; i < w->nqueues; i++)
			consumer_switch(w->consumer, (int)i, CONSUMER_RELIEVED, true);
	}
	for (size_t i = 0; i < w->nqueues && w->relieved; i++)
		gate_give_back_queue(w, (int)i);
}

/* Microseconds of work that wait, as far as they are known. */
static double backlog_us(const struct worker *w)
{
	double sum = 0;

	for (size_t i = 0; i < w->nqueues; i++) {
		double each = w->queues[i].run_us > 0 ? w->queues[i].run_us : GROW_US;

		sum += each * (double)w->buffer.queue[i].n;
	}
	return sum;
}

static void set_children(struct worker *w, int children)
{
	log_info("children=%d (%d to %d)", children, w->least, w->most);
	w->children = children;
	pool_resize(w->pool, children);
}

/* Grows while the messages at hand are more than GROW_US of work for each child, by as many as that
 * asks for; a child leaves when one has been idle for idle_child. */
void feed_grow(struct worker *w)
{
	int64_t now = clock_mono_ms();
	int idle = pool_idle(w->pool), want;

	if (w->state != WORKER_RUNNING)
		return;
	if (idle == 0 || w->children <= w->least)
		w->idle_ms = 0;
	else if (w->idle_ms == 0)
		w->idle_ms = now;
	if (idle == 0 && w->children < w->most && pool_ready(w->pool) && w->buffer.n > 0) {
		double ask = backlog_us(w) / GROW_US;

		want = ask >= w->most ? w->most : (int)ask;
		if (ask > w->children)	/* by a part of one as well: there is no more at hand to see */
			set_children(w, want > w->children ? want : w->children + 1);
	} else if (w->idle_ms && now - w->idle_ms >= w->program.conf->fleet.idle_child_ms) {
		w->idle_ms = now;
		set_children(w, w->children - 1);
	}
}
