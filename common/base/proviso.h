/* SPDX-License-Identifier: MIT */
/* proviso: what must hold for a schedule to fire (its "condition" in queues.conf). Pure.
 *
 *	age(DATA) > DURATION   the newest of it is older; what is not there is old
 *	quota(SOURCE) > N      more calls are left of its day and month; without a bound always
 *	… and …                all of them, at most PROVISO_MOST
 * DATA is raw, postings, benchmarks, market or scores, or the name of a schedule: how long ago a
 * run of it ended well. */
#ifndef COMMON_BASE_PROVISO_H
#define COMMON_BASE_PROVISO_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum { PROVISO_MOST = 4, PROVISO_NAME = 256 };
enum proviso_kind { PROVISO_AGE, PROVISO_QUOTA };

struct proviso_term {
	enum proviso_kind kind;
	char name[PROVISO_NAME];	/* of the data or the source */
	int64_t least;			/* milliseconds, or calls */
};

struct proviso {
	struct proviso_term terms[PROVISO_MOST];
	size_t n;			/* 0: always */
};

/* "" is none. -ERR_INVALID quotes what is wrong and says what would be right. */
int proviso_parse(const char *text, struct proviso *ret, struct err *e);
/* raw, postings, … as DATA; the NULL-terminated list of them. */
const char *const *proviso_data(void);

#endif
