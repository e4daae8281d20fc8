/* SPDX-License-Identifier: MIT */
/* talk: one source's part of a conversation that is held with several sources at once.
 *
 * The owner inits a talk, puts its first questions (talk_ask), does the same with the talks of
 * other sources, and then listens (talk_listen) to all of them. Each whole answer is handed to the
 * talk's hear, which may ask on: a wider area once the narrower one is known to have nothing. So an
 * answer takes as long as its slowest source, not as all of them together, and no source waits for
 * another.
 *
 * Leave for each question (quota, parking, breaker, a slot of the rate) is taken as ask.h says; a
 * question that waits for its slot holds up nothing but itself. A call that breaks is made once
 * more, as a call of its own. A talk lasts no longer than its source's time-out (queues.conf),
 * waits and repeats included: what is open then ends with -ERR_TIMEOUT.
 *
 * While a shelf stands in for the sources (ask_from) it answers at once, within talk_ask.
 *
 * Ownership: a talk stays where it is from talk_init until talk_listen is back; nothing to release.
 * Paths and bodies of questions are copied, their headers are not. */
#ifndef SALARY_TALK_H
#define SALARY_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/salary/ask.h"

struct talk;

/* question: as given to talk_ask. 0, or what is wrong with the answer: it settles what becomes of
 * the source (ask_settle) and stands as the talk's failure. */
typedef int talk_hear(struct talk *t, int question, const struct http_response *answer,
		      struct err *e);

struct talk {
	struct run *run;
	const char *source;
	talk_hear *hear;
	void *of;			/* its owner's */
	int code;			/* what went wrong first; 0 = nothing */
	struct err err;
	bool sent;			/* a call went out: what is wrong now is no mere refusal */
	int64_t end_ms;
};

void talk_init(struct talk *t, struct run *run, const char *source, talk_hear *hear, void *of);
/* what->source is the talk's own. What cannot be asked is noted in the talk as its failure. */
void talk_ask(struct talk *t, int question, struct ask what);
/* Until no question of any talk is open. Negative only for what ends the task (-ERR_CANCELLED,
 * -ERR_SOFT_LIMIT, -ERR_DB …); failures of sources stand in their talks. */
int talk_listen(struct run *run, struct err *e);
#endif
