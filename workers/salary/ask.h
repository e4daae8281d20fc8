/* SPDX-License-Identifier: MIT */
/* ask: one question to one source, within its quota, its parking, its breaker and its rate.
 *
 * Answers are asked for through talk.h, several sources at once; ask_call is for who needs one
 * answer and nothing beside it. Either way the reader of the answer says what it came to, and
 * ask_settle parks the source (quota used up, key refused), slows it down (429, 423) or counts for
 * its breaker.
 * A source that may not be asked gives -ERR_PARKED (disabled, no key, parked), -ERR_QUOTA,
 * -ERR_AGAIN (circuit open, or told to slow down) or -ERR_LIMITED (no slot of its rate in time)
 * with the reason. Every call is taken from the quota, repeats of a broken one too. Other errors
 * are the network's, or -ERR_CANCELLED, -ERR_DB. The key stands in the URL alone and reaches no
 * error text. */
#ifndef SALARY_ASK_H
#define SALARY_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/http.h"

struct conf_source;
struct run;
struct shelf;

struct ask {
	const char *source;		/* "bls" */
	const char *method;		/* NULL = GET */
	const char *path;		/* below the base URL, query included, without the key */
	const char *key_parameter;	/* query parameter that carries the key; NULL = none */
	const char *const *headers;	/* beside those about JSON; NULL = none */
	const char *body;		/* NULL = none; JSON */
	size_t body_len;
	bool free_of_charge;		/* metadata that needs neither key nor quota */
};

/* The source if it is there and enabled, else NULL: whoever switched it off does not miss it. */
const struct conf_source *ask_source(struct run *run, const char *source);
/* The source's key or NULL; borrowed. */
const char *ask_key(struct run *run, const char *source);
/* 0 if the source is enabled and has the key it needs; else -ERR_PARKED (and, outside of
 * development, an alert for a missing key), or -ERR_DB. */
int ask_may(struct run *run, const char *source, struct err *e);

/* Takes one call from quota and rate, once ask_may said yes: it may be sent *ret_wait_ms from now,
 * at most max_wait_ms. */
int ask_leave(struct run *run, const struct ask *what, int64_t max_wait_ms, int64_t *ret_wait_ms,
	      struct err *e);
/* What the transport needs of it; url gets the key. `what`, url and headers must stay meanwhile. */
enum { ASK_HEADERS = 8 };
int ask_request(struct run *run, const struct ask *what, struct buf *url,
		const char *headers[ASK_HEADERS], struct http_request *ret, struct err *e);

/* Leave, call and, after a fault of the network, once more; a fault is settled. */
int ask_call(struct run *run, const struct ask *what, struct http_response *ret, struct err *e);
/* code: what reading the answer came to (0 or negative), e its error. */
void ask_settle(struct run *run, const char *source, int code, const struct err *e);

/* From now on what is asked is answered from the shelf (question.h) and no call is made, nor is
 * anything settled; NULL ends it. Of the process, which runs one task at a time. */
void ask_from(struct shelf *s);
bool ask_is_from_shelf(void);
/* The answer of the shelf; -ERR_AGAIN if it has to be got first. */
int ask_shelf(const struct ask *what, struct http_response *ret, struct err *e);

#endif
