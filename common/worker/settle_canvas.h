/* SPDX-License-Identifier: MIT */
/* What settle.c does for the canvas of a run's message: what goes into the commit, and what is
 * delivered after the result. The second can be repeated by whoever finds the ledger row. */
#ifndef COMMON_WORKER_SETTLE_CANVAS_H
#define COMMON_WORKER_SETTLE_CANVAS_H

#include "common/base/raw.h"
#include "common/store/ledger.h"

struct err;
struct run;

/* How the task ended. */
struct settle_end {
	enum ledger_outcome outcome;
	struct raw json;		/* the result, or {exc_type, …} */
	struct raw traceback;		/* a JSON string, or null */
};

/* Before the commit: into the run's outbox and children. */
int settle_follow_success(struct run *run, struct raw result, struct err *e);
/* Errbacks that cannot be applied are logged and left: the failure itself counts. */
void settle_follow_failure(struct run *run, const struct settle_end *end);
/* Which chord the end is a part of, for the ledger row; strings live as long as the run. */
void settle_note_part(struct run *run, const struct settle_end *end, struct ledger_entry *entry);
/* Is there anything for settle_deliver_end to do? */
bool settle_has_end(struct run *run, enum ledger_outcome outcome);
/* After the result: the steps that never run get this failure, chord parts are counted. */
int settle_deliver_end(struct run *run, const struct settle_end *end, struct err *e);

#endif
