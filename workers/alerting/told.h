/* SPDX-License-Identifier: MIT */
/* told: which notices have been delivered, so that each is once.
 *
 * A notice's row (jobfleet.alert_notices) says it, and so does a key in Redis for a day: either may
 * be away, and a notice may have been made while PostgreSQL was and have no row. Who is killed
 * between the delivery and this word delivers again, with the same id. */
#ifndef ALERTING_TOLD_H
#define ALERTING_TOLD_H

#include <stdbool.h>

struct run;

/* Has it been delivered before? Not as far as anybody who is there knows: false. */
bool told_already(struct run *run, const char *id);
/* What an attempt came to: "sent", "failed" for good, or "waiting" for the next one. */
void told_note(struct run *run, const char *id, const char *state, const char *detail);
/* The address takes nothing any more, or takes it again: raises or resolves alert_undelivered. */
void told_unreachable(struct run *run, const char *address, const char *why);
void told_reachable(struct run *run, const char *address);

#endif
