/* SPDX-License-Identifier: MIT */
/* What the parent's parts share: worker.c (life), gate.c (arrivals), feed.c (hand-over and ends),
 * control.c (remote control). */
#ifndef COMMON_WORKER_WORKER_PRIVATE_H
#define COMMON_WORKER_WORKER_PRIVATE_H

#include <uv.h>

#include "common/base/log.h"
#include "common/base/opts.h"
#include "common/broker/message.h"
#include "common/worker/buffer.h"
#include "common/worker/catalog.h"
#include "common/worker/child.h"
#include "common/worker/consumer.h"
#include "common/worker/delivery.h"
#include "common/worker/desk.h"
#include "common/worker/events.h"
#include "common/worker/orders.h"
#include "common/worker/outlet.h"
#include "common/worker/pool.h"

enum { WORKER_MAX_QUEUES = BUFFER_MAX_QUEUES };

/* running → draining (SIGTERM) → leaving (nothing left) */
enum worker_state { WORKER_STARTING, WORKER_RUNNING, WORKER_DRAINING, WORKER_LEAVING };

struct worker_queue {
	char *name, *exchange, *exchange_type, *key;	/* NULL: as the queue is called; direct */
	bool own;			/* of queues.conf; false: remote control added it */
	double run_us;			/* moving average of its tasks' run times; 0 = none yet */
	double bytes;			/* the same of its messages' sizes */
	int64_t deleted_ms;		/* when it was last, monotonic */
};

struct worker {
	struct program program;
	struct opts opts;
	struct catalog catalog;
	enum worker_state state;
	uv_loop_t loop;
	uv_timer_t tick, fast, ack_timer, held_timer;
	uv_signal_t signals[5];
	uv_prepare_t turn_end;
	int zygote_fd;
	pid_t zygote_pid;
	uv_poll_t zygote_poll;
	struct consumer *consumer;
	struct outlet *outlet;
	struct desk *desk;
	struct pool *pool;
	struct consumer_queue_conf queue_confs[WORKER_MAX_QUEUES];
	struct worker_queue queues[WORKER_MAX_QUEUES];
	size_t nqueues;
	int children;			/* wanted now, between least and most */
	int least, most;		/* of queues.conf or --concurrency; remote control moves them */
	int64_t grown_ms, idle_ms;	/* last growth; since when some child has been idle, 0 = none */
	struct orders *orders;
	struct message scratch;		/* decoding, one message at a time */
	struct buffer buffer;
	struct delivery_list held;	/* until their wake_ms */
	struct delivery_list outside;	/* with the desk or the outlet */
	struct delivery *huge;		/* its parts are passing through */
	int64_t leases_ms;		/* when leases are renewed next */
	int64_t started_ms, beat_ms, drain_until_ms;
	int64_t processed, failed, retried, redispatched;
	int64_t trimmed;		/* processed when memory was last given back */
	uint64_t clock;			/* Lamport, for remote control and events */
	bool task_events;		/* task-* are sent */
	bool keeper_forking, keeper_came;
	bool beat_waits, beat_heard, waited;
	int forks;			/* asked of the zygote and not answered yet */
	int64_t forks_ms;		/* since when it owes the next answer */
	bool loading;			/* revokes and pauses are not known yet */
	int64_t solo_until_ms;		/* one that must be alone begins or runs; at most until then */
	int64_t narrow_until_ms;	/* after that: one message for each child */
	bool relieved;			/* every child is busy for long: nothing is consumed */
	int exit_code;
};

/* Of a delivery, for log_about and log_each. */
#define worker_log_task(w, d) (&(struct log_task){ (d)->id, (d)->name, \
	(w)->queues[(d)->queue].name, (d)->retries + 1 })

/* worker.c */
void worker_drain(struct worker *w, const char *why);	/* warm shutdown */

/* herald.c: status, liveness and the time a stop may take, a few times a second */
void herald_tell(struct worker *w);

/* worker_queues.c */
void worker_weigh_queues(struct worker *w);	/* as queues.conf says */
/* Bounds of the pool, 1 to SLOT_MAX_CHILDREN; children move into them at once. */
void worker_scale(struct worker *w, int least, int most);
/* exchange, type and key may be NULL. 0 = consuming, or it was there; -1: too many queues. */
int worker_add_queue(struct worker *w, const char *name, const char *exchange, const char *type,
		     const char *key);
bool worker_cancel_queue(struct worker *w, const char *name);	/* false: not consumed from */

/* roster.c: deliveries that wait for a child, or for a store; those that wait for their time */
typedef void worker_each_fn(void *ctx, const struct delivery *d);
void worker_each_reserved(const struct worker *w, worker_each_fn *fn, void *ctx);
void worker_each_scheduled(const struct worker *w, worker_each_fn *fn, void *ctx);

/* The row in jobfleet.workers, when it is due. Its info column: {"active": [{"id", "name",
 * "since"}], "reserved": ["id"], "loose": [names of tasks without a ledger], "bounds": [fewest,
 * most children], "run_us": {queue: moving average of run times}, "truncated": bool}. */
void worker_beat(struct worker *w, int64_t now_ms);

/* meter.c: counts on the board, and the row's "since", "children" (alive), "processes" ({"parent",
 * "zygote", "children": {"n", "rss_kib", "peak_kib", "cpu_s"}}) and "counts" (board.h). */
void meter_done(const struct worker *w, const struct delivery *d, const struct pool_done *done);
void meter_verdict(const struct worker *w, const struct delivery *d, enum keeper_verdict v);
void meter_put(const struct worker *w, struct buf *out);

/* gate.c */
void gate_arrive(struct worker *w, int queue, uint64_t generation, const struct link_event *ev);
void gate_decide(struct worker *w, struct delivery *d);
/* Puts the message into failed_operations, confirmed, then acks it. */
void gate_dead(struct worker *w, struct delivery *d, const char *cause, const char *reason);
void gate_published(void *ctx, void *item, enum publish_outcome outcome);
void gate_verdict(struct worker *w, struct delivery *d, enum keeper_verdict v, const char *text,
		  const char *dead_cause);
/* Into pending, due at due_us or in delay_ms, then acked. */
void gate_park(struct worker *w, struct delivery *d, const char *kind, int64_t due_us,
	       int64_t delay_ms, const char *reason);
void gate_hold(struct worker *w, struct delivery *d, int64_t delay_ms);
void gate_wake(struct worker *w);	/* what is due of the held ones */
void gate_give_back_all(struct worker *w);
void gate_give_back_queue(struct worker *w, int queue);	/* what is buffered of it */
/* Back to the broker; a claimed one, whose message is acked, back to the relay. */
void gate_give_back(struct worker *w, struct delivery *d);
/* False: its message will come again, so it is no more ours to settle. */
bool gate_owns(const struct worker *w, const struct delivery *d);

/* feed.c */
void feed(struct worker *w);
void feed_ack(struct worker *w, struct delivery *d);	/* and frees it */
void feed_done(void *ctx, struct delivery *d, const struct pool_done *done);
void feed_started(void *ctx, struct delivery *d, pid_t pid);
void feed_lost(void *ctx, struct delivery *d, const struct pool_loss *loss);
void feed_untouched(void *ctx, struct delivery *d);
/* It came back with so many starts that did not end: it may have to begin alone. */
void feed_suspect(struct delivery *d, int64_t starts);
/* It does not run, or not now: if the others waited for it, they need not any more. */
void feed_end_solo(struct worker *w, const struct delivery *d);
void feed_tune(struct worker *w);
void feed_relieve(struct worker *w);	/* gives back what would wait too long */
void feed_grow(struct worker *w);	/* children by backlog */
void feed_weigh(struct worker *w, const struct delivery *d);	/* each that arrives */
size_t feed_reserved(const struct worker *w);	/* buffered, held or outside */
struct catalog_task *feed_spec(const struct worker *w, const struct delivery *d);

/* claim.c: messages that run for so long that the broker would close the channel */
void claim_tick(struct worker *w);
void claim_end(struct worker *w, struct delivery *d, bool again);	/* again: the relay sends it */

/* control.c */
void control_request(void *ctx, const struct link_event *ev);

#endif
