/* SPDX-License-Identifier: MIT */
/* standing: where one task is right now and why it is not further, from all that is stored about it
 * and what the workers last reported.
 *
 * A message in a queue cannot be looked up: of one that was sent, all that can be said is how many
 * are ready there (at most so many are ahead of it). Workers report every heartbeat, so what they
 * hold is up to that old. */
#ifndef CTL_STANDING_H
#define CTL_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct ctl;
struct err;
struct pg_rows;

enum standing_state {
	STANDING_UNKNOWN,
	STANDING_ENDED,
	STANDING_DEAD,
	STANDING_RUNNING,
	STANDING_DELIVERED,
	STANDING_REVOKED,
	STANDING_SPOOLED,
	STANDING_WAITING,
	STANDING_CLAIMED,
	STANDING_SENT,
	STANDING_INTERRUPTED,
	STANDING_REPORTED, STANDING_CHORD,
};

/* Texts are "" where there is nothing; times are UTC texts, ages seconds. */
struct standing {
	const char *id, *task, *queue;
	/* the final ledger row of the latest generation */
	const char *outcome, *cause, *ended_on, *ended_at;
	const char *letter, *letter_cause, *letter_reason;	/* an open dead letter's id … */
	const char *runs_on, *runs_since;			/* a live worker says it runs it */
	double runs_s, runs_seen_s;
	const char *held_by;					/* … or has it in its buffer */
	double held_seen_s;
	const char *revoked_at, *revoked_by;
	/* the newest row of jobfleet.pending */
	const char *kind, *state, *due, *reason, *sent_at;
	bool never_due;
	double due_in_s;
	int64_t attempts;
	int64_t starts, arrivals;				/* that did not end */
	const char *causes;					/* "killed, killed" */
	int64_t backlog;					/* results for Redis that wait */
	const char *pause_kind, *pause_name, *pause_reason;
	bool dispatcher;					/* one is alive */
	bool spooled;						/* in this host's spool */
	bool truncated;						/* a worker holds more than it lists */
	/* the chord that it is, or whose body it is */
	const char *join, *join_state;				/* "open", "done", "failed" */
	bool join_body;
	int64_t join_parts, join_size;				/* ended ones; size -1 = not known */
	const char *redis_status;				/* "SUCCESS"; "" = nothing there */
	int64_t ready, consumers;				/* of queue; -1 = not known */
	struct pg_rows *rows;					/* what texts are borrowed from */
	char *status;						/* redis_status, if there is one */
};

/* queue: where the caller says it went, NULL = as the tables know. id is borrowed. */
int standing_load(struct standing *ret, struct ctl *c, const char *id, const char *queue,
		  struct err *e);
void standing_release(struct standing *s);

/* Where it is; sentences, a line each, into why. */
enum standing_state standing_judge(const struct standing *s, struct buf *why);
const char *standing_name(enum standing_state state);	/* "sent" */

#endif
