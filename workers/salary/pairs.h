/* SPDX-License-Identifier: MIT */
/* pairs: the occupations × locations of a sync, and which of them are still open.
 *
 * They stand in order of place and occupation, so that two syncs at once lock rows in one order.
 * Without lists of its own a sync takes those of queues.conf (salary_occupations,
 * salary_locations).
 * Errors name the text that is no place or no occupation. */
#ifndef SALARY_PAIRS_H
#define SALARY_PAIRS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "workers/salary/cachekey.h"
#include "workers/salary/request.h"

struct conf;
struct err;
struct pg;

#define PAIRS_MAX 5000

struct pair {
	struct request request;
	char key[CACHEKEY_SIZE];	/* of its answer in the cache */
	bool gathered;			/* all that it needs of the sources is here */
	bool done, fresh, given_up;	/* stored by this task; stored lately; nobody has figures */
};

struct pairs {
	struct pair *items;
	size_t count;
};

int pairs_make(const struct conf *conf, const cJSON *occupations, const cJSON *locations,
	       struct pairs *ret, struct err *e);
void pairs_release(struct pairs *p);
/* Marks those whose answer was stored in the last 12 hours, by all sources that could be asked, and
 * still stands; returns how many there are. */
int pairs_mark_fresh(struct pairs *p, struct pg *pg, struct err *e);
bool pair_is_open(const struct pair *p);

#endif
