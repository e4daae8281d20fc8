/* SPDX-License-Identifier: MIT */
/* delivery: one message from the broker, from its arrival to its ack.
 *
 * It is always in exactly one place: the buffer, a child's slot, or waiting (for the keeper, the
 * outlet or a timer). Who holds it settles it through the consumer or hands it on. */
#ifndef COMMON_WORKER_DELIVERY_H
#define COMMON_WORKER_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct link_event;
struct message;

enum { DELIVERY_PRIORITIES = 10, DELIVERY_UNKNOWN_TASK = -1 };

struct delivery {
	struct delivery *next, *prev;	/* of the list it is in */
	int queue;			/* index of the consumer's queue */
	uint64_t link_generation, tag;	/* of an older connection: never acked */
	uint64_t seq;			/* order of arrival in the buffer */
	int priority;
	bool ask_ledger;		/* came before, or a run of it ended without a word */
	bool start_counted;
	bool plain;			/* a call without headers (plain.h) */
	int64_t alone_until_ms;		/* its starts did not end: until then it starts alone; 0 */
	/* admit.h */
	bool unique, unique_asked;	/* wants a unique key; has it */
	int slot;			/* of x-jobfleet-admitted: the rate it has a slot of; 0 = none */
	int64_t slot_ms, busy_ms;	/* monotonic, 0 = none: its slot; since when its key is busy */
	int busy;			/* refusals */
	char *lease;			/* key of its lease, or of the one it waits for */
	bool leased, no_key;		/* has it; needs none */
	bool claimed, claiming;		/* acked, and ours by a lease in pending; being made */
	int64_t renew_ms;		/* when the claim is renewed next, monotonic */
	int nesting;
	int deaths, again;		/* children lost, settles put off */
	char *cause;			/* of the last death, or the text of its verdict */
	int judged;			/* enum keeper_verdict + 1: asked for, until the store took it */
	const char *dead_cause;		/* of the verdict; static */
	int terminated;			/* by this signal; 0 = not */
	int task;			/* index in the catalog, or DELIVERY_UNKNOWN_TASK */
	int generation, retries, hop, forwards;
	int64_t hard_ms, soft_ms;	/* from the message; -1 */
	int64_t eta_us, expires_us;	/* 0 = none */
	int64_t arrived_ms, wake_ms;	/* monotonic */
	bool timed;			/* waits for wake_ms */
	char *id, *name;		/* task id and task name */
	char *props, *body;
	size_t props_len, body_len;
};

/* props and body are copied from the event (body NULL: it is oversized and comes in parts). m is
 * what could be decoded: id and name are "" where it has none. */
struct delivery *delivery_new(const struct link_event *ev, const struct message *m);
void delivery_free(struct delivery *d);
size_t delivery_bytes(const struct delivery *d);

/* A list with a head; pushes and removes in constant time. */
struct delivery_list {
	struct delivery *first, *last;
	size_t n, bytes;
};

void delivery_push(struct delivery_list *l, struct delivery *d);
void delivery_push_front(struct delivery_list *l, struct delivery *d);
void delivery_remove(struct delivery_list *l, struct delivery *d);
struct delivery *delivery_pop(struct delivery_list *l);		/* NULL when empty */

#endif
