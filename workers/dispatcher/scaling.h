/* SPDX-License-Identifier: MIT */
/* scaling: the leading dispatcher keeps the number of workers between the limits of queues.conf
 * (instances): it looks every few seconds, autoscale.h says how many there shall be, and a change
 * is made and written down in jobfleet.operator_actions (operator "autoscale").
 *
 * Where systemd runs this dispatcher it starts and stops units of this host (common/net/units.h);
 * workers of other hosts count as help and stay as they are. Elsewhere there is nobody to start a
 * worker, and those that run get more children or fewer, as many as so many instances had
 * (pools.h). While PostgreSQL or RabbitMQ is away, or the broker has an alarm, all stays as it is.
 * A change that fails is told (log, alert, the record of actions) and not tried again for
 * SCALING_RETRY_MS. */
#ifndef DISPATCHER_SCALING_H
#define DISPATCHER_SCALING_H

struct conf;
struct err;
struct leader;
struct peers;
struct scaling;

enum { SCALING_RETRY_MS = 300000 };

struct scaling *scaling_new(void);
void scaling_free(struct scaling *s);
/* 0; negative: one of the programs could not be looked at, see e; the others were. */
int scaling_turn(struct scaling *s, const struct conf *conf, struct peers *peers,
		 const struct leader *leader, struct err *e);

#endif
