/* SPDX-License-Identifier: MIT */
/* The life of a worker: its loop, its timers and signals, drain and leave. */
#include "common/worker/admit.h"
#include "common/worker/obey.h"
#include "common/worker/worker_private.h"

#include <malloc.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/board.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/notify.h"
#include "common/worker/worker.h"
#include "common/worker/worker_start.h"
#include "common/worker/zygote.h"

enum {
	TICK_MS = 250,
	FAST_MS = 20,			/* limits and take-backs while anything runs */
	LEAVE_MS = 2000,		/* for the broker to hear the last acks */
	ORDERS_WAIT_MS = 10000,		/* then consumption starts without knowing of revokes */
};

/* The zygote answers in the order it was asked, so one time serves all. */
static void expect_fork(struct worker *w)
{
	if (w->forks++ == 0)
		w->forks_ms = clock_mono_ms();
}

static void ask_fork(void *ctx, int row)
{
	struct worker *w = ctx;
	struct err e = { 0 };

	if (zygote_fork(w->zygote_fd, row, false, &e) < 0)
		log_error("no child: %s", e.msg);
	else
		expect_fork(w);
}

static void want_keeper(struct worker *w)
{
	struct err e = { 0 };

	if (desk_has_keeper(w->desk) || w->keeper_forking)
		return;
	w->keeper_forking = zygote_fork(w->zygote_fd, WORKER_KEEPER_ROW, true, &e) == 0;
	if (w->keeper_forking)
		expect_fork(w);
}

void worker_drain(struct worker *w, const char *why)
{
	if (w->state >= WORKER_DRAINING)
		return;
	log_info("draining reason=%s running=%zu", why, pool_busy(w->pool));
	notify_stopping();
	w->state = WORKER_DRAINING;
	if (w->program.conf->fleet.shutdown_ms > 0)
		w->drain_until_ms = clock_mono_ms() + w->program.conf->fleet.shutdown_ms;
	consumer_cancel(w->consumer);
	gate_give_back_all(w);
	uv_stop(&w->loop);	/* wakes the turn's end even if nothing else happens */
}

/* What is unfinished comes back to the queue with the connection. */
static void leave_now(struct worker *w, const char *why)
{
	log_warn("leaving at once reason=%s running=%zu", why, pool_busy(w->pool));
	pool_kill(w->pool);
	w->state = WORKER_LEAVING;
	w->drain_until_ms = clock_mono_ms();
	uv_stop(&w->loop);
}

static void lost_zygote(struct worker *w)
{
	uv_poll_stop(&w->zygote_poll);
	if (w->state == WORKER_LEAVING)
		return;
	log_error("the zygote is gone");
	w->exit_code = OPTS_EXIT_AGAIN;
	pool_orphan(w->pool);
	worker_drain(w, "zygote lost");
}

static void on_forked(struct worker *w, const struct zygote_event *ev)
{
	w->forks--;
	w->forks_ms = clock_mono_ms();
	if (ev->row != WORKER_KEEPER_ROW) {
		pool_forked(w->pool, ev->row, ev->pid, ev->fd, ev->pidfd);
		return;
	}
	w->keeper_forking = false;
	if (ev->fd < 0) {
		log_error("no descriptor left for a keeper");
		return;
	}
	if (w->keeper_came)
		board_add(1, "restarts", w->program.name, "keeper_died", NULL);
	w->keeper_came = true;
	desk_keeper_came(w->desk, ev->fd, ev->pidfd);
	worker_beat(w, clock_mono_ms());
}

static void on_fork_failed(struct worker *w, const struct zygote_event *ev)
{
	log_error("no child: %s", strerror(ev->status));
	w->forks--;
	w->forks_ms = clock_mono_ms();
	if (ev->row == WORKER_KEEPER_ROW)
		w->keeper_forking = false;	/* the next tick asks again */
	else
		pool_not_forked(w->pool, ev->row);
}

static void on_zygote(uv_poll_t *handle, int status, int events)
{
	struct worker *w = handle->data;
	struct zygote_event ev;
	struct err e = { 0 };
	int r;

	(void)status;
	(void)events;
	while ((r = zygote_next(w->zygote_fd, &ev, &e)) > 0) {
		if (ev.kind == ZYGOTE_FORKED)
			on_forked(w, &ev);
		else if (ev.kind == ZYGOTE_FAILED)
			on_fork_failed(w, &ev);
		else if (ev.row != WORKER_KEEPER_ROW)
			pool_exited(w->pool, ev.row, ev.status);
	}
	if (r < 0)
		lost_zygote(w);
}

/* What is revoked or paused and that the schema fits is known before the first message is taken. */
static void start_consuming(struct worker *w)
{
	bool known = orders_loaded(w->orders) && w->beat_heard;

	if (!w->loading || (!known && clock_mono_ms() - w->started_ms < ORDERS_WAIT_MS))
		return;
	if (!known)
		log_warn(
			"consuming without knowing of revokes and pauses: PostgreSQL and Redis are away");
	w->loading = false;
	for (size_t i = 0; i < w->nqueues; i++)
		consumer_switch(w->consumer, (int)i, CONSUMER_LOADING, false);
}

static void become_ready(struct worker *w)
{
	/* Without PostgreSQL the beat fails, and the worker starts all the same. */
	if (w->state != WORKER_STARTING || w->loading || !consumer_is_consuming(w->consumer) ||
	    !pool_ready(w->pool) || !w->beat_heard)
		return;
	w->state = WORKER_RUNNING;
	w->beat_ms = 0;
	events_online(w);
	notify_ready();
	log_info("ready node=%s children=%d queues=%zu ms=%lld", w->program.node, w->children,
		 w->nqueues, (long long)(clock_mono_ms() - w->started_ms));
}

static bool is_idle(const struct worker *w)
{
	return pool_busy(w->pool) == 0 && w->outside.n == 0 && w->held.n == 0;
}

static void step_down(struct worker *w, int64_t now)
{
	if (w->state == WORKER_DRAINING) {
		gate_give_back_all(w);
		if (w->drain_until_ms && now >= w->drain_until_ms)
			leave_now(w, "shutdown time is over");
		else if (is_idle(w)) {
			w->state = WORKER_LEAVING;
			w->drain_until_ms = now + LEAVE_MS;
			events_offline(w);
			w->beat_ms = 0;
			w->beat_waits = false;
			worker_beat(w, now);
		}
	}
}

static bool may_leave(struct worker *w, int64_t now)
{
	return w->state == WORKER_LEAVING &&
	       ((consumer_leave(w->consumer) && !w->beat_waits) || now >= w->drain_until_ms);
}

/* A full window leaves half a megabyte of free blocks between those in use. */
static void give_memory_back(struct worker *w)
{
	if (w->trimmed == w->processed || pool_busy(w->pool) > 0 || feed_reserved(w) > 0)
		return;
	w->trimmed = w->processed;
	malloc_trim(0);
}

static void on_tick(uv_timer_t *t)
{
	struct worker *w = t->data;
	int64_t now = clock_mono_ms();

	consumer_tick(w->consumer);
	outlet_tick(w->outlet);
	pool_tick(w->pool);
	desk_tick(w->desk);
	want_keeper(w);
	worker_beat(w, now);
	feed_tune(w);
	feed_relieve(w);
	feed_grow(w);
	claim_tick(w);
	admit_tick(w);
	events_tick(w);
	herald_tell(w);
	give_memory_back(w);
}

static void on_fast(uv_timer_t *t)
{
	struct worker *w = t->data;

	if (w->state == WORKER_STARTING)
		consumer_tick(w->consumer);
	pool_tick(w->pool);
}

static void on_held(uv_timer_t *t)
{
	gate_wake(t->data);
}

static void on_ack_due(uv_timer_t *t)
{
	(void)t;	/* it only ends the loop's sleep: acks leave at the turn's end */
}

/* Limits need looking after only while something runs. */
static void pace(struct worker *w)
{
	bool wanted = w->state == WORKER_STARTING || pool_busy(w->pool) > 0;
	bool active = uv_is_active((uv_handle_t *)&w->fast);

	if (wanted && !active)
		uv_timer_start(&w->fast, on_fast, FAST_MS, FAST_MS);
	else if (!wanted && active)
		uv_timer_stop(&w->fast);
}

static void on_turn_end(uv_prepare_t *p)
{
	struct worker *w = p->data;
	int again;

	start_consuming(w);
	become_ready(w);
	feed(w);
	pace(w);
	pool_flush(w->pool);
	desk_flush(w->desk);
	outlet_flush(w->outlet);
	again = consumer_flush(w->consumer);
	if (again >= 0 && !uv_is_active((uv_handle_t *)&w->ack_timer))
		uv_timer_start(&w->ack_timer, on_ack_due, (uint64_t)again, 0);
}

static void reload(struct worker *w)
{
	bool told = w->state == WORKER_RUNNING;

	if (told)
		notify_reloading();
	worker_reload(w);
	if (told)
		notify_ready();
}

static void on_signal(uv_signal_t *s, int number)
{
	struct worker *w = s->data;

	if (number == SIGHUP)
		reload(w);
	else if (number == SIGQUIT || w->state >= WORKER_DRAINING)
		leave_now(w, number == SIGQUIT ? "SIGQUIT" : "second signal");
	else
		worker_drain(w, number == SIGINT ? "SIGINT" : "SIGTERM");
}

static void on_deleted(void *ctx, int queue)
{
	struct worker *w = ctx;

	w->queues[queue].deleted_ms = clock_mono_ms();
}

static void on_consuming(void *ctx)
{
	struct worker *w = ctx;

	log_info("consuming queues=%zu", w->nqueues);
}

static void drop_unclaimed(struct worker *w, int queue)
{
	struct delivery_list kept = { 0 };
	struct delivery *d;

	while ((d = buffer_pop(&w->buffer, queue))) {
		if (d->claimed)
			delivery_push(&kept, d);
		else
			delivery_free(d);
	}
	while ((d = delivery_pop(&kept)))
		buffer_put(&w->buffer, d);
}

/* Buffered messages come again from the broker; what runs or waits for a store goes on, its ack
 * will be nothing, and the ledger skips the copy. */
static void on_broker_lost(void *ctx)
{
	struct worker *w = ctx;
	struct delivery *d, *next;

	for (int i = 0; i < (int)w->nqueues; i++)
		drop_unclaimed(w, i);
	for (d = w->held.first; d; d = next) {
		next = d->next;
		if (d->claimed)
			continue;
		delivery_remove(&w->held, d);
		delivery_free(d);
	}
	if (w->huge)
		outlet_stream_end(w->outlet);
	w->huge = NULL;
}

static void arrive(void *ctx, int queue, uint64_t generation, const struct link_event *ev)
{
	gate_arrive(ctx, queue, generation, ev);
}

static void start_timer(struct worker *w, uv_timer_t *t, uv_timer_cb fn, int every_ms)
{
	uv_timer_init(&w->loop, t);
	t->data = w;
	t->timer_cb = fn;
	if (every_ms > 0)
		uv_timer_start(t, fn, (uint64_t)every_ms, (uint64_t)every_ms);
}

static void start_signals(struct worker *w)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP };

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uv_signal_init(&w->loop, &w->signals[i]);
		w->signals[i].data = w;
		uv_signal_start(&w->signals[i], on_signal, numbers[i]);
	}
}

static void start_parts(struct worker *w)
{
	const struct conf_fleet *fleet = &w->program.conf->fleet;
	struct pool_conf pool = {
		.loop = &w->loop,
		.program = w->program.name,
		.slots = w->program.slots,
		.ctx = w,
		.on_done = feed_done,
		.on_started = feed_started,
		.on_lost = feed_lost,
		.on_untouched = feed_untouched,
		.fork = ask_fork,
		.max_tasks_per_child = worker_max_tasks(w),
		.max_child_kib = worker_max_memory(w) / 1024,
	};
	struct consumer_conf consumer = {
		.loop = &w->loop, .url = fleet->broker_url, .node = w->program.node,
		.heartbeat_s = fleet->heartbeat_s, .max_message = (size_t)fleet->max_message_bytes,
		.queues = w->queue_confs, .nqueues = w->nqueues, .loading = true, .ctx = w,
		.on_delivery = arrive,
		.on_control = control_request, .on_consuming = on_consuming,
		.on_deleted = on_deleted,
		.on_lost = on_broker_lost,
	};

	w->loading = true;
	w->orders = orders_new();
	w->desk = desk_new(&w->loop);
	desk_on_orders(w->desk, obey_order, w);
	buffer_init(&w->buffer, fleet->queue_order);
	worker_weigh_queues(w);
	w->pool = pool_new(&pool);
	pool_resize(w->pool, w->children);
	want_keeper(w);
	w->consumer = consumer_new(&consumer);
	w->outlet = outlet_new(&w->loop, fleet->broker_url, w->program.node, fleet->heartbeat_s, w,
			       gate_published);
	for (size_t i = 0; i < w->nqueues; i++)
		consumer_set_prefetch(w->consumer, (int)i, w->children * 2);
	feed_tune(w);		/* what queues.conf fixes holds from the first message on */
}

static void start_loop(struct worker *w)
{
	uv_loop_init(&w->loop);
	start_timer(w, &w->tick, on_tick, TICK_MS);
	start_timer(w, &w->fast, on_fast, FAST_MS);
	start_timer(w, &w->ack_timer, on_ack_due, 0);
	start_timer(w, &w->held_timer, on_held, 0);
	start_signals(w);
	uv_prepare_init(&w->loop, &w->turn_end);
	w->turn_end.data = w;
	uv_prepare_start(&w->turn_end, on_turn_end);
	uv_poll_init(&w->loop, &w->zygote_poll, w->zygote_fd);
	w->zygote_poll.data = w;
	uv_poll_start(&w->zygote_poll, UV_READABLE, on_zygote);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* What was closed is let go in a further turn of the loop only. */
static void end_loop(struct worker *w)
{
	uv_walk(&w->loop, close_handle, NULL);
	while (uv_run(&w->loop, UV_RUN_NOWAIT))
		;
	uv_loop_close(&w->loop);
}

/* The zygote and the children see our ends of their sockets close, and leave. */
static void clean_up(struct worker *w)
{
	struct delivery *d;

	consumer_free(w->consumer);
	outlet_free(w->outlet);
	desk_free(w->desk);
	pool_free(w->pool);
	orders_free(w->orders);
	for (int i = 0; i < (int)w->nqueues; i++)
		while ((d = buffer_pop(&w->buffer, i)))
			delivery_free(d);
	while ((d = delivery_pop(&w->held)))
		delivery_free(d);
	while ((d = delivery_pop(&w->outside)))
		delivery_free(d);
	end_loop(w);
	close(w->zygote_fd);
	waitpid(w->zygote_pid, NULL, 0);
}

int worker_run(struct worker *w)
{
	w->started_ms = clock_mono_ms();
	start_loop(w);
	message_init(&w->scratch);
	start_parts(w);
	for (;;) {
		int64_t now;

		uv_run(&w->loop, w->state >= WORKER_DRAINING ? UV_RUN_ONCE : UV_RUN_DEFAULT);
		now = clock_mono_ms();
		step_down(w, now);
		if (may_leave(w, now))
			break;
	}
	clean_up(w);
	message_release(&w->scratch);
	log_info("stopped processed=%lld failed=%lld", (long long)w->processed,
		 (long long)w->failed);
	return w->exit_code;
}
