/* SPDX-License-Identifier: MIT */
#include "common/base/fault.h"

#ifdef FAULTS
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

static bool says_stop(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char word[5] = "";
	ssize_t n = fd < 0 ? 0 : read(fd, word, sizeof word - 1);

	if (fd >= 0)
		close(fd);
	return n == 4 && strcmp(word, "STOP") == 0;
}

void fault_point(const char *name)
{
	const char *order = getenv("JOBFLEET_FAULT");
	size_t n = strlen(name);
	bool stop;

	if (!order || strncmp(order, name, n) != 0 || order[n] != ':')
		return;
	stop = says_stop(order + n + 1);
	if (unlink(order + n + 1) == 0)
		kill(getpid(), stop ? SIGSTOP : SIGKILL);
}
#else
/* ISO C wants a translation unit to declare something. */
typedef int fault_unused;
#endif
