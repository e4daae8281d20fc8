/* SPDX-License-Identifier: MIT */
/* plain: a message without Celery's headers that is a call all the same.
 *
 * A task may name a queue (struct task, plain) on which a JSON object without any headers of
 * Celery's is a call of it: its members are the keyword arguments. Such a message has no identity
 * that survives a redelivery, so it does not run: a task message made of it goes to the same queue,
 * confirmed, then it is acked. Its correlation id, if there is one, becomes the task's id (then a
 * copy changes nothing, and its sender can wait for the result); else the id is new, and a crash
 * between confirm and ack makes two calls.
 * Its priority is the message's, else its member `priority` (low, normal, high or 0 to 9), else the
 * task's. */
#ifndef COMMON_WORKER_PLAIN_H
#define COMMON_WORKER_PLAIN_H

#include <stdbool.h>

struct delivery;
struct message;
struct worker;

/* Whether this message, which could not be decoded, is such a call; m is what could be read. */
bool plain_is(const struct worker *w, const struct delivery *d, const struct message *m);
/* Sends the task message; the delivery goes with it, or is held to try again. */
void plain_send(struct worker *w, struct delivery *d);

#endif
