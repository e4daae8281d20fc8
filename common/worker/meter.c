/* SPDX-License-Identifier: MIT */
/* The meter: what a worker counts of its tasks, and what its processes cost. Labels are tasks of
 * its own table and queues it consumes from, so they stay few. */
#include <unistd.h>

#include "common/base/board.h"
#include "common/base/clock.h"
#include "common/base/vitals.h"
#include "common/worker/worker_private.h"

static const char *queue_of(const struct worker *w, const struct delivery *d)
{
	return w->queues[d->queue].name;
}

void meter_done(const struct worker *w, const struct delivery *d, const struct pool_done *done)
{
	const char *task = feed_spec(w, d)->task->name;
	int64_t here_us = (clock_mono_ms() - d->arrived_ms) * 1000;

	/* before its ETA it did not wait for us */
	if (d->eta_us && clock_wall_us() - d->eta_us < here_us)
		here_us = clock_wall_us() - d->eta_us;
	board_add(1, "task_runs", task, queue_of(w, d), ledger_outcome_name(done->outcome), NULL);
	board_time(done->run_us, "task_run_seconds", task, queue_of(w, d), NULL);
	board_time(here_us - done->run_us, "task_wait_seconds", task, queue_of(w, d), NULL);
}

void meter_verdict(const struct worker *w, const struct delivery *d, enum keeper_verdict v)
{
	const struct catalog_task *t = feed_spec(w, d);
	bool revoked = v == KEEPER_REVOKED || v == KEEPER_EXPIRED;

	board_add(1, "task_runs", t ? t->task->name : "unregistered", queue_of(w, d),
		  revoked ? "revoked" : "failure", NULL);
}

void meter_put(const struct worker *w, struct buf *out)
{
	struct vitals parent = { 0 }, zygote = { 0 }, children = { 0 };

	vitals_add(&parent, getpid(), false);
	/* those that ended are in the zygote's account */
	vitals_add(&zygote, w->zygote_pid, true);
	for (int i = 0; i < w->children; i++)
		if (pool_pid(w->pool, i) > 0)
			vitals_add(&children, pool_pid(w->pool, i), false);
	buf_printf(out, "\"since\": %lld, \"children\": %d, \"processes\": {",
		   (long long)w->started_ms, pool_children(w->pool));
	vitals_put(out, "parent", &parent);
	buf_puts(out, ", ");
	vitals_put(out, "zygote", &zygote);
	buf_puts(out, ", ");
	vitals_put(out, "children", &children);
	buf_puts(out, "}, \"counts\": ");
	board_put(out);
}
