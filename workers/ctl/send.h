/* SPDX-License-Identifier: MIT */
/* send: one task message from the command line to its queue: confirmed, spooled or rejected within
 * its deadline (common/broker/door.h).
 *
 * Unique enqueues are told to the fleet by the message's headers x-jobfleet-unique-key (text),
 * x-jobfleet-unique-for (seconds) and x-jobfleet-unique-mode (reject, replace, throttle). */
#ifndef CTL_SEND_H
#define CTL_SEND_H

#include <cjson/cJSON.h>
#include <stdint.h>

struct conf;
struct ctl;
struct err;
struct message;

/* NULL, 0 or the stated value: by queues.conf, or absent. */
struct send {
	const char *task;
	const char *id;			/* a fresh one */
	const char *args, *kwargs;	/* raw JSON; checked here */
	const char *queue;
	int priority;			/* MESSAGE_NO_PRIORITY */
	int64_t eta_us, expires_us;	/* absolute wall time */
	int64_t hard_ms, soft_ms;	/* time limits */
	const char *unique_key, *unique_mode;
	int64_t unique_for_ms;
	const cJSON *headers;		/* object: headers beside those of Celery */
	int64_t deadline_ms;		/* enqueue_timeout */
};

/* Makes m (initialised; cleared here) and names its queue (conf's or s's). -ERR_USAGE says which
 * argument is wrong, by its option's name; prefix "" says it by the name alone. */
int send_make(const struct conf *conf, const struct send *s, const char *prefix, struct message *m,
	      const char **ret_queue, struct err *e);

/* CTL_OK = the broker has it; CTL_SPOOLED: it will, said on stderr. A queue that the broker does
 * not know is declared if queues.conf knows it. -ERR_USAGE; -ERR_NOT_FOUND: no such queue; else as
 * door_enqueue. */
int send_task(struct ctl *c, const struct send *s, struct err *e);
/* Says where what (it, them) waits, and why. */
void send_note_spooled(const struct ctl *c, const char *what, const char *why);
/* What earlier enqueues left in the spool, sent within a second or left there. */
void send_leftovers(struct ctl *c);

#endif
