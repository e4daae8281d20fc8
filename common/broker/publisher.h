/* SPDX-License-Identifier: MIT */
/* publisher: publishes with confirms, blocking, every call within its deadline.
 *
 * One AMQP connection and channel in confirm mode; messages go out mandatory and persistent as
 * their props say. Up to `window` messages may be unconfirmed; then send waits for the oldest. It
 * also waits while 512 KiB are queued that the broker's socket has not taken.
 * The broker's connection.blocked is heard: a call that cannot write ends at its deadline with
 * -ERR_TIMEOUT, never hangs.
 * Outcome of each message: CONFIRMED, RETURNED (no queue took it), NACKED, or UNKNOWN (the
 * connection broke before a confirm: publish again, the ledger keeps effects single).
 * Errors: -ERR_BROKER (transient), -ERR_REFUSED (login, permission), -ERR_UNROUTED and
 * -ERR_TIMEOUT. */
#ifndef COMMON_BROKER_PUBLISHER_H
#define COMMON_BROKER_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_queue;
struct err;
struct message;
struct publisher;

enum publish_outcome { PUBLISH_CONFIRMED, PUBLISH_RETURNED, PUBLISH_NACKED, PUBLISH_UNKNOWN };

/* tag is the one given to publisher_send. Called from within send, wait and close. */
typedef void publish_done(void *ctx, uint64_t tag, enum publish_outcome outcome);

/* Whether publisher_open could ever take it; -ERR_CONFIG says why not. */
int publisher_check_url(const char *url, struct err *e);
/* window 0 = 256. name is shown in the broker's connection list. */
int publisher_open(struct publisher **ret, const char *url, const char *name, int window,
		   int timeout_ms, struct err *e);
void publisher_close(struct publisher *p);
bool publisher_is_alive(const struct publisher *p);
bool publisher_is_blocked(const struct publisher *p);	/* the broker has an alarm */
void publisher_on_done(struct publisher *p, publish_done *done, void *ctx);

/* Pipelined: queues one message for exchange and key, and returns once it is in the window. */
int publisher_send(struct publisher *p, const char *exchange, const char *key,
		   const void *props, size_t props_len, const void *body, size_t body_len,
		   uint64_t tag, int timeout_ms, struct err *e);
/* Until all are settled or timeout_ms passed; returns how many are still unsettled. */
int publisher_wait(struct publisher *p, int timeout_ms, struct err *e);

/* One message to a queue, settled within timeout_ms: 0 = confirmed. */
int publisher_publish(struct publisher *p, const char *queue, const struct message *m,
		      int timeout_ms, struct err *e);

/* Declares a durable work queue (as design.md says) and its direct exchange and binding. A queue
 * that exists with other arguments is left as it stands: returns 1 then, and 0 otherwise. */
int publisher_declare(struct publisher *p, const char *queue, int max_priority, bool quorum,
		      int timeout_ms, struct err *e);
/* Messages ready and consumers of a queue; -ERR_NOT_FOUND if there is no such queue. */
int publisher_queue_depth(struct publisher *p, const char *queue, int64_t *ret_ready,
			  int64_t *ret_consumers, int timeout_ms, struct err *e);
/* Drops the messages that are ready; how many they were. -ERR_NOT_FOUND. */
int64_t publisher_purge(struct publisher *p, const char *queue, int timeout_ms, struct err *e);
/* Would a declaration of this queue, which exists, be accepted as queues.conf has it? 1 = yes, 0 =
 * it has other arguments. -ERR_REFUSED: no permission to declare it. */
int publisher_queue_fits(struct publisher *p, const struct conf_queue *queue, int timeout_ms,
			 struct err *e);
/* A queue that ends with this connection, which alone may use it. */
int publisher_declare_own(struct publisher *p, const char *queue, int timeout_ms, struct err *e);
/* basic.get, no_ack false: 1 = a message (settle it with publisher_ack), 0 = empty. props and
 * body are malloc'ed. */
int publisher_get(struct publisher *p, const char *queue, uint64_t *ret_tag, char **ret_props,
		  size_t *ret_props_len, char **ret_body, size_t *ret_body_len, int timeout_ms,
		  struct err *e);
int publisher_ack(struct publisher *p, uint64_t tag, int timeout_ms, struct err *e);

#endif
