/* SPDX-License-Identifier: MIT */
/* dispatcher_private: what the loop (dispatcher.c) and its duties (duties.c) share. */
#ifndef DISPATCHER_DISPATCHER_PRIVATE_H
#define DISPATCHER_DISPATCHER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "workers/dispatcher/dispatcher.h"
#include "workers/dispatcher/mailbox.h"
#include "workers/dispatcher/prune.h"
#include "workers/dispatcher/relay.h"
#include "workers/dispatcher/runs.h"
#include "workers/dispatcher/spool.h"
#include "workers/dispatcher/watch.h"

struct agenda;
struct alerts;
struct httpd;
struct leader;
struct level;
struct peers;
struct pidbox;
struct relay;
struct scaling;
struct watcher;

struct dispatcher {
	struct conf *conf;
	const char *node;
	dispatcher_reload *reload;
	void *ctx;
	struct peers *peers;
	struct relay *relay;
	struct agenda *agenda;
	struct runs runs;
	struct mailbox mailbox;
	struct prune prune;
	struct spool_duty spool;
	struct watcher *watcher;
	struct watch watch;
	struct level *level;
	struct leader *leader;
	struct alerts *alerts;
	struct scaling *scaling;
	struct pidbox *pidbox;
	struct httpd *httpd;
	struct relay_counts counted;	/* what the board has of them */
	int64_t started_ms;
	int64_t offset_us;   /* PostgreSQL's clock minus our monotonic one */
	int signals;
	bool routed, stopping, shown_leading;
};

enum { DUTIES_SLOW_MS = 1000 };

/* Gives each duty whose time it is its turn. True if one of them has more to do at once. */
bool duties_do(struct dispatcher *d);
/* The last row of jobfleet.workers, when d stops. */
int duties_leave(struct dispatcher *d, struct err *e);
/* PostgreSQL's clock. */
int64_t dispatcher_now_us(const struct dispatcher *d);
bool dispatcher_misses_somebody(const struct dispatcher *d);

#endif
