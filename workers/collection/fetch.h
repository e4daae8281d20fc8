/* SPDX-License-Identifier: MIT */
/* fetch: one call to a source, with everything a call needs: leave from its quota and circuit
 * breaker, a slot of the fleet-wide rate, a deadline that doubles with each repeat.
 *
 * fetch_call answers whatever the provider said, any status. Errors: -ERR_QUOTA and -ERR_PARKED of
 * quota_take, -ERR_LIMITED (no slot within 10 s, the source is limited, or, with exc_type
 * QUOTA_CIRCUIT, its circuit is open): nothing was called; and http's. Every transient one has
 * e->retry_after_ms set. *ret_called is set to true as soon as a request goes out, whatever comes
 * of it. No transaction may be open: the waits are long and what is counted must stay counted. */
#ifndef WORKERS_COLLECTION_FETCH_H
#define WORKERS_COLLECTION_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/source.h"

struct conf_source;
struct err;
struct http_response;
struct run;

int fetch_call(struct run *run, const struct conf_source *conf, const struct source_request *req,
	       struct http_response *ret, bool *ret_called, struct err *e);
/* After a judged answer: the provider's quota headers, and its health by what the answer means. */
int fetch_note(struct run *run, const struct conf_source *conf, const struct source *source,
	       const struct http_response *r, enum source_class class, struct err *e);

/* min(300 s, 2^attempt s + up to 1 s): how long to wait before attempt + 1. */
int64_t fetch_backoff_ms(int attempt);

#endif
