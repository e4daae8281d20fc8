/* SPDX-License-Identifier: MIT */
/* keeper: one more child that does all store work which is no task's own.
 *
 * Requests (each begins with u32 number) and their one kind of answer:
 *
 * FRAME_PARK     str kind, str queue, i64 due_us, i64 delay_ms, str reason, u32 admitted,
 *                i64 slot_ms (both of the message), bytes props, bytes body
 * FRAME_START    str task_id, u32 generation, u32 retries, i32 arrival, str cause; counts a start
 *                that may not end (0), a redelivery (1), or takes one back (-1: we gave the
 *                message back ourselves); answered with the counts
 * FRAME_VERDICT  u32 verdict, str queue, str message, str dead_cause, bytes props, bytes body
 * FRAME_CLAIM    u32 enum keeper_claim, str queue, i64 lease_ms, str task_id, u32 generation,
 *                u32 nesting, u32 retries, u32 hop; for KEEPER_CLAIM also bytes props, bytes
 *                body; -ERR_CONFLICT: the claim is not ours
 * FRAME_BEAT     str state, str queues (PostgreSQL array), u32 concurrency, u32 active,
 *                u32 reserved, i64 processed, i64 failed, str info (JSON)
 *                also asks whether the database's schema fits this build: -ERR_SCHEMA
 * FRAME_ORDER_WRITE  u32 enum order_kind, str name, str value, str reason, str by, u32 on
 * FRAME_ADMIT    u32 want, i64 rate (events in a million seconds), u32 burst, u32 stamp,
 *                str parameter, u32 limit, i64 lease_ms, str task, bytes props, bytes body
 *                (keeper_admit.h; props and body only if they are looked at); answered by
 * FRAME_ADMITTED u32 number, i64 code, u32 enum admit_verdict, i64 wait_ms, str text (of the code,
 *                or of the verdict)
 * FRAME_RELEASE  str key of the lease or NULL, str task_id, u32 also its unique key,
 *                u32 wake one that is parked for the lease
 * FRAME_RENEW    i64 lease_ms, u32 n, n times str key, str task_id
 * FRAME_RATE     str task: its rate is another; what waits for a slot asks again
 * FRAME_PARKED   str queues (PostgreSQL array); answered with a list as text (keeper_parked.h)
 * FRAME_ANSWER   u32 number, i64 code (0 or negative), str text, u32 starts, u32 arrivals,
 *                u32 claimed (somebody runs it under a live claim)
 *
 * And what it sends unasked (keeper_orders.h):
 *
 * FRAME_ORDER    u32 enum order_kind, str name, str value, u32 on, i64 at_ms
 * FRAME_ORDERS_LOADED
 */
#ifndef COMMON_WORKER_KEEPER_H
#define COMMON_WORKER_KEEPER_H

#include "common/worker/child.h"

enum keeper_verdict {
	KEEPER_HARD_LIMIT, KEEPER_LOST, KEEPER_UNREGISTERED, KEEPER_EXPIRED, KEEPER_REVOKED,
};

enum keeper_claim { KEEPER_CLAIM, KEEPER_RENEW, KEEPER_UNCLAIM, KEEPER_UNCLAIM_AGAIN };

/* Serves fd until it closes; the exit code. */
int keeper_main(struct program *program, int fd);

#endif
