/* SPDX-License-Identifier: MIT */
/* watcher: sends again what a deleted or purged queue lost.
 *
 * A row of jobfleet.pending stays 'sent' until its task's final ledger row. Its message is taken
 * for lost when all of this holds:
 *   - it was sent over lost_after ago (default 60 s; each time twice as long, up to 64 times);
 *   - at a moment T since then its queue did not exist, or had no message ready (passive declare);
 *   - all live workers have reported themselves a second after T or later, and none of them names
 *     the task as running, buffered or held (jobfleet.workers.info: active, reserved), nor had too
 *     many to name them all (truncated). A worker is live for three heartbeats after a report;
 *   - the queue has no more consumers than live workers that serve it: others do not report;
 *   - nothing newer of the task is known: no ledger row of this or a later attempt, no dead
 *     letter, no other row in pending (a retry, a parked copy, the claim of a long task);
 *   - the task keeps a ledger (workers.info: loose names those that do not): of the others nobody
 *     knows whether they have run; their rows go after an hour;
 *   - Redis has no final result of it (with one, a worker that keeps no ledger, Python's, has run
 *     it: its row goes, unless it is a dead letter's replay).
 * (What a worker forwarded to another queue, and what waits there for long, looks lost: it gets a
 * copy each time the age doubles.)
 * Then the row waits again and the relay publishes it. A copy too many is harmless, the ledger
 * keeps effects single; so nothing is locked, and any number of dispatchers may watch. At most
 * WATCHER_BATCH a queue and look; what is sent makes the queue non-empty, so the next ones wait
 * until it is drained. Raises the alert queue_lost. */
#ifndef DISPATCHER_WATCHER_H
#define DISPATCHER_WATCHER_H

struct conf;
struct err;
struct peers;
struct watcher;

#define WATCHER_BATCH 500

struct watcher *watcher_new(void);
void watcher_free(struct watcher *w);

/* Looks once in a while: 0 = done, or somebody is away. */
int watcher_turn(struct watcher *w, const struct conf *conf, struct peers *peers, struct err *e);

#endif
