/* SPDX-License-Identifier: MIT */
/* peers: the dispatcher's neighbours, each there or away.
 *
 * Ask for one whenever you need it: the answer is a usable connection, or NULL while it is away.
 * A connection found broken is closed and opened again by the next question, after a backoff with
 * jitter. Going and coming back are logged here, once each.
 * The broker has two connections: one only publishes, the other only fetches, since RabbitMQ
 * under an alarm stops reading whoever publishes, acks included. */
#ifndef DISPATCHER_PEERS_H
#define DISPATCHER_PEERS_H

#include <stdbool.h>

struct conf;
struct err;
struct peers;
struct pg;
struct publisher;
struct redis;

/* So long a statement waits for a lock: a duty may meet two in a row, and the lease (leader.h) is
 * renewed between duties. */
enum { PEERS_LOCK_MS = 750 };

enum peer { PEER_DATABASE, PEER_BROKER, PEER_MAILBOX, PEER_REDIS, PEER_COUNT };

/* conf is borrowed until peers_use gives another. node: how we are called at the other end. */
void peers_open(struct peers **ret, const struct conf *conf, const char *node);
void peers_close(struct peers *p);
/* From now on conf says where they are; connections to other places are closed. */
void peers_use(struct peers *p, const struct conf *conf);

/* Listens on jobfleet_pending. What is done with it has 10 s, then it counts as away; what waits
 * for somebody's lock fails after PEERS_LOCK_MS and is tried again at the duty's next turn. */
struct pg *peers_database(struct peers *p);
struct publisher *peers_broker(struct peers *p);
struct publisher *peers_mailbox(struct peers *p);
struct redis *peers_redis(struct peers *p);

/* Closes it after a failure that the connection itself may not know of (a late answer). */
void peers_drop(struct peers *p, enum peer which, const struct err *why);
bool peers_is_up(const struct peers *p, enum peer which);
/* Why this program must not go on (the database's schema is older than it needs); NULL: it may. */
const struct err *peers_refusal(const struct peers *p);
/* Counts the connections made so far, so that users see when they have a new one. */
unsigned peers_count(const struct peers *p, enum peer which);
const char *peers_name(enum peer which);
/* How we are called at the other end. */
const char *peers_node(const struct peers *p);

#endif
