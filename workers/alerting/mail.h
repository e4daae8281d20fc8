/* SPDX-License-Identifier: MIT */
/* mail: a notice as an e-mail, by libcurl's SMTP.
 *
 * smtps:// speaks TLS from the start; smtp:// must go over to it (STARTTLS), except to loopback,
 * where it does if the server can. Certificates and names are verified. The user is the URL's, the
 * password JOBFLEET_SMTP_PASSWORD (environment or systemd credential); without a user nobody logs
 * in. One mailbox a mail; Message-ID is the notice's id, References the alert's, so that a mail
 * reader shows what belongs together.
 * Errors: -ERR_NET and -ERR_TIMEOUT (transient, SMTP answers of 4xx too), -ERR_REFUSED (5xx, a
 * wrong password), -ERR_CONFIG (no smtp_url), -ERR_CANCELLED. Their texts hold no password. */
#ifndef ALERTING_MAIL_H
#define ALERTING_MAIL_H

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct err;
struct notice;

/* box: "ops@example.org". cancelled may be NULL. */
int mail_send(const struct conf *conf, const char *box, const struct notice *n, int64_t now_s,
	      bool (*cancelled)(void *ctx), void *ctx, struct err *e);

#endif
