/* SPDX-License-Identifier: MIT */
/* notice: one message about one alert to one address, as the dispatcher wrote it (task argument).
 *
 *	id        of the notice: the same in each attempt, and the task's own id; letters, digits, -
 *	kind      firing, repeated, escalated, resolved or test
 *	address   one of common/base/address.h
 *	alert, subject, level, message     what is wrong, with what, how bad, in words
 *	since, at       ISO 8601: since when, and when the notice was made
 *	told      how often its being there has been told, this time included
 *	alert_id, value, node     may be missing
 * Texts are borrowed from the argument. Nothing here is secret. */
#ifndef ALERTING_NOTICE_H
#define ALERTING_NOTICE_H

#include <cjson/cJSON.h>

#include "common/base/address.h"

struct buf;
struct err;

struct notice {
	const cJSON *json;
	const char *id, *kind, *address, *alert, *subject, *level, *message, *since, *at, *node;
	enum address_kind to;
};

/* Of a title no more: mail servers refuse lines over 998 bytes (RFC 5321, 4.5.3.1.6), and with
 * the line the mail, for good. */
enum { NOTICE_ID_MAX = 64, NOTICE_TITLE_MAX = 300 };

/* -ERR_INVALID names the member that is missing or wrong. */
int notice_read(const cJSON *json, struct notice *ret, struct err *e);

/* "[ERROR] oldest_task salary_data" or "[resolved] …": one line, printable ASCII,
 * into an out that is NOTICE_TITLE_MAX long at most. */
void notice_title(const struct notice *n, struct buf *out);
/* The whole of it for people, lines parted by \n. */
void notice_text(const struct notice *n, struct buf *out);
/* What a webhook gets: the members above but address, with status ("firing", "resolved", "test"),
 * version (1), and title and text for chat services that show "text". */
void notice_json(const struct notice *n, struct buf *out);

#endif
