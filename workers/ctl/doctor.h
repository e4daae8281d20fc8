/* SPDX-License-Identifier: MIT */
/* doctor: the areas that `jobfleet doctor` looks into, each in a file of its own. An area that
 * cannot be looked into is a finding, never an error. */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

struct checkup;
struct ctl;

/* Wall clocks are compared with ours at the middle of the question's way. */
enum { DOCTOR_SKEW_MS = 1000 };
void doctor_clock(struct checkup *k, const char *area, int64_t theirs_us, int64_t before_us,
		  int64_t after_us);

void doctor_broker(struct checkup *k, struct ctl *c);		/* doctor_broker.c */
/* What only rabbitmqctl tells; command NULL: where it is the broker's own host. set: sets the
 * policy of dead letters (common/broker/policy.h) first. */
void doctor_rabbitmqctl(struct checkup *k, struct ctl *c, const char *command, bool set);
void doctor_postgres(struct checkup *k, struct ctl *c);
void doctor_redis(struct checkup *k, struct ctl *c);
void doctor_fleet(struct checkup *k, struct ctl *c);		/* its rows in PostgreSQL */
void doctor_host(struct checkup *k, struct ctl *c);		/* this one */

#endif
