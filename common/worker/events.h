/* SPDX-License-Identifier: MIT */
/* events: what monitors see (celery-wire section 5): exchange celeryev, casts over the outlet.
 *
 * worker-* always go; task-* only while switched on (enable_events, or queues.conf events = yes).
 * While off nothing is built or published: callers ask events_on first where they would have to
 * prepare something. task-* travel in batches of up to 24, the first waits 5 ms at most: a message
 * costs the broker more than an event in it. Casts are dropped, and counted, while the broker is
 * blocked or away. */
#ifndef COMMON_WORKER_EVENTS_H
#define COMMON_WORKER_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct worker;

bool events_on(const struct worker *w);			/* task-* */
int64_t events_dropped(void);				/* events, since the start */
bool events_switch(struct worker *w, bool on);		/* false: it was so already */
void events_tick(struct worker *w);			/* heartbeats, when due */
void events_online(struct worker *w);
void events_offline(struct worker *w);
void events_heartbeat(struct worker *w);		/* now */

void events_received(struct worker *w, const struct delivery *d);
void events_started(struct worker *w, const struct delivery *d, int pid);
void events_succeeded(struct worker *w, const struct delivery *d, const char *result,
		      int64_t run_us);
void events_failed(struct worker *w, const struct delivery *d, const char *exception,
		   const char *traceback);
void events_retried(struct worker *w, const struct delivery *d, const char *exception,
		    const char *traceback);
/* signal 0: none */
void events_revoked(struct worker *w, const struct delivery *d, bool terminated, int signal,
		    bool expired);
void events_rejected(struct worker *w, const struct delivery *d, bool requeue);

#endif
