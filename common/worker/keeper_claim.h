/* SPDX-License-Identifier: MIT */
/* keeper_claim: the keeper's part of claims: the row of pending that stands for an acked message
 * while its task runs (claim.c says why). */
#ifndef COMMON_WORKER_KEEPER_CLAIM_H
#define COMMON_WORKER_KEEPER_CLAIM_H

#include <stdint.h>

#include "common/store/ledger.h"
#include "common/worker/keeper.h"

struct err;
struct message;
struct pg;

/* The row of a new claim; one that is there stays. */
int keeper_claim_insert(struct pg *pg, const struct message *m, const char *queue, int64_t lease_ms,
			struct err *e);
/* Renews (also KEEPER_CLAIM), ends or gives back. -ERR_CONFLICT: the claim is not (or no more)
 * ours. */
int keeper_claim_move(struct pg *pg, enum keeper_claim what, const struct ledger_key *key, int hop,
		      int64_t lease_ms, struct err *e);

#endif
