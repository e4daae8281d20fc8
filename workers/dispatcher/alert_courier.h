/* SPDX-License-Identifier: MIT */
/* alert_courier: takes a notice to its address when the fleet's own way cannot.
 *
 * Starts jobfleet-alerting --run jobfleet.deliver_alert, the program beside this one, and does not
 * wait for it: one at a time, ended after COURIER_LIMIT_MS; it rests after one that failed. It
 * tells by the notice's id and writes that down, so that a task of the same notice finds it done.
 * Its settings are this process's own, credentials included. */
#ifndef DISPATCHER_ALERT_COURIER_H
#define DISPATCHER_ALERT_COURIER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum { COURIER_LIMIT_MS = 60000, COURIER_REST_MS = 5000, COURIER_NOTICE_MAX = 65536 };

struct courier {
	pid_t pid;		/* 0 = none is under way */
	int64_t until_ms, next_ms;	/* monotonic */
};

/* True if another one can be sent: the last one has ended, and rested. */
bool courier_is_free(struct courier *c);
/* notice: JSON as in alert_notice_json. */
int courier_send(struct courier *c, const char *config, const char *notice, struct err *e);
void courier_release(struct courier *c);

#endif
