/* SPDX-License-Identifier: MIT */
/* relay: publishes what is due in jobfleet.pending.
 *
 * A sweep claims up to RELAY_BATCH due rows (FOR UPDATE SKIP LOCKED, so any number of dispatchers
 * share the work), publishes them pipelined, and writes down what became of each:
 *   confirmed           state sent; stays until the task's final ledger row
 *   returned, refused   due again later (1 s doubling to 10 min), with the reason and an alert
 *   unknown             the connection broke first: free at once, published again
 *   settled already     the row goes, nothing is published
 *   paused              due when resumed: nothing is published. Revoked ones are: the gate refuses
 *   cannot be packed    goes to the dead letters
 * While RabbitMQ confirms a batch, the one before it is written down and the next is claimed.
 * Rows of one order key leave one after the other (batch.h).
 * A relay that dies in between leaves claims that end by themselves (RELAY_CLAIM_MS); what was
 * published twice by that is run once by the ledger. */
#ifndef DISPATCHER_RELAY_H
#define DISPATCHER_RELAY_H

#include <stdint.h>

struct conf;
struct err;
struct peers;
struct relay;

#define RELAY_BATCH 500
#define RELAY_CLAIM_MS 15000	     /* longer than claiming, publishing and marking may take */
#define RELAY_BATCH_BYTES (16 << 20) /* bodies claimed at once, twice that bounds our memory */

struct relay_counts {
	int64_t sent, returned, unknown, settled, dead;
};

void relay_open(struct relay **ret, const struct conf *conf);
void relay_close(struct relay *r);
void relay_use(struct relay *r, const struct conf *conf);

/* One sweep: 1 = there may be more due, 0 = nothing is, or somebody is away. */
int relay_turn(struct relay *r, struct peers *peers, struct err *e);
/* Milliseconds until the next row is due, at most most_ms. */
int relay_next_ms(struct relay *r, struct peers *peers, int most_ms);
const struct relay_counts *relay_counts(const struct relay *r);

#endif
