/* SPDX-License-Identifier: MIT */
/* alerts: what the files of `jobfleet alerts` share. */
#ifndef CTL_ALERTS_H
#define CTL_ALERTS_H

#include <stddef.h>

#include "workers/ctl/ctl.h"

struct conf_alert;

/* NAME or NAME/SUBJECT as typed. subject "" = each. */
struct alerts_name {
	char *name;
	const char *subject;	/* within name's memory */
};

void alerts_name_read(struct alerts_name *n, const char *text);
void alerts_name_release(struct alerts_name *n);
/* NULL: queues.conf has no such rule. */
const struct conf_alert *alerts_rule(const struct conf *conf, const char *name);
/* -ERR_NOT_FOUND with the nearest name: neither a rule nor ever raised. */
int alerts_name_check(struct ctl *c, const char *name, struct err *e);

ctl_fn alerts_silence, alerts_unsilence, alerts_ack, alerts_resolve;	/* alerts_order.c */
ctl_fn alerts_rules, alerts_test;			/* alerts_rules.c, alerts_test.c */

#endif
