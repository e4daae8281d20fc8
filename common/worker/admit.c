/* SPDX-License-Identifier: MIT */
#include "common/worker/admit.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/limiter.h"
#include "common/worker/keeper_admit.h"
#include "common/worker/worker_private.h"

enum {
	STORE_AWAY_MS = 1000,
	BUSY_MS = 100, BUSY_MAX_MS = 1000,	/* a key without a free lease: ask again after this */
	PARK_MS = 5000, PARK_DOUBLINGS = 4,
	RENEWALS = 3,			/* in a lease */
	LEASES_MAX = 4096,
};

static int64_t eta_hold_ms(const struct worker *w)
{
	return w->program.conf->fleet.eta_hold_ms;
}

/* What stands for its rate in x-jobfleet-admitted; 0 = none at the start. */
static int stamp_of(const struct catalog_task *t, double rate)
{
	bool at_fetch = t->rate_at_fetch && t->control_rate_per_s < 0;

	if (rate <= 0 || at_fetch)
		return 0;
	return rate * 1000 >= INT32_MAX ? INT32_MAX : rate * 1000 < 1 ? 1 : (int)(rate * 1000);
}

static int64_t jitter(int64_t ms)
{
	return ms / 2 + arc4random_uniform((uint32_t)(ms / 2) + 1);
}

/* ---- unique ---- */

static void refuse_malformed(struct worker *w, struct delivery *d, const char *why)
{
	mem_replace(&d->cause, mem_strdup(why));
	d->name[0] = '\0';
	gate_dead(w, d, "malformed", d->cause);
}

static void unique_answered(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct worker *w = ctx;
	char text[320];

	delivery_remove(&w->outside, d);
	if (a->code == -ERR_INVALID) {
		refuse_malformed(w, d, a->text);
	} else if (a->code < 0) {
		log_about(LOG_LEVEL_WARNING, worker_log_task(w, d),
			  "task %s waits for its unique key: %s", d->id, a->text);
		gate_hold(w, d, STORE_AWAY_MS);
	} else if (a->verdict == ADMIT_DUPLICATE) {
		snprintf(text, sizeof text, "duplicate of %.255s", a->text ? a->text : "");
		log_each(worker_log_task(w, d), "refused id=%s task=%s reason=\"%s\"", d->id,
			 d->name, text);
		gate_verdict(w, d, KEEPER_REVOKED, text, NULL);
	} else {
		d->unique_asked = true;
		gate_decide(w, d);
	}
}

bool admit_arrival(struct worker *w, struct delivery *d)
{
	struct admit_ask ask = { .want = ADMIT_UNIQUE };

	/* A later attempt, and what waits for its slot, have been let in already. */
	if (!d->unique || d->unique_asked || d->retries > 0 || d->generation > 0 || d->slot)
		return false;
	delivery_push(&w->outside, d);
	desk_admit(w->desk, d, &ask, unique_answered, w);
	return true;
}

/* ---- start ---- */

static void wait_for_slot(struct worker *w, struct delivery *d)
{
	int64_t left = d->slot_ms - clock_mono_ms();

	if (left <= eta_hold_ms(w) || d->claimed)
		gate_hold(w, d, left);
	else
		gate_park(w, d, "parked", 0, left, ADMIT_SLOT_REASON);
}

static void wait_for_lease(struct worker *w, struct delivery *d)
{
	int64_t now = clock_mono_ms(), wait = BUSY_MS << (d->busy < 4 ? d->busy : 4);
	int doublings = d->hop < PARK_DOUBLINGS ? d->hop : PARK_DOUBLINGS;
	char *reason;

	d->busy++;
	if (!d->busy_ms)
		d->busy_ms = now;
	if (now - d->busy_ms < eta_hold_ms(w) || d->claimed || !d->lease) {
		gate_hold(w, d, jitter(wait < BUSY_MAX_MS ? wait : BUSY_MAX_MS));
		return;
	}
	reason = mem_printf(ADMIT_BUSY_REASON "%s", d->lease);
	gate_park(w, d, "parked", 0, jitter(PARK_MS << doublings), reason);
	free(reason);
}

static void start_answered(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct worker *w = ctx;
	const struct catalog_task *t = feed_spec(w, d);

	delivery_remove(&w->outside, d);
	if (a->code < 0) {
		log_about(LOG_LEVEL_WARNING, worker_log_task(w, d),
			  "task %s waits for its limits: %s", d->id, a->text);
		gate_hold(w, d, STORE_AWAY_MS);
		return;
	}
	d->slot = stamp_of(t, catalog_rate(t));
	if (a->text && !d->leased)
		mem_replace(&d->lease, mem_strdup(a->text));
	switch ((enum admit_verdict)a->verdict) {
	case ADMIT_WAIT:
		d->slot_ms = clock_mono_ms() + a->wait_ms;
		wait_for_slot(w, d);
		break;
	case ADMIT_BUSY:
		wait_for_lease(w, d);
		break;
	default:
		if (!d->leased) {
			d->leased = a->text != NULL;
			d->no_key = !d->leased;
		}
		feed_untouched(w, d);
	}
}

/* In this process alone. False: its slot lies ahead. */
static bool take_local(struct worker *w, struct delivery *d, const struct catalog_task *t,
		       int stamp)
{
	int64_t wait = 0;

	limiter_take(NULL, "", t->task->name, catalog_rate(t), t->rate_burst, INT64_MAX, &wait,
		     NULL);
	d->slot = stamp;
	if (wait <= 0)
		return true;
	d->slot_ms = clock_mono_ms() + wait;
	wait_for_slot(w, d);
	return false;
}

bool admit_start(struct worker *w, struct delivery *d)
{
	const struct catalog_task *t = feed_spec(w, d);
	int stamp = stamp_of(t, catalog_rate(t));
	struct admit_ask ask = { .rate = catalog_rate(t), .burst = t->rate_burst, .stamp = stamp,
				 .parameter = t->concurrency_key, .limit = t->concurrency_limit,
				 .lease_ms = w->program.conf->fleet.lease_ms };

	if (d->slot_ms && d->slot == stamp && d->slot_ms > clock_mono_ms()) {
		wait_for_slot(w, d);
		return false;
	}
	if (stamp && d->slot != stamp && t->rate_per_worker && !take_local(w, d, t, stamp))
		return false;
	if (stamp && d->slot != stamp)
		ask.want |= ADMIT_RATE;
	if (*t->concurrency_key && !d->leased && !d->no_key)
		ask.want |= ADMIT_LEASE;
	if (!ask.want)
		return true;
	delivery_push(&w->outside, d);
	desk_admit(w->desk, d, &ask, start_answered, w);
	return false;
}

/* ---- end ---- */

static void ignore(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	(void)ctx;
	(void)d;
	(void)a;
}

/* The most urgent that waits here for this key. */
static struct delivery *next_for(const struct worker *w, const char *key)
{
	struct delivery *best = NULL;

	for (struct delivery *d = w->held.first; d; d = d->next)
		if (d->lease && !d->leased && strcmp(d->lease, key) == 0 &&
		    (!best || d->priority > best->priority))
			best = d;
	return best;
}

void admit_end(struct worker *w, struct delivery *d, bool final)
{
	const struct catalog_task *t = feed_spec(w, d);
	bool unique = final && d->unique && t && !t->ledger;
	struct delivery *next = d->leased ? next_for(w, d->lease) : NULL;

	if (!d->leased && !unique)
		return;
	desk_release(w->desk, d->leased ? d->lease : NULL, d->id, unique, next == NULL, ignore,
		     NULL);
	d->leased = false;
	if (!next)
		return;
	delivery_remove(&w->held, next);
	gate_decide(w, next);
}

/* ---- each second ---- */

struct leases {
	const struct delivery *held[LEASES_MAX];
	size_t n;
};

static void list(void *ctx, const struct delivery *d)
{
	struct leases *l = ctx;

	if (d->leased && l->n < LEASES_MAX)
		l->held[l->n++] = d;
}

static void list_handed(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	(void)pid;
	(void)started_us;
	list(ctx, d);
}

static void renew(struct worker *w)
{
	struct leases *l = mem_zalloc(sizeof *l);

	pool_each(w->pool, list_handed, l);
	worker_each_reserved(w, list, l);
	worker_each_scheduled(w, list, l);
	if (l->n > 0)
		desk_renew(w->desk, l->held, l->n, w->program.conf->fleet.lease_ms, ignore, NULL);
	free(l);
}

static void follow_rates(struct worker *w)
{
	for (size_t i = 0; i < w->catalog.n; i++) {
		struct catalog_task *t = &w->catalog.tasks[i];
		int stamp = stamp_of(t, catalog_rate(t));

		if (!t->rate_known)
			t->rate_stamp = stamp_of(t, t->rate_per_s);
		if (t->rate_stamp != stamp)
			desk_rate(w->desk, t->task->name, ignore, NULL);
		t->rate_known = true;
		t->rate_stamp = stamp;
	}
}

void admit_tick(struct worker *w)
{
	int64_t now = clock_mono_ms();

	follow_rates(w);
	if (now < w->leases_ms)
		return;
	w->leases_ms = now + w->program.conf->fleet.lease_ms / RENEWALS;
	renew(w);
}
