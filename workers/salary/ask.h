/* SPDX-License-Identifier: MIT */
/* ask: one question to one source, within its quota, its parking and its breaker.
 *
 * ask_call takes the call from the quota, adds the key where it belongs and performs it, once more
 * after a fault of the network. The caller reads the answer and hands its verdict to ask_settle,
 * which parks the source (quota used up, key refused) or counts for the breaker.
 * A source that may not be asked gives -ERR_PARKED (disabled, no key, parked), -ERR_QUOTA or
 * -ERR_AGAIN (circuit open) with the reason. Any other error of ask_call is the network's, or
 * -ERR_CANCELLED, -ERR_DB. The key never reaches an error text. */
#ifndef SALARY_ASK_H
#define SALARY_ASK_H

#include "common/net/http.h"

struct err;
struct run;
struct shelf;

struct ask {
	const char *source;		/* "bls" */
	const char *method;		/* NULL = GET */
	const char *path;		/* below the base URL, query included, without the key */
	const char *key_parameter;	/* query parameter that carries the key; NULL = none */
	const char *body;		/* NULL = none; JSON */
	size_t body_len;
	bool free_of_charge;		/* metadata that needs neither key nor quota */
};

int ask_call(struct run *run, const struct ask *what, struct http_response *ret, struct err *e);
/* From now on what is asked is answered from the shelf (question.h) and no call is made, nor is
 * anything settled; NULL ends it. Of the process, which runs one task at a time. */
void ask_from(struct shelf *s);
/* code: what reading the answer came to (0 or negative), e its error. */
void ask_settle(struct run *run, const char *source, int code, const struct err *e);
/* 0 if the source is enabled and has the key it needs; else -ERR_PARKED (and, outside of
 * development, an alert for a missing key), or -ERR_DB. */
int ask_may(struct run *run, const char *source, struct err *e);
/* The source's key or NULL; borrowed. */
const char *ask_key(struct run *run, const char *source);

#endif
