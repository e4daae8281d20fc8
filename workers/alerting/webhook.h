/* SPDX-License-Identifier: MIT */
/* webhook: a notice as an HTTP POST of JSON (notice.h: notice_json).
 *
 * Headers beside Content-Type:
 *
 *	X-Jobfleet-Notification: ID        the same in each attempt: who got it twice drops one
 *	X-Jobfleet-Timestamp: SECONDS      since 1970, of this attempt
 *	X-Jobfleet-Signature: v1=HEX       HMAC-SHA256, lower-case hex, keyed by the secret
 *
 * What is signed is the timestamp's text, ".", and the body's bytes. A receiver reckons the same
 * over what came, compares in constant time, and refuses a timestamp more than five minutes off,
 * so that nothing can be sent again by somebody else. The secret is JOBFLEET_ALERT_SECRET,
 * environment or systemd credential; without one the last two headers are left out.
 *
 * 2xx is done. 408, 425, 429 and 5xx are worth another try (-ERR_HTTP), not before Retry-After;
 * everything else is refused for good (-ERR_REFUSED), redirects too: they are not followed. */
#ifndef ALERTING_WEBHOOK_H
#define ALERTING_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct http;
struct notice;

enum { WEBHOOK_SIGNATURE_SIZE = 3 + 64 + 1 };

/* hidden: the URL is a secret, and so is whatever an error would say of it. */
int webhook_post(struct http *http, const char *url, bool hidden, const struct notice *n,
		 const char *secret, int64_t now_s, struct err *e);
void webhook_sign(const char *secret, int64_t now_s, const void *body, size_t len,
		  char out[WEBHOOK_SIGNATURE_SIZE]);

#endif
