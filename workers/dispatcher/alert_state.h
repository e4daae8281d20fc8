/* SPDX-License-Identifier: MIT */
/* alert_state: how every subject of every rule stands, as jobfleet.alert_states has it.
 *
 * Read and written in one transaction under an advisory lock, so that two dispatchers that both
 * take themselves for the leader still go through one history, one after the other. A row is
 * written when it changed, else once a minute. Texts belong to the list. */
#ifndef DISPATCHER_ALERT_STATE_H
#define DISPATCHER_ALERT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/dispatcher/rule.h"

struct err;
struct pg;

struct alert_state {
	char *rule, *subject;
	struct rule_state now, stored;
	bool known;		/* its rule is in queues.conf and on */
	bool there;		/* has a row */
};

struct alert_states {
	struct alert_state *items;
	size_t n;
};

/* 1 = read; 0 = another dispatcher has the lock right now. */
int alert_states_load(struct alert_states *s, struct pg *pg, struct err *e);
void alert_states_release(struct alert_states *s);
/* The one of that name, made if it is new. Borrowed until the next one is made. */
struct alert_state *alert_states_at(struct alert_states *s, const char *rule, const char *subject);
/* What changed; those whose rule is not known any more are dropped. */
int alert_states_save(struct alert_states *s, struct pg *pg, struct err *e);

#endif
