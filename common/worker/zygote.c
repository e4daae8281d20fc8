/* SPDX-License-Identifier: MIT */
#include "common/worker/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"

enum { OOM_SCORE_CHILD = 300 };

struct order {
	int row;
	bool keeper;
};

struct notice {
	enum zygote_event_kind kind;
	int row, status;
	pid_t pid;
};

struct zygote {
	int fd, signals;
	zygote_child_fn *child;
	void *ctx;
	struct { pid_t pid; int row; } *living;
	size_t n;
};

/* Dies with its parent, also when that died before the call. */
static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

static void send_notice(int fd, const struct notice *n, const int *fds, size_t nfds)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)n, .iov_len = sizeof *n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > 0) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	while (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* The kernel's OOM killer takes a child first: its task is run again, the parent's state is not. */
static void offer_to_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char text[16];
	int n = snprintf(text, sizeof text, "%d", OOM_SCORE_CHILD);

	if (fd < 0)
		return;
	if (write(fd, text, (size_t)n) < 0)
		close(fd);	/* not allowed here: the child is as likely a victim as anyone */
	else
		close(fd);
}

static void become_child(struct zygote *z, const struct order *o, pid_t zygote, int fd)
{
	sigset_t none;

	die_with(zygote);
	close(z->fd);
	close(z->signals);
	free(z->living);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!o->keeper)
		offer_to_oom_killer();
	_exit(z->child(z->ctx, o->row, o->keeper, fd));
}

static void tell_failure(struct zygote *z, const struct order *o, int why)
{
	struct notice n = { .kind = ZYGOTE_FAILED, .row = o->row, .status = why };

	send_notice(z->fd, &n, NULL, 0);
}

static void fork_child(struct zygote *z, const struct order *o)
{
	struct notice n = { .kind = ZYGOTE_FORKED, .row = o->row };
	pid_t self = getpid();
	int pair[2], fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		tell_failure(z, o, errno);
		return;
	}
	n.pid = fork();
	if (n.pid == 0) {
		close(pair[0]);
		become_child(z, o, self, pair[1]);
	}
	if (n.pid < 0)
		tell_failure(z, o, errno);
	close(pair[1]);
	if (n.pid < 0) {
		close(pair[0]);
		return;
	}
	fds[0] = pair[0];
	fds[1] = (int)syscall(SYS_pidfd_open, n.pid, 0);
	z->living = mem_realloc(z->living, (z->n + 1) * sizeof *z->living);
	z->living[z->n].pid = n.pid;
	z->living[z->n++].row = o->row;
	send_notice(z->fd, &n, fds, fds[1] < 0 ? 1 : 2);
	close(pair[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

static void reap(struct zygote *z)
{
	struct signalfd_siginfo info;
	struct notice n = { .kind = ZYGOTE_EXITED };

	while (read(z->signals, &info, sizeof info) > 0)
		;
	while ((n.pid = waitpid(-1, &n.status, WNOHANG)) > 0) {
		for (size_t i = 0; i < z->n; i++) {
			if (z->living[i].pid != n.pid)
				continue;
			n.row = z->living[i].row;
			z->living[i] = z->living[--z->n];
			send_notice(z->fd, &n, NULL, 0);
			break;
		}
	}
}

static void serve(struct zygote *z)
{
	struct pollfd p[] = { { .fd = z->fd, .events = POLLIN },
			      { .fd = z->signals, .events = POLLIN } };
	struct order o;

	for (;;) {
		if (poll(p, COUNT(p), -1) < 0 && errno != EINTR)
			_exit(111);
		if (p[1].revents)
			reap(z);
		if (p[0].revents) {
			ssize_t n = recv(z->fd, &o, sizeof o, 0);

			if (n == 0)
				_exit(0);	/* the parent is gone */
			if (n == (ssize_t)sizeof o)
				fork_child(z, &o);
		}
	}
}

static void become_zygote(zygote_child_fn *child, void *ctx, pid_t parent, int fd)
{
	struct zygote z = { .fd = fd, .child = child, .ctx = ctx };
	sigset_t mask;

	die_with(parent);
	signal(SIGINT, SIG_IGN);	/* Ctrl-C reaches the whole group; the parent decides */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	z.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (z.signals < 0)
		_exit(111);
	serve(&z);
}

int zygote_start(zygote_child_fn *child, void *ctx, int *ret_fd, pid_t *ret_pid, struct err *e)
{
	pid_t parent = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, ERR_IO, "socketpair: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		return err_set(e, ERR_IO, "fork: %s", strerror(errno));
	if (pid == 0) {
		close(pair[0]);
		become_zygote(child, ctx, parent, pair[1]);
	}
	close(pair[1]);
	*ret_fd = pair[0];
	*ret_pid = pid;
	return 0;
}

int zygote_fork(int fd, int row, bool keeper, struct err *e)
{
	struct order o;

	memset(&o, 0, sizeof o);
	o.row = row;
	o.keeper = keeper;
	if (send(fd, &o, sizeof o, MSG_NOSIGNAL) < 0)
		return err_set(e, ERR_IO, "zygote: %s", strerror(errno));
	return 0;
}

static void take_fds(struct msghdr *msg, struct zygote_event *ev)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int fds[2] = { -1, -1 };
		size_t n = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(c), n < sizeof fds ? n : sizeof fds);
		ev->fd = fds[0];
		ev->pidfd = fds[1];
	}
}

int zygote_next(int fd, struct zygote_event *ret, struct err *e)
{
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct notice n;
	struct iovec iov = { .iov_base = &n, .iov_len = sizeof n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof control };
	ssize_t got = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got != (ssize_t)sizeof n)
		return err_set(e, ERR_LOST, "the zygote is gone");
	*ret = (struct zygote_event){ .kind = n.kind, .row = n.row, .pid = n.pid,
				      .status = n.status, .fd = -1, .pidfd = -1 };
	take_fds(&msg, ret);
	return 1;
}
