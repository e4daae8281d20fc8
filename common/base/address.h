/* SPDX-License-Identifier: MIT */
/* address: where an alert goes.
 *
 *	log                   the dispatcher's log
 *	https://HOST/PATH     a webhook; http only to loopback; no password in it
 *	mailto:NAME@HOST      a mailbox
 *	env:VARIABLE          the address that this variable, or systemd credential, holds when the
 *	                      alert is delivered: for webhooks whose path is their password
 * Several stand in one text, parted by commas. */
#ifndef COMMON_BASE_ADDRESS_H
#define COMMON_BASE_ADDRESS_H

#include <stddef.h>

struct err;

enum address_kind { ADDRESS_LOG, ADDRESS_WEBHOOK, ADDRESS_MAIL, ADDRESS_VARIABLE };

enum { ADDRESS_MAX = 1024 };

/* One address. *ret_kind may be NULL. -ERR_INVALID says what would be right. */
int address_parse(const char *text, enum address_kind *ret_kind, struct err *e);
/* The first address of *list, without blanks, into out; *list moves on. 0 = none was left, 1 = one;
 * -ERR_INVALID as above. */
int address_next(const char **list, char out[ADDRESS_MAX], struct err *e);
/* All of a list. */
int address_check(const char *list, struct err *e);

#endif
