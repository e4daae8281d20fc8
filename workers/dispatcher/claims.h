/* SPDX-License-Identifier: MIT */
/* claims: claims of rows of jobfleet.pending whose end lies farther ahead than any claim's may.
 *
 * A claim ends by itself: a relay's and a child's after seconds, that of a long task with its
 * lease unless its worker renews it. Only a clock that was put back (PostgreSQL's), or a hand,
 * makes one that would hold its row for hours. Such a row is freed: the relay sends it, and if its
 * task runs somewhere all the same, the ledger keeps its effects single. Alert: claim_freed. */
#ifndef DISPATCHER_CLAIMS_H
#define DISPATCHER_CLAIMS_H

#include <stdint.h>

struct err;
struct pg;

int claims_look(struct pg *pg, int64_t lease_ms, struct err *e);

#endif
