/* SPDX-License-Identifier: MIT */
/* Claims: a task that runs gets a row in pending with a lease, and its message is acked, when the
 * broker would not keep that message for long:
 *   - RabbitMQ closes the channel under a delivery that stays unacked past its consumer timeout;
 *     half of that has passed;
 *   - its queue was deleted, and with it the message.
 * The lease is renewed while it runs. When the worker dies the lease runs out, and the relay sends
 * the message again. */
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/worker/worker_private.h"

enum { RETRY_MS = 1000, RENEWALS = 3 /* in a lease */ };

struct ask {
	struct worker *w;
	uint64_t generation, tag;	/* of the delivery: it may be gone when the answer comes */
	int queue;
	bool making;
	struct delivery *found;
};

static void match(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	struct ask *a = ctx;

	(void)pid;
	(void)started_us;
	if (d->tag == a->tag && d->link_generation == a->generation && d->queue == a->queue)
		a->found = d;
}

/* Running or, between two runs, waiting. */
struct each {
	pool_each_fn *fn;
	void *ctx;
};

static void pass(void *ctx, const struct delivery *d)
{
	struct each *x = ctx;

	x->fn(x->ctx, (struct delivery *)d, 0, 0);
}

static void each(const struct worker *w, pool_each_fn *fn, void *ctx)
{
	struct each x = { fn, ctx };

	pool_each(w->pool, fn, ctx);
	worker_each_reserved(w, pass, &x);
	worker_each_scheduled(w, pass, &x);
}

static void claimed(struct worker *w, struct delivery *d)
{
	log_each(worker_log_task(w, d), "claimed what runs, its message is acked id=%s task=%s",
		 d->id, d->name);
	consumer_ack(w->consumer, d);
	d->claimed = true;
}

static void answered(void *ctx, struct delivery *none, const struct desk_answer *answer)
{
	struct ask *a = ctx;
	struct delivery *d;

	(void)none;
	each(a->w, match, a);
	d = a->found;
	if (d && answer->code == 0) {
		if (a->making)
			claimed(a->w, d);
		d->renew_ms = clock_mono_ms() + a->w->program.conf->fleet.lease_ms / RENEWALS;
	} else if (d && d->claimed && answer->code == -ERR_CONFLICT) {
		/* A copy is on its way; the ledger lets one of the two count. */
		log_about(LOG_LEVEL_WARNING, worker_log_task(a->w, d),
			  "the lease of a long task ran out id=%s task=%s", d->id, d->name);
		d->renew_ms = INT64_MAX;
	} else if (d) {
		log_debug("no claim yet id=%s: %s", d->id, answer->text);
		d->renew_ms = clock_mono_ms() + RETRY_MS;
	}
	if (d)
		d->claiming = false;
	free(a);
}

static void ask(struct worker *w, struct delivery *d, enum keeper_claim what)
{
	struct ask *a = mem_zalloc(sizeof *a);

	*a = (struct ask){ .w = w, .generation = d->link_generation, .tag = d->tag,
			   .queue = d->queue, .making = what == KEEPER_CLAIM };
	d->claiming = true;
	desk_claim(w->desk, d, what, w->queues[d->queue].name, w->program.conf->fleet.lease_ms,
		   answered, a);
}

/* Its message stays with the broker. */
static bool is_kept(const struct worker *w, const struct delivery *d, int64_t now)
{
	return now - d->arrived_ms <= w->program.conf->fleet.consumer_timeout_ms / 2 &&
	       w->queues[d->queue].deleted_ms < d->arrived_ms;
}

static void look(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	struct worker *w = ctx;
	int64_t now = clock_mono_ms();

	(void)started_us;
	if (d->claiming || now < d->renew_ms)
		return;
	if (d->claimed)
		ask(w, d, KEEPER_RENEW);
	else if (pid && !is_kept(w, d, now) && consumer_owns(w->consumer, d))
		ask(w, d, KEEPER_CLAIM);
}

void claim_tick(struct worker *w)
{
	if (pool_busy(w->pool) > 0 || w->held.n > 0)
		each(w, look, w);
}

static void ended(void *ctx, struct delivery *none, const struct desk_answer *answer)
{
	(void)ctx;
	(void)none;
	/* Its lease runs out then, and the relay finds it settled. */
	if (answer->code < 0)
		log_debug("claim not ended: %s", answer->text);
}

void claim_end(struct worker *w, struct delivery *d, bool again)
{
	desk_claim(w->desk, d, again ? KEEPER_UNCLAIM_AGAIN : KEEPER_UNCLAIM,
		   w->queues[d->queue].name, 0, ended, NULL);
}
