/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/httpd_private.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/board.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/vitals.h"

enum { SERVER, LOOKOUT, CHILDREN };

/* Who dies again and again is started again ever more rarely. */
enum { AGAIN_FIRST_MS = 500, AGAIN_MOST_MS = 30000, SOUND_MS = 60000 };

static const char *const NAMES[CHILDREN] = { "server", "lookout" };

struct httpd {
	struct window *window;
	const struct conf *conf;
	const char *node;
	int notes[2];
	double past_s;			/* processor time of those that ended */
	struct {
		pid_t pid;		/* 0: not there */
		int fd;			/* closed, it goes; -1 */
		bool renewing;
		int again_ms;		/* the last wait; 0 = it lived long enough */
		int64_t born_ms, next_ms;
	} children[CHILDREN];
};

struct httpd *httpd_new(const struct conf *conf, const char *node)
{
	struct httpd *h = mem_zalloc(sizeof *h);
	struct err e = { 0 };

	*h = (struct httpd){ .conf = conf, .node = node, .notes = { -1, -1 } };
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
		httpd_turn(h);
		return h;
	}
	log_error("no /metrics and no /health here reason=\"%s\"", e.msg);
	httpd_free(h);
	return NULL;
}

/* ---- the child's beginning ---- */

/* The log's: a file, or the journal's socket, which libsystemd keeps to itself. */
static bool is_of_the_log(int fd)
{
	int domain = 0, type = 0;
	socklen_t n = sizeof domain;

	if (fd == log_fd())
		return true;
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_DGRAM;
}

/* A dispatcher that has long been running has connections: what it closes must be closed. */
static void close_its_files(int ours)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd;

		if (scan_int(entry->d_name, STDERR_FILENO + 1, INT32_MAX, &fd, NULL) < 0)
			continue;
		if (fd != ours && fd != dirfd(dir) && !is_of_the_log(fd))
			close(fd);
	}
	if (dir)
		closedir(dir);
}

static void leave_its_signals(void)
{
	sigset_t none;

	signal(SIGINT, SIG_IGN);	/* Ctrl-C reaches the whole group; the dispatcher decides */
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(struct httpd *h, int i, pid_t parent, int fd)
{
	struct httpd_child c = { h->window, h->conf, h->node, fd, h->notes[i] };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	leave_its_signals();
	close_its_files(fd);
	_exit(i == SERVER ? httpd_serve(&c) : lookout_main(&c));
}

/* ---- coming and going ---- */

static int start(struct httpd *h, int i, struct err *e)
{
	pid_t self = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, ERR_IO, "socketpair: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		become(h, i, self, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return err_set(e, ERR_IO, "fork: %s", strerror(errno));
	}
	h->children[i].fd = pair[0];
	h->children[i].pid = pid;
	h->children[i].born_ms = clock_mono_ms();
	return 0;
}

static void put_off(struct httpd *h, int i)
{
	int ms = h->children[i].again_ms;

	if (clock_mono_ms() - h->children[i].born_ms >= SOUND_MS)
		ms = 0;
	ms = ms ? 2 * ms : AGAIN_FIRST_MS;
	h->children[i].again_ms = ms < AGAIN_MOST_MS ? ms : AGAIN_MOST_MS;
	h->children[i].next_ms = clock_mono_ms() + h->children[i].again_ms;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void bury(struct httpd *h, int i, int flags)
{
	struct rusage used;
	int status;

	if (h->children[i].pid == 0 ||
	    wait4(h->children[i].pid, &status, flags, &used) != h->children[i].pid)
		return;
	h->past_s += seconds(used.ru_utime) + seconds(used.ru_stime);
	if (h->children[i].fd >= 0)
		close(h->children[i].fd);
	h->children[i].fd = -1;
	h->children[i].pid = 0;
	if (h->children[i].renewing) {
		h->children[i].renewing = false;
		return;
	}
	put_off(h, i);
	log_warn("the %s for monitors died and is started again status=%d in_ms=%d", NAMES[i],
		 status, h->children[i].again_ms);
	board_add(1, "restarts", "dispatcher", i == SERVER ? "http_died" : "lookout_died", NULL);
}

void httpd_turn(struct httpd *h)
{
	struct err e = { 0 };

	for (int i = 0; h && i < CHILDREN; i++) {
		bury(h, i, WNOHANG);
		if (h->children[i].pid || clock_mono_ms() < h->children[i].next_ms ||
		    start(h, i, &e) == 0)
			continue;
		put_off(h, i);
		log_error("the %s for monitors cannot be started, trying again reason=\"%s\"",
			  NAMES[i], e.msg);
	}
}

void httpd_renew(struct httpd *h, const struct conf *conf)
{
	if (!h)
		return;
	h->conf = conf;
	for (int i = 0; i < CHILDREN; i++) {
		if (h->children[i].fd < 0)
			continue;
		h->children[i].renewing = true;
		h->children[i].next_ms = 0;
		shutdown(h->children[i].fd, SHUT_RDWR);	/* whoever else may hold it open */
		close(h->children[i].fd);
		h->children[i].fd = -1;
	}
}

void httpd_free(struct httpd *h)
{
	if (!h)
		return;
	httpd_renew(h, NULL);		/* they go */
	for (int i = 0; i < CHILDREN; i++) {
		if (h->children[i].pid)
			kill(h->children[i].pid, SIGKILL);	/* nothing of them is worth waiting for */
		bury(h, i, 0);
	}
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

void httpd_add_vitals(const struct httpd *h, struct vitals *v)
{
	for (int i = 0; h && i < CHILDREN; i++)
		vitals_add(v, h->children[i].pid, false);
	if (h)
		v->cpu_s += h->past_s;
}
