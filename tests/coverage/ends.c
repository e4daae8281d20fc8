/* SPDX-License-Identifier: MIT */
/* Linked into every program of a build with COVERAGE=1, in place of the calls that end a process
 * without what exit() runs: the counts are written first. gcc itself sees to fork() and exec().
 * A process that is killed from outside takes along what it counted in the last EVERY_S seconds. */
#include <gcov.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TURN_US = 5000, TURNS = 400, EVERY_S = 2 };

_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap_abort(void);
int __wrap_kill(pid_t pid, int sig);
int __wrap_raise(int sig);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
_Noreturn void __real__exit(int status);
_Noreturn void __real_abort(void);
int __real_kill(pid_t pid, int sig);
int __real_raise(int sig);
int __real_clock_gettime(clockid_t id, struct timespec *ret);

static void write_counts(void)
{
	__gcov_dump();
	__gcov_reset();		/* it may go on */
}

/* Children that leave because we do, and would be killed as soon as we have left, write theirs. */
static __attribute__((destructor)) void wait_for_children(void)
{
	for (int i = 0; i < TURNS; i++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			return;
		if (pid == 0)
			usleep(TURN_US);
	}
}

void __wrap__exit(int status)
{
	wait_for_children();
	write_counts();
	__real__exit(status);
}

void __wrap_abort(void)
{
	write_counts();
	__real_abort();
}

int __wrap_kill(pid_t pid, int sig)
{
	if (pid == getpid() && sig)
		write_counts();
	return __real_kill(pid, sig);
}

int __wrap_raise(int sig)
{
	write_counts();
	return __real_raise(sig);
}

/* Every process of ours looks at the clock again and again. */
int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
	static time_t last;
	struct timespec now;

	__real_clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (last == 0) {
		last = now.tv_sec;
	} else if (now.tv_sec >= last + EVERY_S) {
		last = now.tv_sec;
		write_counts();
	}
	return __real_clock_gettime(id, ret);
}
