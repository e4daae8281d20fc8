/* SPDX-License-Identifier: MIT */
#include "common/worker/watch.h"

#include <poll.h>
#include <uv.h>

#include "common/base/mem.h"

static void fire(uv_poll_t *handle, int status, int events)
{
	struct watch *w = handle->data;

	(void)status;
	(void)events;
	if (w)
		w->fn(w->ctx);
}

static void freed(uv_handle_t *handle)
{
	free(handle);
}

void watch_init(struct watch *w, void *loop, watch_fn *fn, void *ctx)
{
	*w = (struct watch){ .loop = loop, .fd = -1, .fn = fn, .ctx = ctx };
}

void watch_set(struct watch *w, int fd, short events)
{
	int want = UV_DISCONNECT | ((events & POLLIN) ? UV_READABLE : 0) |
		   ((events & POLLOUT) ? UV_WRITABLE : 0);

	if (w->fd == fd && w->events == events)
		return;
	if (w->fd != fd)
		watch_stop(w);
	if (!w->handle) {
		uv_poll_t *handle = mem_zalloc(sizeof *handle);

		uv_poll_init(w->loop, handle, fd);
		handle->data = w;
		w->handle = handle;
	}
	uv_poll_start(w->handle, want, fire);
	w->fd = fd;
	w->events = events;
}

void watch_stop(struct watch *w)
{
	uv_poll_t *handle = w->handle;

	if (!handle)
		return;
	handle->data = NULL;	/* w may be gone before libuv lets the handle go */
	uv_poll_stop(handle);
	uv_close((uv_handle_t *)handle, freed);
	w->handle = NULL;
	w->fd = -1;
	w->events = 0;
}
