/* SPDX-License-Identifier: MIT */
/* desk: the parent's side of the keeper: numbered requests, one answer each.
 *
 * Requests of a keeper that died or is not there are answered with -ERR_DB after a while, so that
 * every caller gets exactly one answer. A request that waits past DESK_DEADLINE kills the keeper,
 * which is then forked anew. Past DESK_BOUND waiting requests desk_is_full: consumption pauses. */
#ifndef COMMON_WORKER_DESK_H
#define COMMON_WORKER_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/orders.h"
#include "common/worker/keeper.h"
#include "common/worker/keeper_admit.h"

struct delivery;
struct desk;

struct desk_answer {
	int code;			/* 0 or negative */
	const char *text;
	int64_t starts, arrivals;
	int verdict;			/* desk_admit: enum admit_verdict, and when */
	int64_t wait_ms;
	bool claimed;			/* FRAME_START: somebody runs it under a live claim */
};

typedef void desk_done(void *ctx, struct delivery *d, const struct desk_answer *a);

struct desk *desk_new(void *loop);
void desk_free(struct desk *k);
/* The zygote forked a keeper (fd and pidfd are the desk's from now), or it exited. */
void desk_keeper_came(struct desk *k, int fd, int pidfd);
bool desk_has_keeper(const struct desk *k);
void desk_tick(struct desk *k);
void desk_flush(struct desk *k);
bool desk_is_full(const struct desk *k);

/* d goes back to the caller by done. */
void desk_park(struct desk *k, struct delivery *d, const char *kind, const char *queue,
	       int64_t due_us, int64_t delay_ms, const char *reason, desk_done *done, void *ctx);
void desk_count(struct desk *k, struct delivery *d, bool arrival, const char *cause,
		desk_done *done, void *ctx);
/* The arrival that will follow from our giving it back is not to count; done gets NULL. */
void desk_uncount(struct desk *k, const struct delivery *d, desk_done *done, void *ctx);
void desk_verdict(struct desk *k, struct delivery *d, enum keeper_verdict v, const char *queue,
		  const char *text, const char *dead_cause, desk_done *done, void *ctx);

/* d need not outlive the call; done gets NULL for it. */
void desk_claim(struct desk *k, const struct delivery *d, enum keeper_claim what,
		const char *queue, int64_t lease_ms, desk_done *done, void *ctx);

/* Persists an order (a revoke by remote control); code 0 = it survives restarts now. */
void desk_order(struct desk *k, const struct order *o, desk_done *done, void *ctx);
/* fn gets each order that the keeper heard of, some more than once, and NULL when all that hold
 * were given. */
void desk_on_orders(struct desk *k, order_fn *fn, void *ctx);

/* Admission (admit.h). d comes back by done; the others need it not to outlive the call. */
void desk_admit(struct desk *k, struct delivery *d, const struct admit_ask *ask, desk_done *done,
		void *ctx);
/* wake: nobody here waits for the key, so somebody who is parked may come. */
void desk_release(struct desk *k, const char *key, const char *id, bool unique, bool wake,
		  desk_done *done, void *ctx);
void desk_renew(struct desk *k, const struct delivery *const *held, size_t n, int64_t lease_ms,
		desk_done *done, void *ctx);
void desk_rate(struct desk *k, const char *task, desk_done *done, void *ctx);

/* Answered with a JSON list as its text (keeper_parked.h). */
void desk_parked(struct desk *k, const char *queues, desk_done *done, void *ctx);

struct desk_beat {
	const char *state, *queues, *info;
	int concurrency, active, reserved;
	int64_t processed, failed;
};
void desk_beat(struct desk *k, const struct desk_beat *b, desk_done *done, void *ctx);

#endif
