/* SPDX-License-Identifier: MIT */
/* What run.c (the handler's calls), run_follow.c (follow-ups, steps) and settle.c share. */
#ifndef COMMON_WORKER_RUN_PRIVATE_H
#define COMMON_WORKER_RUN_PRIVATE_H

#include "common/base/buf.h"
#include "common/broker/message.h"
#include "common/store/ledger.h"
#include "common/store/pending.h"
#include "common/worker/catalog.h"
#include "common/worker/run.h"
#include "common/worker/stores.h"

enum { RUN_STEP_BYTES = 128, RUN_MAX_FOLLOW_UPS = 10000 };

/* One follow-up: its message (props and body belong to it) and where it goes. */
struct follow_up {
	struct message message;
	struct buf props;
	char *queue;
	int64_t delay_ms;
	bool stored, sent;
};

struct run {
	const struct catalog_task *task;
	const struct catalog *catalog;
	struct stores *stores;
	struct message *message;	/* NULL with --run */
	const char *id, *queue, *node;
	struct ledger_key key;
	bool ledger;			/* this attempt has a ledger row */
	bool asked_ledger, settled_before;	/* a twin's row was found */
	int64_t started_ms, soft_at_ms, hard_at_ms;	/* monotonic; INT64_MAX = none */
	int64_t progress_ms;
	struct follow_up *follow_ups;
	size_t nfollow_ups, unstored;	/* unstored: of the newest, not yet in the transaction */
	int position;
	char step[RUN_STEP_BYTES];
	char *idempotency;
	bool committed;			/* a step's commit made effects visible */
	/* only for run_open */
	struct stores own_stores;
	struct catalog own_catalog;
};

void run_init(struct run *run, const struct catalog *catalog, const struct catalog_task *task,
	      struct stores *stores);
void run_release(struct run *run);
/* Inserts the follow-ups that are not yet in the transaction as claimed pending rows. */
int run_store_follow_ups(struct run *run, struct pg *pg, struct err *e);
/* Publishes what is due of the stored ones and marks it sent; what fails is left to the relay. */
void run_publish_follow_ups(struct run *run);

#endif
