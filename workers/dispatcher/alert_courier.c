/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/alert_courier.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define PROGRAM "jobfleet-alerting"
#define TASK "jobfleet.deliver_alert"

extern char **environ;

static void end(struct courier *c, int status)
{
	bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	c->pid = 0;
	c->next_ms = well ? 0 : clock_mono_ms() + COURIER_REST_MS;
	if (well)
		log_info("an alert was told without the fleet's help");
	else
		log_warn("an alert could not be told without the fleet's help status=%d", status);
}

bool courier_is_free(struct courier *c)
{
	int status = 0;
	pid_t pid = c->pid ? waitpid(c->pid, &status, WNOHANG) : 0;

	if (c->pid && pid == c->pid)
		end(c, status);
	else if (c->pid && clock_mono_ms() > c->until_ms)
		kill(c->pid, SIGKILL);
	return c->pid == 0 && clock_mono_ms() >= c->next_ms;
}

/* Beside our own program: /usr/libexec/jobfleet, or build/bin. */
static int find_program(char *out, size_t size, struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	if (n < 0)
		return err_set(e, ERR_IO, "/proc/self/exe: %s", strerror(errno));
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (!slash || (size_t)(slash - out) + sizeof "/" PROGRAM > size)
		return err_set(e, ERR_IO, "no directory of this program is known");
	snprintf(slash + 1, size - (size_t)(slash + 1 - out), "%s", PROGRAM);
	return 0;
}

/* Our signals are blocked for a signalfd; the new program wants its own. */
static int spawn(struct courier *c, const char *path, char *const *argv, struct err *e)
{
	posix_spawnattr_t attr;
	sigset_t none, pipe;
	int r;

	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn(&c->pid, path, NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (r == 0)
		return 0;
	c->pid = 0;
	return err_set(e, ERR_IO, "%s: %s", path, strerror(r));
}

int courier_send(struct courier *c, const char *config, const char *notice, struct err *e)
{
	char path[4096], *args, *option;
	int r = find_program(path, sizeof path, e);

	if (r < 0)
		return r;
	if (strlen(notice) > COURIER_NOTICE_MAX)
		return err_set(e, ERR_TOO_BIG, "a notice is larger than %d bytes",
			       COURIER_NOTICE_MAX);
	args = mem_printf("[%s]", notice);
	option = mem_printf("--config=%s", config);
	char *with[] = { path, option, (char[]){ "--run" }, (char[]){ TASK }, args, NULL };
	char *without[] = { path, (char[]){ "--run" }, (char[]){ TASK }, args, NULL };

	r = spawn(c, path, *config ? with : without, e);
	c->until_ms = clock_mono_ms() + COURIER_LIMIT_MS;
	free(option);
	free(args);
	return r;
}

void courier_release(struct courier *c)
{
	if (!c->pid)
		return;
	kill(c->pid, SIGTERM);
	waitpid(c->pid, NULL, WNOHANG);
	c->pid = 0;
}
