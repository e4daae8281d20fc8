/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/httpd_private.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/board.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/vitals.h"
#include "common/worker/zygote.h"

enum { SERVER, LOOKOUT, CHILDREN, RESPAWN_MS = 500 };

static const char *const NAMES[CHILDREN] = { "server", "lookout" };

struct httpd {
	struct window *window;
	const struct conf *conf;
	const char *node;
	dispatcher_reload *reload;
	void *ctx;
	int zygote, notes[2];
	pid_t zygote_pid;
	struct {
		int fd;			/* -1: not there */
		pid_t pid;
		bool asked, renewing;
		int64_t again_ms;
	} children[CHILDREN];
};

static int child(void *ctx, int row, bool keeper, int fd)
{
	struct httpd *h = ctx;
	struct conf *conf = NULL;
	struct httpd_child c = { h->window, h->conf, h->node, fd, h->notes[row] };

	(void)keeper;
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	if (h->reload(h->ctx, &conf, NULL) == 0)
		c.conf = conf;
	return row == SERVER ? httpd_serve(&c) : lookout_main(&c);
}

struct httpd *httpd_new(const struct conf *conf, const char *node, dispatcher_reload *reload_conf,
			void *ctx)
{
	struct httpd *h = mem_zalloc(sizeof *h);
	struct err e = { 0 };

	*h = (struct httpd){ .conf = conf, .node = node, .reload = reload_conf, .ctx = ctx,
			     .zygote = -1, .notes = { -1, -1 } };
	for (int i = 0; i < CHILDREN; i++)
		h->children[i].fd = -1;
	h->window = mmap(NULL, sizeof *h->window, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (h->window == MAP_FAILED) {
		h->window = NULL;
		err_set(&e, ERR_IO, "mmap: %s", strerror(errno));
	} else if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			      h->notes) < 0) {
		err_set(&e, ERR_IO, "socketpair: %s", strerror(errno));
	} else {
		httpd_beat(h);
		zygote_start(child, h, &h->zygote, &h->zygote_pid, &e);
	}
	if (h->zygote >= 0)
		return h;
	log_error("no /metrics and no /health here reason=\"%s\"", e.msg);
	httpd_free(h);
	return NULL;
}

static void forget(struct httpd *h, int i)
{
	if (h->children[i].fd >= 0)
		close(h->children[i].fd);
	h->children[i].fd = -1;
	h->children[i].asked = false;
}

void httpd_free(struct httpd *h)
{
	if (!h)
		return;
	for (int i = 0; i < CHILDREN; i++)
		forget(h, i);
	if (h->zygote >= 0)
		close(h->zygote);	/* it goes, and they with it */
	for (int i = 0; i < 2; i++)
		if (h->notes[i] >= 0)
			close(h->notes[i]);
	if (h->window)
		munmap(h->window, sizeof *h->window);
	free(h);
}

void httpd_beat(struct httpd *h)
{
	if (h)
		atomic_store(&h->window->beat_ms, clock_mono_ms());
}

static void hear(struct httpd *h, const struct zygote_event *ev)
{
	if (ev->kind == ZYGOTE_FORKED) {
		h->children[ev->row].fd = ev->fd;
		h->children[ev->row].pid = ev->pid;
		if (ev->pidfd >= 0)
			close(ev->pidfd);
		return;
	}
	forget(h, ev->row);
	h->children[ev->row].again_ms = 0;
	if (h->children[ev->row].renewing) {
		h->children[ev->row].renewing = false;
		return;
	}
	h->children[ev->row].again_ms = clock_mono_ms() + RESPAWN_MS;
	log_warn("the %s for monitors died and is started again status=%d", NAMES[ev->row],
		 ev->status);
	board_add(1, "restarts", "dispatcher", ev->row == SERVER ? "http_died" : "lookout_died",
		  NULL);
}

void httpd_turn(struct httpd *h)
{
	struct zygote_event ev;
	int r;

	if (!h || h->zygote < 0)
		return;
	while ((r = zygote_next(h->zygote, &ev, NULL)) > 0)
		hear(h, &ev);
	for (int i = 0; r == 0 && i < CHILDREN; i++) {
		if (h->children[i].asked || clock_mono_ms() < h->children[i].again_ms)
			continue;
		r = zygote_fork(h->zygote, i, false, NULL);
		h->children[i].asked = r == 0;
	}
	if (r == 0)
		return;
	log_error("no /metrics and no /health until a restart: their parent process is gone");
	close(h->zygote);
	h->zygote = -1;
}

void httpd_add_vitals(const struct httpd *h, struct vitals *v)
{
	if (!h)
		return;
	vitals_add(v, h->zygote_pid, true);
	for (int i = 0; i < CHILDREN; i++)
		if (h->children[i].fd >= 0)
			vitals_add(v, h->children[i].pid, false);
}

void httpd_renew(struct httpd *h)
{
	for (int i = 0; h && i < CHILDREN; i++) {
		if (h->children[i].fd < 0)
			continue;
		h->children[i].renewing = true;
		shutdown(h->children[i].fd, SHUT_RDWR);
	}
}
