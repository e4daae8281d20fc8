/* SPDX-License-Identifier: MIT */
/* rule: how one subject of an alert's rule stands over time. Pure; who asks says what time it is.
 *
 *	ok → pending    the condition holds
 *	pending → ok    it does not hold any more
 *	pending → firing    it has held for `for` (at once when that is 0)        RULE_FIRES
 *	firing → ok     it has not held for the calm time                         RULE_RESOLVES
 *	firing → ok     there was no value for a day                              RULE_FORGETS
 *
 * A value that is missing is not "fine": it changes nothing, it takes no part in a calm time, and a
 * subject fires only on a value that is there. The calm time is `for`, a minute at most. One that
 * fires again within an hour of the last time is flapping: from the second time on its calm time is
 * at least half a minute and doubles with each time, up to an hour, so that it is told less and
 * less often. Times are microseconds of one clock (PostgreSQL's). When that is set back, what was
 * noted as later counts as of now: at worst a `for` and a calm time begin again. */
#ifndef DISPATCHER_RULE_H
#define DISPATCHER_RULE_H

#include <stdint.h>

struct condition;

enum rule_phase { RULE_OK, RULE_PENDING, RULE_FIRING };
enum rule_event { RULE_NOTHING, RULE_FIRES, RULE_RESOLVES, RULE_FORGETS };

#define RULE_FORGET_US (86400 * 1000000LL)
#define RULE_FLAP_US (3600 * 1000000LL)

/* Zero is a subject that was never looked at. */
struct rule_state {
	enum rule_phase phase;
	int64_t since_us;	/* of the phase */
	int64_t good_us;	/* firing: since when it does not hold any more; 0 = it holds */
	int64_t seen_us;	/* when there was a value last; 0 = never */
	int64_t fired_us;	/* the last time; 0 = never */
	int fired;		/* times in short succession */
	double value;		/* the last one */
};

/* value: NULL = there is none. */
enum rule_event rule_step(struct rule_state *s, const struct condition *c, int64_t for_us,
			  const double *value, int64_t now_us);
/* How long it must be fine to be resolved. */
int64_t rule_calm_us(const struct rule_state *s, int64_t for_us);

const char *rule_phase_word(enum rule_phase phase);	/* "pending" */
enum rule_phase rule_phase_read(const char *word);

#endif
