/* SPDX-License-Identifier: MIT */
/* What systemd hears of a worker. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/notify.h"
#include "common/worker/worker_private.h"

enum {
	EXTEND_MS = 15000,		/* asked for while tasks finish */
	FORK_MS = 10000,		/* then the zygote hangs */
	READY_MS = 30000,		/* then nobody need wait any longer */
};

/* The loop turns, or nobody would ask. The keeper and each task have deadlines of their own. */
static bool is_healthy(const struct worker *w)
{
	if (w->state >= WORKER_DRAINING)
		return true;
	return consumer_is_healthy(w->consumer) &&
	       (w->forks == 0 || clock_mono_ms() < w->forks_ms + FORK_MS);
}

/* A service that is away must hold up neither the boot nor a start of the whole fleet. */
static void give_up_waiting(struct worker *w)
{
	if (w->waited || clock_mono_ms() - w->started_ms < READY_MS)
		return;
	w->waited = true;
	log_warn("going on without what it waits for state=%s postgres=%s",
		 consumer_state(w->consumer), w->beat_heard ? "heard" : "silent");
	notify_ready();
}

/* A task without a limit has the unit's TimeoutStopSec, and comes again. */
void herald_tell(struct worker *w)
{
	if (is_healthy(w))
		notify_alive();
	if (w->state >= WORKER_DRAINING) {
		notify_status("draining, %zu running", pool_busy(w->pool));
		if (pool_is_limited(w->pool))
			notify_extend(EXTEND_MS);
	} else if (w->state == WORKER_RUNNING) {
		notify_status("%s, %zu running, %zu reserved, %lld done",
			      consumer_state(w->consumer), pool_busy(w->pool), feed_reserved(w),
			      (long long)w->processed);
	} else {
		notify_status("starting, %s", consumer_state(w->consumer));
		give_up_waiting(w);
	}
}
