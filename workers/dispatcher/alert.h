/* SPDX-License-Identifier: MIT */
/* alert: the rules of queues.conf, looked at every alert_every (5 s) by the leading dispatcher.
 *
 *	signals (signal.h) → rules (rule.h) → jobfleet.alerts → notices (alert_notice.h) → the task
 *	jobfleet.deliver_alert, which jobfleet-alerting runs with retries
 *
 * How each subject stands, the alert's row, the notices and their tasks change in one transaction
 * under a lock, so that a kill or a change of the leader at any moment repeats nothing and loses
 * nothing: what was not committed is found again by the next look. What programs raise themselves
 * (jobfleet.raise_alert) goes out by the same look, to the addresses of its level.
 *
 * Ways that do not depend on what is broken:
 *	RabbitMQ away, or nobody serves the queue: what waits is delivered by a program that the
 *	leader starts for it (alert_courier.h), with the notice's own id, so that the task finds it
 *	done;
 *	PostgreSQL away: nobody leads, and each dispatcher minds the rules on `away` in its own
 *	memory; one of them tells (alert_away.h). */
#ifndef DISPATCHER_ALERT_H
#define DISPATCHER_ALERT_H

#include <stdbool.h>
#include <stdint.h>

struct alerts;
struct conf;
struct err;
struct peers;

/* node: borrowed until alerts_free. */
struct alerts *alerts_new(const char *node);
void alerts_free(struct alerts *a);
/* For each time round. now_us: PostgreSQL's clock as far as it is known. 0 = done; negative: see e,
 * the next look tries again. */
int alerts_turn(struct alerts *a, const struct conf *conf, struct peers *peers, bool leads,
		int64_t now_us, struct err *e);

#endif
