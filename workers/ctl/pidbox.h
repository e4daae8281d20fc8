/* SPDX-License-Identifier: MIT */
/* pidbox: remote control of worker nodes, Celery's and ours (celery-wire section 6).
 *
 * One connection with a reply queue of its own, which ends with it. A call publishes one request to
 * the fanout celery.pidbox and collects what the nodes answer until every destination has, or the
 * time is over. Source: kombu/pidbox.py and captures.
 * Ownership: replies belong to the caller until pidbox_replies_release.
 * Limits: a reply of 16 MiB (a larger one is passed over), 10,000 replies. */
#ifndef CTL_PIDBOX_H
#define CTL_PIDBOX_H

#include <stddef.h>

struct err;
struct pidbox;

struct pidbox_request {
	const char *method;
	const char *arguments;		/* raw JSON object; NULL = {} */
	const char *const *nodes;	/* destinations; none = every node */
	size_t nnodes;
};

struct pidbox_reply {
	char *node;
	char *json;			/* raw, as it came */
};

struct pidbox_replies {
	struct pidbox_reply *items;	/* by node */
	size_t n;
};

/* -ERR_BROKER, -ERR_REFUSED, -ERR_TIMEOUT, -ERR_CONFIG. */
int pidbox_open(struct pidbox **ret, const char *broker_url, int timeout_ms, struct err *e);
void pidbox_close(struct pidbox *p);		/* NULL is fine */

/* 0: ret has what came, which may be nothing. Later replies to an earlier call are passed over.
 * timeout_ms 0: no reply is wanted; returns when the request is with the broker. */
int pidbox_broadcast(struct pidbox *p, const struct pidbox_request *q, int timeout_ms,
		     struct pidbox_replies *ret, struct err *e);

const char *pidbox_reply_of(const struct pidbox_replies *r, const char *node);	/* NULL = none */
void pidbox_replies_release(struct pidbox_replies *r);

#endif
