/* SPDX-License-Identifier: MIT */
#include "common/base/fault.h"

#ifdef FAULTS
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/scan.h"

static int allocs_left;			/* until one fails; 0 = none will */

static void read_order(const char *path, char *ret_word, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret_word, size - 1);

	if (fd >= 0)
		close(fd);
	ret_word[n > 0 ? n : 0] = '\0';
}

static void carry_out(const char *word)
{
	if (strncmp(word, "ALLOC ", 6) == 0)
		scan_int(word + 6, 1, INT_MAX, &allocs_left, NULL);
	else
		kill(getpid(), strcmp(word, "STOP") == 0 ? SIGSTOP : SIGKILL);
}

void fault_point(const char *name)
{
	const char *order = getenv("JOBFLEET_FAULT");
	size_t n = strlen(name);
	char word[20];

	if (!order || strncmp(order, name, n) != 0 || order[n] != ':')
		return;
	read_order(order + n + 1, word, sizeof word);
	if (unlink(order + n + 1) == 0)
		carry_out(word);
}

bool fault_alloc(void)
{
	return allocs_left > 0 && --allocs_left == 0;
}
#else
/* ISO C wants a translation unit to declare something. */
typedef int fault_unused;
#endif
