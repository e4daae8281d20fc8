/* SPDX-License-Identifier: MIT */
/* What one settle writes (settle.c carries it out). */
#ifndef COMMON_WORKER_SETTLE_PLAN_H
#define COMMON_WORKER_SETTLE_PLAN_H

#include "common/base/buf.h"
#include "common/store/dead_letter.h"
#include "common/store/ledger.h"
#include "common/store/pending.h"
#include "common/worker/settle_canvas.h"

struct err;
struct run;
struct settle;

struct plan {
	enum ledger_outcome outcome;
	const char *status;		/* in Redis */
	const char *cause;
	struct buf meta;		/* result JSON; empty = none needed */
	struct buf json;		/* of an error: {exc_type, …} */
	struct settle_end end;
	struct buf props;
	struct pending_row next;	/* retry or parked copy, when has_next */
	bool has_next, no_row;		/* no_row: parked, the attempt itself is not settled */
	struct dead_letter dead;	/* when dead.cause is set */
};

/* For events: Python's repr; malloc'ed. */
char *plan_event_of_result(const char *json);
bool plan_wants_result(const struct run *run);
void plan_init(struct plan *p, enum ledger_outcome outcome, const char *status);
void plan_release(struct plan *p);
/* result_print of how it ended; also where only the ledger needs it (settle_canvas.h). */
int plan_meta(struct plan *p, struct run *run, const char *json, const char *traceback,
	      struct err *e);
/* The same for an error; events' texts go to ret when it wants them. */
int plan_error(struct plan *p, struct run *run, const struct err *error, struct settle *ret,
	       struct err *e);
/* Results that no client could read are refused: too large, no UTF-8. */
int plan_check_result(const struct run *run, const char *result, struct err *e);
int plan_retry(struct plan *p, struct run *run, int64_t delay_ms, struct err *e);
int plan_park(struct plan *p, struct run *run, const struct err *error, struct err *e);
int plan_dead(struct plan *p, struct run *run, const char *cause, const struct err *error,
	      struct err *e);

#endif
