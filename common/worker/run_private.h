/* SPDX-License-Identifier: MIT */
/* What run.c (the handler's calls), run_follow.c (follow-ups, steps) and settle.c share. */
#ifndef COMMON_WORKER_RUN_PRIVATE_H
#define COMMON_WORKER_RUN_PRIVATE_H

#include "common/base/buf.h"
#include "common/broker/message.h"
#include "common/store/ledger.h"
#include "common/store/pending.h"
#include "common/worker/canvas.h"
#include "common/worker/catalog.h"
#include "common/worker/outbox.h"
#include "common/worker/run.h"
#include "common/worker/stores.h"

enum { RUN_STEP_BYTES = 128 };

/* How a handler ended its task otherwise than by a result or an error. */
enum run_exit { RUN_GOES_ON, RUN_IGNORED, RUN_REJECTED, RUN_REQUEUED, RUN_REPLACED };

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
	/* the message's body, once run_load has read it */
	char *text, *args_text, *kwargs_text;	/* args and kwargs with a NUL behind them */
	struct canvas canvas;
	bool loaded;
	/* what becomes visible with the commit */
	struct outbox outbox;
	struct buf children;		/* result tuples of what it published, comma separated */
	struct apply *apply;		/* made at first use */
	char *source;			/* of apply */
	int position;
	enum run_exit exit;
	const char *sig_fault;		/* of a signature that the handler built; NULL = none */
	char step[RUN_STEP_BYTES];
	char *idempotency;
	bool committed;			/* a step's commit made effects visible */
	bool last_try;			/* the handler wants no retry after it */
	/* only for run_open */
	struct stores own_stores;
	struct catalog own_catalog;
};

void run_init(struct run *run, const struct catalog *catalog, const struct catalog_task *task,
	      struct stores *stores);
void run_release(struct run *run);
/* Reads the message's body; once is enough. */
int run_load(struct run *run, struct err *e);
/* Applies signatures for this run, into its outbox. */
struct apply *run_apply_of(struct run *run);
/* The priority that what it publishes inherits; -1 = none. */
int run_heir_priority(const struct run *run);
/* The JSON of a state, extended where queues.conf wants it so. */
int run_print_state(struct run *run, const char *status, const char *json, const char *traceback,
		    struct buf *out, struct err *e);
/* A state on the way (STARTED, PROGRESS), for the eye: without Redis the work goes on. */
void run_show_state(struct run *run, const char *status, const char *json);
/* Result tuple of one task that it published. */
void run_add_child(struct run *run, const char *id);

#endif
