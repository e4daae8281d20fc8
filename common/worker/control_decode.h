/* SPDX-License-Identifier: MIT */
/* control_decode: a remote control message of Celery's pidbox, read and checked.
 *
 * Source: celery-wire section 6.1; kombu's pidbox.
 * Limits: bodies of 1 MiB; patterns of 1 KiB, matched in a bounded number of steps. Pure: it knows
 * nothing of the worker, so that it can be fuzzed alone. */
#ifndef COMMON_WORKER_CONTROL_DECODE_H
#define COMMON_WORKER_CONTROL_DECODE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct control_call {
	cJSON *root;			/* owns all that follows */
	const char *method;
	const cJSON *arguments;		/* an object; NULL = none */
	const cJSON *destination;	/* an array of node names, not empty; NULL = all */
	const char *pattern, *matcher;	/* NULL = none */
	const char *ticket;
	const char *exchange, *key;	/* where the answer goes; NULL = nobody wants one */
	uint64_t clock;			/* of the sender; 0 = not said */
	double expires;			/* epoch seconds; 0 = never */
};

/* Fills call from a message; control_call_release it. -ERR_PROTOCOL says what is wrong; nothing is
 * to be released then. */
int control_decode(struct control_call *call, const void *body, size_t body_len, const void *props,
		   size_t props_len, struct err *e);
void control_call_release(struct control_call *call);

/* Is it meant for this node? By destination, else by pattern: "glob" as Python's fnmatch, "pcre"
 * anchored at the start. Negative: a pattern or matcher that means nothing. */
int control_is_for(const struct control_call *call, const char *node, struct err *e);

#endif
