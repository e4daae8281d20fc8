/* SPDX-License-Identifier: MIT */
/* remote: what the commands that ask worker nodes share: whom, how long, and the answers' print. */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include <stddef.h>
#include <stdio.h>

#include "workers/ctl/args.h"

struct ctl;
struct err;
struct pidbox_replies;

enum { REMOTE_TIMEOUT_MS = 1000 };

struct remote {
	struct args_values nodes;	/* --destination: NODE,… each; none = every node */
	const char *timeout;		/* --timeout */
};

#define REMOTE_DESTINATION_OPTION(r) \
	{ "destination", "NODE,...", "only these nodes", NULL, NULL, &(r)->nodes }
#define REMOTE_TIMEOUT_OPTION(r) \
	{ "timeout", "DURATION", "how long to wait for answers; 1s", &(r)->timeout, NULL }

/* Broadcasts; arguments is raw JSON or NULL. */
int remote_ask(struct ctl *c, const struct remote *r, const char *method, const char *arguments,
	       struct pidbox_replies *ret, struct err *e);
/* The answers; as JSON {"node": answer}. An exit code: CTL_FAILED if one is an error, CTL_TIMEOUT
 * if nobody answered, or somebody of --destination did not. */
int remote_print(const struct ctl *c, const struct remote *r,
		 const struct pidbox_replies *replies);
/* How many nodes of --destination did not answer; each is noted. */
int remote_silent(const struct ctl *c, const struct remote *r,
		  const struct pidbox_replies *replies);
/* The same object as text; malloc'ed. */
char *remote_json(const struct pidbox_replies *replies);
/* How many of the answers are {"error": …}. */
size_t remote_errors(const struct pidbox_replies *replies);

#endif
