/* SPDX-License-Identifier: MIT */
/* silent: workers whose row in jobfleet.workers is stale: they neither report nor said good-bye
 * (killed, frozen, cut off).
 *
 * After ten heartbeats (a minute at least) the alert worker_lost (subject: the node) is raised;
 * it is taken back when the node reports again. After an hour the row ends as stopped, and the
 * alert with it; what is stopped for a week goes. Unacked work of such a worker comes back by
 * itself: RabbitMQ gives it to others, and claims of long tasks run out. */
#ifndef DISPATCHER_SILENT_H
#define DISPATCHER_SILENT_H

struct err;
struct pg;

int silent_look(struct pg *pg, int heartbeat_s, struct err *e);

#endif
