/* SPDX-License-Identifier: MIT */
/* census: what each queue holds and how fast it moves, from RabbitMQ and PostgreSQL together.
 *
 * The rate out is of attempts settled in the ledger over the last CENSUS_WINDOW_S; tasks without a
 * ledger row do not count there. The rate in needs two looks: what was settled between them, plus
 * by how much ready and unacked grew. Unacked messages are those our workers report to hold; where
 * a worker serves several queues, nobody can tell whose they are.
 * The age of the oldest message: of what went through jobfleet.pending it is known; a message has
 * no date of its own, so for the others there is at best a bound: the last time the queue was seen
 * empty, or an idle worker reported that it had nothing of it. What a worker gave back since may be
 * older. */
#ifndef CTL_CENSUS_H
#define CTL_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_queue;
struct ctl;
struct err;

enum { CENSUS_WINDOW_S = 60 };

enum census_age {
	CENSUS_AGE_NONE,	/* nothing is ready */
	CENSUS_AGE_EXACT,	/* all that is ready came through jobfleet.pending */
	CENSUS_AGE_OWN,		/* of our own; other clients' messages may be older */
	CENSUS_AGE_BOUND,	/* at most so old */
	CENSUS_AGE_UNKNOWN,
};

/* Kinds of jobfleet.pending rows that wait, in the order of CENSUS_KINDS. */
enum { CENSUS_NKINDS = 6 };
extern const char *const CENSUS_KINDS[CENSUS_NKINDS];

struct census_queue {
	const char *name;
	const struct conf_queue *conf;	/* NULL: queues.conf does not name it */
	bool declared, other_arguments;	/* other_arguments: than queues.conf says */
	int64_t ready, consumers;	/* -1 = not declared */
	int64_t unacked;		/* -1 = not known */
	int64_t settled;		/* attempts within the window */
	double in_per_s, settled_per_s;	/* since the look before; < 0 = not known: one look only */
	int64_t waiting[CENSUS_NKINDS];
	int64_t sent;			/* our own, published and not settled */
	enum census_age age_kind;
	double age_s;
	bool paused, fleet_paused;
	char *pause_reason;		/* "" */
	int64_t settled_since;		/* since the look before */
	double own_age_s, idle_s;	/* what age is made of; < 0 = not known */
	int64_t empty_ms;		/* when it was last seen empty, monotonic; 0 = never */
};

struct census {
	struct census_queue *queues;
	size_t n;
	int64_t taken_ms;	/* monotonic */
	char taken_at[64];	/* PostgreSQL's clock */
};

/* The queues named, or all of queues.conf and failed_operations. arguments: also ask whether each
 * has the arguments of queues.conf. names NULL-terminated, borrowed. before: an earlier look at the
 * same queues, for the rate in; or NULL. */
int census_take(struct census *ret, struct ctl *c, char *const *names, bool arguments,
		const struct census *before, struct err *e);
/* The arithmetic of that; what only the first look asked for is carried over. */
void census_compare(struct census *now, const struct census *before);
void census_release(struct census *x);

int64_t census_waiting(const struct census_queue *q);	/* of all kinds */
/* "3s", "<= 12s", "own 3s", "-" */
void census_age_text(const struct census_queue *q, char *out, size_t size);
/* Why the age is no exact one; "" if it is. */
const char *census_age_note(const struct census_queue *q);
/* "ok", or all that is odd about it, with commas. */
void census_state(const struct census_queue *q, char *out, size_t size);

#endif
