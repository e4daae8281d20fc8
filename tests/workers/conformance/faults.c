/* SPDX-License-Identifier: MIT */
/* Tasks that fail or die in every way a task can. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "tests/workers/conformance/tasks.h"

enum { PIECE = 1 << 20, POLL_NS = 2000000 };

static enum err_code code_of(const char *name)
{
	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++)
		if (strcmp(err_name(i), name) == 0)
			return i;
	return ERR_INVALID;
}

/* With an error code of err.h by name, and under an exception type of the caller's choice. */
int faults_fail(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int r = err_set(e, code_of(json_str(args, "code", "")), "%s", json_str(args, "text", ""));

	(void)run;
	(void)ret;
	snprintf(e->exc_type, sizeof e->exc_type, "%s", json_str(args, "exc_type", ""));
	return r;
}

/* Asks for another attempt n times, then says which attempt it was, or what message it came in. */
int faults_retry(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	if (run_retries(run) < json_int(args, "n", 0))
		return run_retry(run, json_int(args, "countdown_ms", 0), e, "attempt %d of %d",
				 run_retries(run) + 1, (int)json_int(args, "n", 0) + 1);
	if (json_bool(args, "message", false))
		return values_message(run, args, ret, e);
	*ret = cJSON_CreateNumber(run_retries(run));
	return 0;
}

/* A library that ends the process: with a status, or with abort(). */
int faults_exit(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const char *way = json_str(args, "way", "exit");

	(void)run;
	(void)ret;
	if (strcmp(way, "abort") == 0)
		abort();
	if (strcmp(way, "segv") == 0)
		raise(SIGSEGV);
	if (strcmp(way, "exit") == 0)
		_exit((int)json_int(args, "status", 0));
	return err_set(e, ERR_INVALID, "way is exit, abort or segv");
}

/* The parent of a process: field 4 of its stat, behind the name in brackets. */
static pid_t parent_of(pid_t pid)
{
	char path[64], text[512];
	const char *fields;
	FILE *f;
	size_t n;
	int parent = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	fields = strrchr(text, ')');
	if (fields && strlen(fields) > 4) {
		char *end = strchrnul(fields + 4, ' ');

		*end = '\0';
		scan_int(fields + 4, 0, INT32_MAX, &parent, NULL);
	}
	return parent;
}

/* A signal to the own process, or to the zygote or the worker's parent: most kill it. */
int faults_kill(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const char *who = json_str(args, "who", "child");
	pid_t pid = getpid();

	(void)run;
	if (strcmp(who, "child") != 0)
		pid = getppid();
	if (strcmp(who, "parent") == 0)
		pid = parent_of(pid);
	if (pid <= 1)
		return err_set(e, ERR_INTERNAL, "%s is not there", who);
	kill(pid, (int)json_int(args, "signal", SIGKILL));
	if (strcmp(who, "child") != 0)
		return faults_stubborn(run, args, ret, e);
	*ret = cJSON_CreateString("survived");
	return 0;
}

/* Holds that many MiB, all touched, until it returns. */
int faults_memory(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int64_t n = json_int(args, "mib", 0);
	char **pieces;

	(void)run;
	if (n < 0 || n > 4096)
		return err_set(e, ERR_INVALID, "mib is from 0 to 4096");
	pieces = mem_alloc((size_t)(n + 1) * sizeof *pieces);
	for (int64_t i = 0; i < n; i++) {
		pieces[i] = mem_alloc(PIECE);
		memset(pieces[i], (int)i + 1, PIECE);
	}
	for (int64_t i = 0; i < n && !json_bool(args, "leak", false); i++)
		free(pieces[i]);
	free(pieces);
	*ret = cJSON_CreateNumber((double)getpid());
	return 0;
}

/* Never looks at run_cancelled, so only the hard limit ends it early. */
int faults_stubborn(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int64_t end = clock_mono_ms() + (int64_t)(json_num(args, "seconds", 60) * 1000);

	(void)run;
	(void)e;
	while (clock_mono_ms() < end)
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
	*ret = cJSON_CreateString("ended by itself");
	return 0;
}
