/* SPDX-License-Identifier: MIT */
/* inject: the nth call of the system fails. For one test program each: the functions below stand
 * between our objects (and, where the program exports them, its libraries) and libc, by -Wl,--wrap
 * (INJECT_WRAP in the Makefile). Not armed they pass everything on.
 *
 *	INJECT_EACH(fault) {
 *		what_is_tried();
 *		inject_end();
 *		what_must_hold();
 *	}
 *
 * runs the block once for each kind of fault and each call that the block makes. */
#ifndef TESTS_HOSTILE_INJECT_H
#define TESTS_HOSTILE_INJECT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { INJECT_CALLS_MOST = 5000 };

/* What a call does instead. A short one moves a single byte. */
enum inject_kind { INJECT_SHORT, INJECT_EINTR, INJECT_ENOSPC, INJECT_EIO, INJECT_ECONNRESET,
		   INJECT_KINDS };

static struct {
	bool armed, sticky;		/* sticky: all after it fail as well, as a full disk does */
	int wanted, calls;
	bool fired;
	enum inject_kind kind;
} inject;

static const int INJECT_ERRORS[] = { [INJECT_EINTR] = EINTR, [INJECT_ENOSPC] = ENOSPC,
				     [INJECT_EIO] = EIO, [INJECT_ECONNRESET] = ECONNRESET };

static inline void inject_begin(enum inject_kind kind, int nth, bool sticky)
{
	inject.kind = kind;
	inject.wanted = nth;
	inject.calls = 0;
	inject.fired = false;
	inject.sticky = sticky;
	inject.armed = true;
}

static inline void inject_end(void)
{
	inject.armed = false;
}

/* 1: fail with errno; 2: be short; 0: go on. `moves`: a call that can be short. */
static inline int inject_hit(bool moves)
{
	if (!inject.armed)
		return 0;
	inject.calls++;
	if (inject.calls != inject.wanted && !(inject.sticky && inject.fired))
		return 0;
	if (inject.kind == INJECT_SHORT) {
		inject.fired = true;
		return moves ? 2 : 0;
	}
	if (inject.kind == INJECT_EINTR && !moves)	/* those do not return it */
		return 0;
	inject.fired = true;
	errno = INJECT_ERRORS[inject.kind];
	return 1;
}

#define INJECT_EACH(from, to) \
	for (enum inject_kind kind_ = (from); kind_ <= (to); kind_++) \
		for (int n_ = 1, more_ = 1; more_; \
		     more_ = inject.calls >= n_ && n_ < INJECT_CALLS_MOST, n_++) \
			for (int once_ = (inject_begin(kind_, n_, false), 1); once_; \
			     once_ = 0, inject_end())

#define INJECT_MOVER(type, name, params, bare, brief) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params \
	{ \
		int hit = inject_hit(true); \
		if (hit == 1) \
			return -1; \
		if (hit == 2) \
			return __real_##name brief; \
		return __real_##name bare; \
	}

#define INJECT_CALL(name, params, bare) \
	int __real_##name params; \
	int __wrap_##name params; \
	int __wrap_##name params \
	{ \
		return inject_hit(false) ? -1 : __real_##name bare; \
	}

#define ONE(n) ((n) > 0)
INJECT_MOVER(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), (fd, p, ONE(n)))
INJECT_MOVER(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), (fd, p, ONE(n)))
INJECT_MOVER(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at),
	     (fd, p, ONE(n), at))
INJECT_MOVER(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags),
	     (fd, p, ONE(n), flags))
INJECT_MOVER(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags),
	     (fd, p, ONE(n), flags))
INJECT_CALL(fsync, (int fd), (fd))
INJECT_CALL(mkdir, (const char *path, mode_t mode), (path, mode))
INJECT_CALL(rename, (const char *from, const char *to), (from, to))
INJECT_CALL(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
INJECT_CALL(renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
	    (a, from, b, to, flags))
INJECT_CALL(link, (const char *from, const char *to), (from, to))
INJECT_CALL(fstat, (int fd, struct stat *st), (fd, st))
INJECT_CALL(connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
INJECT_CALL(socket, (int domain, int type, int protocol), (domain, type, protocol))

#endif
