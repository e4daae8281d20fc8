/* SPDX-License-Identifier: MIT */
/* outcome: waits for a task with its progress shown, and prints how it ended. */
#ifndef CTL_OUTCOME_H
#define CTL_OUTCOME_H

#include <stdint.h>

struct await;
struct ctl;
struct err;
struct meta;

/* "90", "5m", "0" = for ever; NULL = 5 minutes. Into milliseconds. */
int outcome_timeout(const char *text, int64_t *ret_ms, struct err *e);

/* Waits at most timeout_ms (0 = for ever): prints the result and answers CTL_OK or CTL_FAILED, or
 * CTL_TIMEOUT. */
int outcome_wait(struct ctl *c, struct await *a, const char *id, int64_t timeout_ms,
		 struct err *e);
/* The same with another way to print the end; --json is outcome_print's all the same. */
int outcome_wait_with(struct ctl *c, struct await *a, const char *id, int64_t timeout_ms,
		      int (*print)(struct ctl *c, const struct meta *m, struct err *e),
		      struct err *e);

/* The same with each state as a line of stdout when --json. Ends also when only the ledger knows of
 * the end. */
int outcome_follow(struct ctl *c, struct await *a, const char *id, int64_t timeout_ms,
		   struct err *e);
/* What the tables know of a task of which Redis knows nothing: prints it and answers as above, or
 * -ERR_NOT_FOUND. */
int outcome_look_further(struct ctl *c, const char *id, struct err *e);

/* A final state: the result's JSON to stdout, an error to stderr; with --json all of it to
 * stdout. */
int outcome_print(const struct ctl *c, const struct meta *m);

#endif
