/* SPDX-License-Identifier: MIT */
#include "workers/processing/poison.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "workers/processing/posting.h"
#include "workers/processing/transform.h"

enum { DONE = -1 };

/* In the trial: says which row it is at before it reads it. */
static void read_rows(const struct transform_context *ctx, struct raw rows, int from,
		      volatile int *at)
{
	struct rlimit no_core = { 0, 0 };
	struct raw_walk w = raw_walk(rows);
	struct posting p;
	struct buf out;
	struct raw row;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGALRM, SIG_DFL);
	posting_init(&p);
	buf_init(&out, 8 << 20);
	for (int i = 0; raw_next(&w, NULL, &row); i++) {
		struct refusal why;

		if (i < from)
			continue;
		*at = i;
		alarm(POISON_ROW_S);
		buf_clear(&out);
		if (transform_row(ctx, row, &p, &why) == TRANSFORM_POSTING)
			posting_json(&p, NULL, &out);
	}
	*at = DONE;
	_exit(0);
}

/* The row that the trial died at; DONE when it came to the end or could not be made. */
static int try_from(const struct transform_context *ctx, struct raw rows, int from,
		    volatile int *at)
{
	pid_t pid;
	int status = 0;

	*at = DONE;
	pid = fork();
	if (pid == 0)
		read_rows(ctx, rows, from, at);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return *at;
}

void poison_find(const struct transform_context *ctx, struct raw rows, struct poison *ret)
{
	int *at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int dead = 0;

	*ret = (struct poison){ .n = 0 };
	if (at == MAP_FAILED)
		return;
	while (ret->n < POISON_MAX) {
		dead = try_from(ctx, rows, dead, at);
		if (dead == DONE)
			break;
		ret->index[ret->n++] = dead++;
	}
	munmap(at, sizeof *at);
}

bool poison_has(const struct poison *p, int index)
{
	for (int i = 0; i < p->n; i++)
		if (p->index[i] == index)
			return true;
	return false;
}
