/* SPDX-License-Identifier: MIT */
/* mailbox: moves the queue failed_operations into jobfleet.dead_letters.
 *
 * A mail is the dead message's own body and properties, with headers that say why it is dead:
 * x-jobfleet-cause, x-jobfleet-reason, x-jobfleet-queue, x-jobfleet-mail-id, and optionally
 * x-jobfleet-node and x-jobfleet-detail (JSON). What the broker itself dead-lettered (by policy,
 * common/broker/policy.h) has x-death instead: a task that expired ends as REVOKED (expiry.h), one
 * that was rejected or met its queue's delivery limit is a dead letter with that cause.
 * A mail is acked after it was stored; mails without an id get one from their bytes, so that a
 * redelivered one adds nothing. */
#ifndef DISPATCHER_MAILBOX_H
#define DISPATCHER_MAILBOX_H

struct err;
struct peers;
struct conf;

#define MAILBOX_QUEUE "failed_operations"

struct mailbox {
	unsigned connection; /* for which the queue was declared; begins as 0 */
};

/* Takes some of what is there: 1 = there may be more, 0 = none, or somebody is away. Negative:
 * PostgreSQL or RabbitMQ went away, nothing is lost. */
int mailbox_turn(struct mailbox *m, const struct conf *conf, struct peers *peers, struct err *e);

#endif
