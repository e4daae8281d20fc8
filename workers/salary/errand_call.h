/* SPDX-License-Identifier: MIT */
/* errand_call: one call of an errand: which of the wanted parts it takes, and making it. */
#ifndef SALARY_ERRAND_CALL_H
#define SALARY_ERRAND_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "workers/salary/shelf.h"

struct err;
struct run;

struct errand_call {
	struct part **parts;		/* of one source; borrowed from the shelf */
	size_t count;
};

/* The next call for what the shelf wants of sources not in trouble, of that which is free of charge
 * or that which is not; false when there is none. */
bool errand_call_next(struct run *run, struct shelf *s, bool free_of_charge,
		      struct errand_call *ret);
void errand_call_clear(struct errand_call *c);
/* Makes it and puts what came on the shelf: of each part, also that there is none. Errors are the
 * source's (ask.h, with its verdict settled) or the task's. */
int errand_call_make(struct run *run, struct errand_call *c, struct err *e);
/* The fewest calls for the bought parts of a source. */
int errand_call_least(struct run *run, struct shelf *s, const char *source);

#endif
