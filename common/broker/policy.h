/* SPDX-License-Identifier: MIT */
/* policy: the broker policy that dead-letters what our work queues expire or reject into
 * failed_operations, where the dispatcher looks (workers/dispatcher/mailbox.h).
 *
 * A policy and no queue argument: queues that exist keep their arguments, and clients declare them
 * as before. It applies to the queues that queues.conf names, and to no other: dead-lettering the
 * queues of remote control, replies and events, or failed_operations itself, would fill the
 * mailbox. Source: rabbitmq.com/dlx.html, rabbitmq.com/parameters.html#policies.
 * It takes effect on the queues with the next message; setting it again changes nothing. */
#ifndef COMMON_BROKER_POLICY_H
#define COMMON_BROKER_POLICY_H

struct buf;
struct conf;

#define POLICY_NAME "jobfleet-dead-letters"
#define POLICY_DEFINITION \
	"{\"dead-letter-exchange\":\"\",\"dead-letter-routing-key\":\"failed_operations\"}"

/* Appends the pattern of queue names: "^(salary_data|monitoring)$". */
void policy_pattern(const struct conf *conf, struct buf *out);
/* Appends the whole call, quoted for a shell: rabbitmqctl set_policy --vhost … */
void policy_command(const struct conf *conf, struct buf *out);

#endif
