/* SPDX-License-Identifier: MIT */
/* keeper_admit: the keeper's part of admission (admit.h): unique keys in PostgreSQL, rate slots and
 * leases in Redis.
 *
 * Redis: <prefix>limit:task:<name>@<stamp> as store/limiter.h has it; <prefix>running:<name>:<key>,
 * a sorted set of task ids by the end of their lease (milliseconds of the server's clock). A key's
 * text is the parameter's value: a string as it stands, others as JSON; over 200 bytes its UUIDv5;
 * "*" if the parameter is called so. A call whose arguments do not fit takes no lease: it fails. */
#ifndef COMMON_WORKER_KEEPER_ADMIT_H
#define COMMON_WORKER_KEEPER_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

struct catalog;
struct err;
struct frame;
struct frame_port;
struct message;
struct stores;

enum { ADMIT_UNIQUE = 1, ADMIT_RATE = 2, ADMIT_LEASE = 4 };

#define ADMIT_SLOT_REASON "rate limit"	/* of what is parked in pending for its slot */
#define ADMIT_BUSY_REASON "concurrency limit "	/* and the key of the lease */

struct admit_ask {
	unsigned want;			/* of the bits above */
	double rate;			/* a second */
	int burst, stamp;
	const char *parameter;		/* of the key, or "*" */
	int limit;
	int64_t lease_ms;
};

enum admit_verdict {
	ADMIT_GO,			/* text: the lease's key; NULL = none needed */
	ADMIT_WAIT,			/* its slot is in wait_ms; nothing else was asked */
	ADMIT_BUSY,			/* the rate is settled, the key has no lease free; text: the key */
	ADMIT_DUPLICATE,		/* text: the id that holds the unique key */
};

struct admit_answer {
	enum admit_verdict verdict;
	int64_t wait_ms;
	char *text;			/* malloc'ed; may be NULL */
};

/* Each reads the frame behind its number (keeper.h). */
int keeper_admit(struct stores *stores, const struct catalog *catalog, struct message *scratch,
		 struct frame *f, struct admit_answer *ret, struct err *e);
int keeper_release(struct stores *stores, struct frame *f, struct err *e);
int keeper_renew(struct stores *stores, struct frame *f, struct err *e);
int keeper_rate(struct stores *stores, struct frame *f, struct err *e);

/* The key's text from a message's arguments: 1 = *ret (malloc'ed), 0 = they do not fit. */
int keeper_admit_key(const struct catalog *catalog, const struct message *m, const char *parameter,
		     char **ret);

#endif
