/* SPDX-License-Identifier: MIT */
/* presence: the dispatcher's own row in jobfleet.workers, which says that it lives. */
#ifndef DISPATCHER_PRESENCE_H
#define DISPATCHER_PRESENCE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;

struct presence {
	const char *node;     /* borrowed */
	const char *state;    /* starting, running, draining, stopped */
	int64_t sent, failed; /* since the start: messages published, and given back */
	bool leads;           /* as info.leads, with the lease's info.term */
	int64_t term;
	const char *info;     /* JSON object: further members of info; borrowed */
};

int presence_write(const struct presence *p, struct pg *pg, struct err *e);

#endif
