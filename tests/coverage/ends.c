/* SPDX-License-Identifier: MIT */
/* Linked into every program of a build with COVERAGE=1, in place of the calls that end a process
 * without what exit() runs: the counts are written first. gcc itself sees to fork() and exec();
 * a process killed from outside takes its counts along. */
#include <gcov.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURN_US = 5000, TURNS = 400 };

_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap_abort(void);
int __wrap_kill(pid_t pid, int sig);
int __wrap_raise(int sig);
_Noreturn void __real__exit(int status);
_Noreturn void __real_abort(void);
int __real_kill(pid_t pid, int sig);
int __real_raise(int sig);

static void write_counts(void)
{
	__gcov_dump();
	__gcov_reset();		/* it may go on after a SIGSTOP */
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
