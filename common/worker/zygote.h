/* SPDX-License-Identifier: MIT */
/* zygote: the process that forks children, so that they share pages and start fast.
 *
 * The parent forks it first of all, before any loop, thread or connection. It forks without exec;
 * a new child gets one end of a socketpair and its row of slots, the parent the other end and a
 * pidfd (SCM_RIGHTS). Everything dies with the parent: PR_SET_PDEATHSIG along the chain.
 * A death is seen by the child's socket closing; the wait status follows as ZYGOTE_EXITED.
 * A limit of processes or descriptors ends nobody: where the zygote meets it, ZYGOTE_FAILED comes
 * instead of a child; where the parent meets it, the child comes without descriptors and ends. */
#ifndef COMMON_WORKER_ZYGOTE_H
#define COMMON_WORKER_ZYGOTE_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

enum zygote_event_kind { ZYGOTE_FORKED, ZYGOTE_EXITED, ZYGOTE_FAILED };

struct zygote_event {
	enum zygote_event_kind kind;
	int row;		/* as asked for */
	pid_t pid;
	int status;		/* EXITED: as waitpid gives it; FAILED: an errno */
	int fd, pidfd;		/* FORKED: the receiver's to close; -1 = lost to its own limit */
};

/* What a child does with its end of the socket; its return value is the exit code. */
typedef int zygote_child_fn(void *ctx, int row, bool keeper, int fd);

/* Forks the zygote; the parent's end of the control socket in *ret_fd. */
int zygote_start(zygote_child_fn *child, void *ctx, int *ret_fd, pid_t *ret_pid, struct err *e);
/* Asks for a child in row; ZYGOTE_FORKED or ZYGOTE_FAILED follows. */
int zygote_fork(int fd, int row, bool keeper, struct err *e);
/* 1 = *ret filled, 0 = nothing now, negative = the zygote is gone. */
int zygote_next(int fd, struct zygote_event *ret, struct err *e);

#endif
