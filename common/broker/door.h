/* SPDX-License-Identifier: MIT */
/* door: enqueue that never hangs. Within the caller's deadline the answer is confirmed, spooled or
 * rejected with the reason: broker down, blocked by an alarm, half open, queue deleted.
 *
 * confirmed  RabbitMQ has it
 * spooled    fsynced on this host; the dispatcher or the next enqueue here replays it
 * rejected   neither, e says why: -ERR_INVALID, -ERR_TOO_BIG, -ERR_UNROUTED, -ERR_REFUSED and
 *            -ERR_CONFIG are permanent, and nothing will happen; others are worth another try, with
 *            the same id, since what RabbitMQ did not confirm in time it may still have
 *
 * A message is spooled as soon as it is clear that RabbitMQ does not take it now: no connection, an
 * alarm, a nack, or no confirm shortly before the deadline (what is left then is for the disk). One
 * that cannot be spooled waits for RabbitMQ until its deadline. What was spooled for want of a
 * confirm may have arrived, too: its id makes the copy harmless.
 * A returned message's queue is declared as queues.conf says and the message sent again; a queue
 * that queues.conf does not name is -ERR_UNROUTED.
 * While RabbitMQ is away it is asked again after 250 ms, doubling up to 5 s; in between messages
 * go to the spool at once.
 * Limits: max_message bytes a body; 512 messages or 32 MiB under way. A host that is no address is
 * looked up with one try of one second a name server. */
#ifndef COMMON_BROKER_DOOR_H
#define COMMON_BROKER_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct door;
struct err;
struct message;

enum door_answer { DOOR_CONFIRMED, DOOR_SPOOLED, DOOR_REJECTED };

/* name is shown in the broker's connection list. conf is borrowed. Connects at first use. */
struct door *door_new(const struct conf *conf, const char *name);
/* What is still under way goes to the spool, without an answer. */
void door_free(struct door *d);

/* One message, by timeout_ms (0 = enqueue_timeout). e is filled also for DOOR_SPOOLED. */
enum door_answer door_enqueue(struct door *d, const char *queue, const struct message *m,
			      int timeout_ms, struct err *e);

/* Many at full confirmed speed: each answer comes by done, during some call of the door, at the
 * latest in door_drain. e is why it is not confirmed. Waits while too much is under way. A negative
 * answer rejects this message at once; done is not called then. */
typedef void door_done(void *ctx, uint64_t tag, enum door_answer answer, const struct err *e);
int door_send(struct door *d, const char *queue, const struct message *m, uint64_t tag,
	      door_done *done, void *ctx, int timeout_ms, struct err *e);
/* Handles what has come, without waiting, as whoever sends slowly should do now and then. */
void door_poll(struct door *d);
/* Until nothing is under way; what is left after timeout_ms is spooled. */
void door_drain(struct door *d, int timeout_ms);

/* Spooled entries out, oldest first, at most most, while RabbitMQ takes them: how many were
 * confirmed. Negative: RabbitMQ does not take them now. Entries for a queue that does not exist and
 * that queues.conf does not name stay; e then tells of the last one though the answer is not
 * negative. */
int door_replay(struct door *d, int most, int timeout_ms, struct err *e);

#endif
