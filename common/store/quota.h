/* SPDX-License-Identifier: MIT */
/* quota: leave to call a provider: what is left of its day and month, whether it is parked, and
 * its circuit breaker, for the whole fleet (jobfleet.provider_quota, jobfleet.source_state).
 *
 * A call is taken before it is made, and the provider's own figures replace ours after it: calls
 * of other programs with the same key count too. Of our bound and the provider's the smaller holds.
 * A period ends when its provider says so; until it said anything, days and months are calendar
 * ones, UTC.
 * Each function is one or a few single statements: use a connection outside of a transaction
 * (run_db_read), so that what was taken stays taken when the task fails.
 * Alerts raised (subject = source): quota_low at 80 %, quota_used_up, circuit_open, and the name
 * given to quota_park. quota_succeeded resolves the last two.
 * Errors of all: pg's. */
#ifndef COMMON_STORE_QUOTA_H
#define COMMON_STORE_QUOTA_H

#include <stdint.h>

struct conf_source;
struct err;
struct pg;

enum quota_period { QUOTA_DAY, QUOTA_MONTH };

#define QUOTA_FOR_EVER (-1)
#define QUOTA_CIRCUIT "CircuitOpen"

/* Takes so many calls of both periods, or none. 0 = taken.
 * -ERR_QUOTA: a period's calls are used up; the source is parked until it ends.
 * -ERR_PARKED: parked; e->msg has the reason. -ERR_AGAIN: held back by quota_limited, or (then
 * e->exc_type is QUOTA_CIRCUIT) the circuit is open: after 5 failures in a row nothing is called
 * for 60 s, doubling up to 10 min, then one call goes out as a probe.
 * All three set e->retry_after_ms; parked without end says an hour. */
int quota_take(struct pg *p, const struct conf_source *s, int calls, struct err *e);

/* What a schedule may spend: an equal share of what is left of the tightest period for each day
 * until it ends, less what was spent (calls already made of it); never below 0. -1 = no bound. */
int quota_share(struct pg *p, const struct conf_source *s, int spent, int *ret_calls,
		struct err *e);

/* What the provider's headers said: calls allowed and left, and seconds until the period ends. */
int quota_correct(struct pg *p, const struct conf_source *s, enum quota_period period,
		  int64_t limit, int64_t remaining, int64_t reset_s, struct err *e);

/* Nothing is called for so many seconds, or QUOTA_FOR_EVER; raises the alert at level ERROR. */
int quota_park(struct pg *p, const char *source, int64_t seconds, const char *alert,
	       const char *reason, struct err *e);
/* Ends a parking that was made with this alert name; another one stays. */
int quota_unpark(struct pg *p, const char *source, const char *alert, struct err *e);

/* The provider said "too fast": nothing is called for so many seconds, and for twice as long when
 * the first call after that is told the same, up to an hour. Raises the alert rate_limited
 * (WARNING). *ret_wait_s (may be NULL) is how long it is. Whoever asks meanwhile is told
 * -ERR_AGAIN. */
int quota_limited(struct pg *p, const char *source, int64_t seconds, const char *reason,
		  int64_t *ret_wait_s, struct err *e);

/* The circuit breaker: count failures of the provider (5xx, no connection, no answer), not
 * refusals. The first success closes it. */
int quota_failed(struct pg *p, const char *source, struct err *e);
int quota_succeeded(struct pg *p, const char *source, struct err *e);

#endif
