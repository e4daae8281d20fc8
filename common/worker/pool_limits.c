/* SPDX-License-Identifier: MIT */
/* What the pool runs and for how long: limits, take-backs, the end by order. */
#include <signal.h>

#include "common/base/clock.h"
#include "common/worker/delivery.h"
#include "common/worker/pool_private.h"

enum { TAKE_BACK_US = 20000 /* a "short" task that runs longer holds nobody up */ };

void pool_each(const struct pool *p, pool_each_fn *fn, void *ctx)
{
	for (int i = 0; i < p->used; i++)
		for (int s = 0; s < SLOT_COUNT && p->child[i].nhanded > 0; s++) {
			const struct pool_child *c = &p->child[i];
			const struct slot *slot = &p->conf.slots[i].slot[s];

			if (c->handed[s].d)
				fn(ctx, c->handed[s].d, c->pid,
				   slot_state(slot) < SLOT_RUNNING
					   ? 0
					   : atomic_load(&slot->started_us));
		}
}

static bool terminate_in(struct pool_child *c, const char *task_id, int signal)
{
	for (int s = 0; s < SLOT_COUNT && c->nhanded > 0; s++) {
		if (!c->handed[s].d || strcmp(c->handed[s].d->id, task_id) != 0 ||
		    slot_state(pool_slot(c, s)) != SLOT_RUNNING)
			continue;
		c->handed[s].terminated = signal > 0 ? signal : SIGTERM;
		pool_signal(c, SIGKILL);
		return true;
	}
	return false;
}

bool pool_terminate(struct pool *p, const char *task_id, int signal)
{
	bool found = false;

	for (int i = 0; i < p->used; i++)
		found |= terminate_in(&p->child[i], task_id, signal);
	return found;
}

int64_t pool_stuck_ms(const struct pool *p)
{
	int64_t now_us = clock_mono_us(), least = INT64_MAX;

	for (int i = 0; i < p->wanted; i++) {
		int64_t ran = 0;

		for (int s = 0; s < SLOT_COUNT; s++) {
			const struct slot *slot = &p->conf.slots[i].slot[s];

			if (p->child[i].handed[s].d && slot_state(slot) == SLOT_RUNNING)
				ran = now_us - atomic_load(&slot->started_us);
		}
		if (ran < least)
			least = ran;
	}
	return least == INT64_MAX ? 0 : least / 1000;
}

static bool child_is_limited(const struct pool_child *c, int64_t now_us)
{
	for (int s = 0; s < SLOT_COUNT && c->nhanded > 0; s++) {
		const struct slot *slot = &c->pool->conf.slots[c->row].slot[s];
		const struct handed *h = &c->handed[s];

		if (h->d && h->hard_us > 0 && slot_state(slot) == SLOT_RUNNING &&
		    now_us - atomic_load(&slot->started_us) < h->hard_us)
			return true;
	}
	return false;
}

bool pool_is_limited(const struct pool *p)
{
	int64_t now_us = clock_mono_us();

	for (int i = 0; i < p->used; i++)
		if (child_is_limited(&p->child[i], now_us))
			return true;
	return false;
}

int pool_idle(const struct pool *p)
{
	int n = 0;

	for (int i = 0; i < p->wanted; i++)
		n += p->child[i].state == CHILD_ALIVE && p->child[i].nhanded == 0;
	return n;
}

static void enforce(struct pool_child *c, struct handed *h, int64_t ran_us)
{
	if (h->soft_us > 0 && ran_us >= h->soft_us && !h->soft_sent) {
		h->soft_sent = true;
		pool_signal(c, SIGUSR1);
	}
	if (h->hard_us > 0 && ran_us >= h->hard_us && !c->killed_hard) {
		c->killed_hard = true;
		pool_signal(c, SIGKILL);
	}
}

static void take_back(struct pool_child *c)
{
	for (int i = 0; i < SLOT_COUNT; i++)
		if (c->handed[i].d &&
		    slot_move(pool_slot(c, i), c->handed[i].serial, SLOT_READY, SLOT_FREE))
			c->pool->conf.on_untouched(c->pool->conf.ctx, pool_release_slot(c, i));
}

static void tick_child(struct pool_child *c, int64_t now_us)
{
	for (int i = 0; i < SLOT_COUNT; i++) {
		int64_t ran;

		if (!c->handed[i].d || slot_state(pool_slot(c, i)) != SLOT_RUNNING)
			continue;
		ran = now_us - atomic_load(&pool_slot(c, i)->started_us);
		pool_announce(c, &c->handed[i]);
		enforce(c, &c->handed[i], ran);
		if (ran > TAKE_BACK_US && c->nhanded > 1)
			take_back(c);
	}
}

void pool_tick(struct pool *p)
{
	int64_t now_us = clock_mono_us();

	for (int i = 0; i < p->used; i++) {
		struct pool_child *c = &p->child[i];

		if (c->nhanded > 0)
			tick_child(c, now_us);
		if (c->fork_at_ms && now_us / 1000 >= c->fork_at_ms && !p->stopping)
			pool_ask_fork(c);
	}
}
