/* SPDX-License-Identifier: MIT */
/* leader: whether this dispatcher is the one that does what is done once (autoscale, alerts).
 *
 * A lease in PostgreSQL (jobfleet.leases, row "dispatcher") with a term that rises whenever another
 * holder takes it. The holder renews it each second and trusts it for LEADER_LEASE_MS from before
 * the request went out, on its own monotonic clock; the others take it once they have watched one
 * and the same beat for that long on theirs. So nobody takes it before its holder has stopped to
 * trust it, whatever wall clocks do, and it has changed hands 4 s after a death at the latest while
 * PostgreSQL answers at once. A holder is one life of one process: a restarted dispatcher of the
 * same name is another one.
 *
 * A lease cannot stop what is already under way: between leader_leads and the act a process may be
 * frozen for as long as it likes. So nothing that has to be right may depend on it; who acts on it
 * asks right before, and says its term to whatever can compare it (jobfleet.begin_scaling). */
#ifndef DISPATCHER_LEADER_H
#define DISPATCHER_LEADER_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct leader;
struct peers;

enum { LEADER_LEASE_MS = 3000, LEADER_RENEW_MS = 1000, LEADER_LOOK_MS = 500 };
#define LEADER_LEASE "dispatcher"

/* node: borrowed until leader_free. */
struct leader *leader_new(const char *node);
void leader_free(struct leader *l);

/* Takes, renews or watches, when it is time to; logs who leads when that changes. 0; negative: the
 * database's error, the lease runs out by itself then. */
int leader_turn(struct leader *l, struct peers *peers, struct err *e);
/* Gives it back, so that another takes it at once. Nothing if it is not ours. */
int leader_leave(struct leader *l, struct peers *peers, struct err *e);
/* Right now; a process that was frozen knows as soon as it runs again. */
bool leader_leads(const struct leader *l);
/* Of the lease as last seen, whoever holds it; 0 = not seen yet. */
int64_t leader_term(const struct leader *l);
/* This life of this process, as it stands in jobfleet.leases. */
const char *leader_holder(const struct leader *l);
/* How long until leader_turn has something to do, in ms. */
int leader_next_ms(const struct leader *l);

#endif
