/* SPDX-License-Identifier: MIT */
/* deliver: the task that takes one notice to its address.
 *
 * Permanent errors, and the last try, leave the notice as failed and raise alert_undelivered for
 * the address; the notice stands in the dead letters then. An address of the form env:VARIABLE is
 * looked up here, and what it holds appears nowhere. */
#ifndef ALERTING_DELIVER_H
#define ALERTING_DELIVER_H

#include "common/worker/run.h"

#define DELIVER_TASK "jobfleet.deliver_alert"
enum { DELIVER_RETRIES = 8 };

/* Answers {"id", "status"}: sent, or already when an earlier attempt had told it. */
int deliver_alert(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
