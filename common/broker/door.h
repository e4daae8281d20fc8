/* SPDX-License-Identifier: MIT */
/* door: enqueue that never hangs. Within the caller's deadline the answer is confirmed, spooled or
 * rejected with the reason: broker down, blocked by an alarm, half open, queue deleted.
 *
 * confirmed  RabbitMQ has it
 * spooled    fsynced on this host; the dispatcher or the next enqueue here replays it
 * rejected   neither: nothing will happen, e says why (-ERR_INVALID, -ERR_UNROUTED, -ERR_REFUSED:
 *            permanent; others: worth another try) */
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

/* name is shown in the broker's connection list. Connects at first use. */
struct door *door_new(const struct conf *conf, const char *name);
void door_free(struct door *d);
/* One message, by timeout_ms (0 = enqueue_timeout). */
enum door_answer door_enqueue(struct door *d, const char *queue, const struct message *m,
			      int timeout_ms, struct err *e);

/* Many at full confirmed speed: each answer comes by done, at the latest in door_drain. */
typedef void door_done(void *ctx, uint64_t tag, enum door_answer answer, const struct err *e);
int door_send(struct door *d, const char *queue, const struct message *m, uint64_t tag,
	      door_done *done, void *ctx, int timeout_ms, struct err *e);
int door_drain(struct door *d, int timeout_ms, struct err *e);
/* Spooled entries out; how many. */
int door_replay(struct door *d, int most, int timeout_ms, struct err *e);

#endif
