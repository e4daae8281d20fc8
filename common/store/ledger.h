/* SPDX-License-Identifier: MIT */
/* ledger: one row per settled attempt of a task, so that its effects happen once.
 *
 * Key: (task_id, generation, nesting, retries); one final row per (task_id, generation). The row is
 * the last statement before COMMIT: a twin of the attempt (redelivered, thawed, published twice)
 * gets -ERR_CONFLICT, rolls back, and delivers what ledger_find answers. */
#ifndef COMMON_STORE_LEDGER_H
#define COMMON_STORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;

struct ledger_key {
	const char *task_id;
	int generation, nesting, retries;
};

/* The closed list of outcomes, as sql/001_fleet.sql checks it: name, final? */
#define LEDGER_OUTCOMES(X) \
	X(SUCCESS, "success", true) X(FAILURE, "failure", true) X(REVOKED, "revoked", true) \
	X(RETRY, "retry", false) X(REPLACED, "replaced", false) X(IGNORED, "ignored", true) \
	X(REJECTED, "rejected", true)

enum ledger_outcome {
#define X(name, text, final) LEDGER_##name,
	LEDGER_OUTCOMES(X)
#undef X
	LEDGER_COUNT
};

const char *ledger_outcome_name(enum ledger_outcome o);
bool ledger_outcome_is_final(enum ledger_outcome o);

struct ledger_entry {
	struct ledger_key key;
	enum ledger_outcome outcome;
	const char *task, *queue, *node;
	const char *meta;		/* Celery's result JSON; NULL = none wanted */
	const char *cause;		/* NULL on success */
	int follow_ups;
	int64_t runtime_ms;
	/* A part of a chord (join.h), when it is final and counts: the group's id, else all NULL.
	 * The row of jobfleet.joins comes with it if it is not there. */
	const char *join_id;
	const char *join_task;		/* the id it counts under; NULL = key.task_id */
	int join_index;			/* less than 0: none */
	const char *join_part;		/* raw JSON: the value, or {exc_type, …} */
	const char *join_body;		/* raw JSON: embed.chord; NULL: the join is noted already */
	const char *join_root;		/* root of the body where its options name none; or NULL */
	/* It came before or through pending: with the row go what counted its starts and, when it
	 * is final, the 'sent' rows that kept it safe. */
	bool traces;
};

/* In p's transaction, or alone. */
int ledger_insert(struct pg *p, const struct ledger_entry *entry, struct err *e);

struct ledger_found {
	enum ledger_outcome outcome;
	int retries;			/* of the attempt that was found */
	char *meta;			/* malloc'ed; NULL = none */
};

/* What settled this attempt, or the whole (task_id, generation): 1 = *ret filled, 0 = nothing. */
int ledger_find(struct pg *p, const struct ledger_key *key, struct ledger_found *ret,
		struct err *e);
void ledger_found_release(struct ledger_found *f);

#endif
