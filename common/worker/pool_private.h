/* SPDX-License-Identifier: MIT */
/* What pool.c (children and hand-over) and pool_limits.c (what runs, for how long, and its end)
 * share. */
#ifndef COMMON_WORKER_POOL_PRIVATE_H
#define COMMON_WORKER_POOL_PRIVATE_H

#include "common/worker/frame.h"
#include "common/worker/pool.h"
#include "common/worker/watch.h"

enum child_state { CHILD_NONE, CHILD_FORKING, CHILD_ALIVE };

struct handed {
	struct delivery *d;
	uint32_t serial;
	int64_t soft_us, hard_us;	/* 0 = none */
	int terminated;			/* the signal that was named; 0 = no */
	bool is_short, soft_sent, announced;
};

struct pool_child {
	struct pool *pool;
	int row;
	enum child_state state;
	pid_t pid;
	int pidfd;
	struct frame_port port;
	struct watch watch;
	struct handed handed[SLOT_COUNT];
	int nhanded, nlong, ndone;
	bool eof, exited, quitting, killed_hard, dirty, swollen;
	int status;
	int64_t born_ms, fork_at_ms;
};

struct pool {
	struct pool_conf conf;
	struct pool_child child[SLOT_MAX_CHILDREN];
	int wanted, used;		/* used: rows that ever had a child */
	size_t busy;
	uint32_t serial;
	char *conf_path;
	bool stopping, orphaned;
};

struct slot *pool_slot(struct pool_child *c, int i);
void pool_signal(struct pool_child *c, int sig);
/* The delivery leaves the slot; it is the caller's. */
struct delivery *pool_release_slot(struct pool_child *c, int i);
void pool_announce(struct pool_child *c, struct handed *h);
void pool_ask_fork(struct pool_child *c);

#endif
