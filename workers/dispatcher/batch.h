/* SPDX-License-Identifier: MIT */
/* batch: rows of jobfleet.pending that are due, claimed for one sweep of the relay.
 *
 * FOR UPDATE SKIP LOCKED, so any number of relays share the work. Rows without an order key come in
 * the order of their due times. Of each order key only the first row that has not left is claimed,
 * and only when it is due and nobody has it: whatever holds that one up holds up its key, and
 * nothing else. */
#ifndef DISPATCHER_BATCH_H
#define DISPATCHER_BATCH_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;
struct pg_rows;

/* The columns of a claimed row; SETTLED: its task has ended, so nothing is to be published. */
enum batch_column {
	BATCH_ID,
	BATCH_TASK_ID,
	BATCH_GENERATION,
	BATCH_NESTING,
	BATCH_RETRIES,
	BATCH_HOP,
	BATCH_TASK,
	BATCH_QUEUE,
	BATCH_PROPS,
	BATCH_HEADERS,
	BATCH_BODY,
	BATCH_PRIORITY,
	BATCH_SETTLED
};

/* Up to most rows with bodies of about bytes in all, ours for claim_ms. after NULL: those without
 * an order key. Else those with one, of some 10,000 keys behind *after (NULL: from the first on),
 * which moves on by that; the caller frees it. May be empty; the caller frees the rows. */
int batch_claim(struct pg *pg, char **after, int most, int64_t bytes, int claim_ms,
		struct pg_rows **ret_rows, struct err *e);
/* Milliseconds until the next row is due, at most most_ms. */
int batch_next_ms(struct pg *pg, int most_ms);

#endif
