/* SPDX-License-Identifier: MIT */
/* outage: the nth call on the network fails. For one test program each: the functions below carry
 * libc's names, and a program's own come before libc's for it and for the shared libraries it is
 * linked with, so that libpq and libcurl are under them as well. Not armed they pass everything on.
 *
 *	OUTAGE_EACH() {
 *		what_is_tried();
 *		outage_end();
 *		what_must_hold();
 *	}
 *
 * runs the block once for each kind of outage and each call that the block makes which can fail so;
 * the last run of each kind is one where nothing failed. After an error that ends a connection in
 * life it is ended here, too, for both sides: what comes next sees what it would see. */
#ifndef TESTS_HOSTILE_OUTAGE_H
#define TESTS_HOSTILE_OUTAGE_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/base/err.h"

enum { OUTAGE_CALLS_MOST = 2000 };

/* SHORT moves one byte, DRIBBLE does so each time. */
enum outage_kind { OUTAGE_SHORT, OUTAGE_DRIBBLE, OUTAGE_EINTR, OUTAGE_EAGAIN, OUTAGE_RESET,
		   OUTAGE_PIPE, OUTAGE_EIO, OUTAGE_EOF, OUTAGE_KINDS };
enum outage_call { OUTAGE_SEND, OUTAGE_RECV, OUTAGE_CONNECT, OUTAGE_SOCKET, OUTAGE_POLL,
		   OUTAGE_CALLS };

static const char *const OUTAGE_NAMES[] = { "a short call", "short calls", "EINTR", "EAGAIN",
					    "a reset", "a broken pipe", "EIO", "an end" };

/* errno; -1: one byte; -2: 0 bytes; 0: this call cannot fail so. */
static const int OUTAGE_ERRORS[OUTAGE_KINDS][OUTAGE_CALLS] = {
	[OUTAGE_SHORT] = { -1, -1, 0, 0, 0 },
	[OUTAGE_DRIBBLE] = { -1, -1, 0, 0, 0 },
	[OUTAGE_EINTR] = { EINTR, EINTR, EINTR, 0, EINTR },
	[OUTAGE_EAGAIN] = { EAGAIN, EAGAIN, 0, 0, 0 },
	[OUTAGE_RESET] = { ECONNRESET, ECONNRESET, ECONNREFUSED, 0, 0 },
	[OUTAGE_PIPE] = { EPIPE, 0, ENETUNREACH, 0, 0 },
	[OUTAGE_EIO] = { EIO, EIO, EHOSTUNREACH, EMFILE, ENOMEM },
	[OUTAGE_EOF] = { 0, -2, 0, 0, 0 },
};

static struct {
	bool armed, fired;
	enum outage_kind kind;
	enum outage_call call;		/* that failed */
	int wanted, calls, points;	/* points: how many failed, in all */
} outage;

static inline void outage_begin(enum outage_kind kind, int nth)
{
	outage.kind = kind;
	outage.wanted = nth;
	outage.calls = 0;
	outage.fired = false;
	outage.armed = true;
}

static inline void outage_end(void)
{
	outage.armed = false;
}

#define OUTAGE_EACH() \
	for (enum outage_kind kind_ = 0; kind_ < OUTAGE_KINDS; kind_++) \
		for (int n_ = 1, more_ = 1; more_; \
		     more_ = outage.fired && kind_ != OUTAGE_DRIBBLE && n_ < OUTAGE_CALLS_MOST, \
			 n_++) \
			for (int once_ = (outage_begin(kind_, n_), 1); once_; \
			     once_ = 0, outage_end())

/* As in OUTAGE_ERRORS; 0: go on. */
static inline int outage_hit(enum outage_call call, int fd)
{
	int how = OUTAGE_ERRORS[outage.kind][call];

	if (!outage.armed || how == 0)
		return 0;
	if (++outage.calls != outage.wanted && outage.kind != OUTAGE_DRIBBLE)
		return 0;
	outage.points += !outage.fired;
	outage.fired = true;
	outage.call = call;
	if ((call == OUTAGE_SEND || call == OUTAGE_RECV) && outage.kind >= OUTAGE_RESET)
		shutdown(fd, SHUT_RDWR);
	if (how > 0)
		errno = how;
	return how;
}

static inline int outage_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* The program's own function of libc's name, and what it stands before. */
#define OUTAGE_OF(type, name, params) \
	type outage_##name params __asm__(#name); \
	static inline type (*next_##name(void)) params \
	{ \
		static type (*next) params; \
		if (!next) \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		return next; \
	} \
	type outage_##name params

#define ONE(n) ((n) > 0)

OUTAGE_OF(ssize_t, send, (int fd, const void *p, size_t n, int flags))
{
	int how = outage_hit(OUTAGE_SEND, fd);

	return how > 0 ? -1 : next_send()(fd, p, how < 0 ? ONE(n) : n, flags);
}

OUTAGE_OF(ssize_t, recv, (int fd, void *p, size_t n, int flags))
{
	int how = outage_hit(OUTAGE_RECV, fd);

	if (how == -2)
		return 0;
	return how > 0 ? -1 : next_recv()(fd, p, how < 0 ? ONE(n) : n, flags);
}

OUTAGE_OF(int, connect, (int fd, const struct sockaddr *to, socklen_t n))
{
	return outage_hit(OUTAGE_CONNECT, fd) ? -1 : next_connect()(fd, to, n);
}

OUTAGE_OF(int, socket, (int domain, int type, int protocol))
{
	return outage_hit(OUTAGE_SOCKET, -1) ? -1 : next_socket()(domain, type, protocol);
}

OUTAGE_OF(int, poll, (struct pollfd fds[], nfds_t n, int timeout_ms))
{
	return outage_hit(OUTAGE_POLL, -1) ? -1 : next_poll()(fds, n, timeout_ms);
}

OUTAGE_OF(int, __poll_chk, (struct pollfd fds[], nfds_t n, int timeout_ms, size_t size))
{
	return outage_hit(OUTAGE_POLL, -1) ? -1 : next___poll_chk()(fds, n, timeout_ms, size);
}

/* No kind of outage is worth a wait: none of these calls may come to its deadline. */
static inline void outage_expect(int r, const struct err *e)
{
	if (r >= 0)
		return;
	if (!e->msg[0] || r != -(int)e->code || !err_is_transient(e->code) || r == -ERR_TIMEOUT)
		fail_msg("%d: %s \"%s\" is no error of an outage", r, err_name(e->code), e->msg);
	assert_true(outage.fired);
}

static inline void outage_report(void)
{
	print_message("# %d calls failed in turn; the last: %s, the %dth that can, of kind %d\n",
		      outage.points, OUTAGE_NAMES[outage.kind], outage.wanted, (int)outage.call);
}

#endif
