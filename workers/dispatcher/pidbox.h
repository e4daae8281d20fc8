/* SPDX-License-Identifier: MIT */
/* pidbox: hears Celery's remote control, so that a revoke is persisted although no worker runs.
 *
 * A queue of its own, called like a node's (dispatcher@host.celery.pidbox), bound to the fanout
 * celery.pidbox; it outlives a restart of up to PIDBOX_EXPIRES_MS. Heard are revoke, terminate and
 * revoke_by_stamped_headers; a message is acked when its orders are persisted, however late it
 * comes: its `expires` says how long the sender waits for answers. Nothing is ever answered: to
 * `inspect` a dispatcher is no worker.
 * Source: celery-wire sections 6.1 and 6.4. */
#ifndef DISPATCHER_PIDBOX_H
#define DISPATCHER_PIDBOX_H

#define PIDBOX_EXPIRES_MS 600000

struct conf;
struct err;
struct peers;
struct pidbox;

/* node is borrowed. */
struct pidbox *pidbox_new(const char *node);
void pidbox_free(struct pidbox *p);
/* Keeps the connection and takes what came. 0, or negative: see e. */
int pidbox_turn(struct pidbox *p, const struct conf *conf, struct peers *peers, struct err *e);
/* What to poll for between turns; -1 while there is no connection. */
int pidbox_fd(const struct pidbox *p, short *ret_events);

#endif
