/* SPDX-License-Identifier: MIT */
/* watch: a descriptor in the parent's libuv loop. The loop itself is a void * here, so that no
 * other header needs libuv's. */
#ifndef COMMON_WORKER_WATCH_H
#define COMMON_WORKER_WATCH_H

typedef void watch_fn(void *ctx);

struct watch {
	void *loop, *handle;	/* uv_loop_t, uv_poll_t */
	int fd;
	short events;
	watch_fn *fn;
	void *ctx;
};

void watch_init(struct watch *w, void *loop, watch_fn *fn, void *ctx);
/* Calls fn whenever fd shows events (POLLIN, POLLOUT) or hangs up. */
void watch_set(struct watch *w, int fd, short events);
/* Before the descriptor is closed. */
void watch_stop(struct watch *w);

#endif
