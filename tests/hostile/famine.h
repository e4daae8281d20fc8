/* SPDX-License-Identifier: MIT */
/* famine: the nth allocation fails. For one test program each: malloc, calloc and realloc below
 * stand before libc's, for the program and for the shared libraries it is linked with; free stays
 * libc's. Not armed they pass everything on.
 * Under AddressSanitizer, whose allocator must not be bypassed, nothing ever fails.
 *
 * starve() runs a flow in a child for each of its allocations. What then comes is what came without
 * a failure, or an error that says that another try is worth it, or the end of the process by
 * mem_check. To be used by cmocka tests with famine_open as their set-up. */
#ifndef TESTS_HOSTILE_FAMINE_H
#define TESTS_HOSTILE_FAMINE_H

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"

static struct {
	bool armed;
	int wanted, calls;		/* wanted 0: none, they are counted only */
} famine;

static inline void famine_begin(int nth)
{
	famine.wanted = nth;
	famine.calls = 0;
	famine.armed = true;
}

static inline void famine_end(void)
{
	famine.armed = false;
}

#ifndef __SANITIZE_ADDRESS__
/* glibc keeps these names for its own functions, whoever stands before them. */
void *libc_malloc(size_t n) __asm__("__libc_malloc");
void *libc_calloc(size_t n, size_t size) __asm__("__libc_calloc");
void *libc_realloc(void *p, size_t n) __asm__("__libc_realloc");
void *famine_malloc(size_t n) __asm__("malloc");
void *famine_calloc(size_t n, size_t size) __asm__("calloc");
void *famine_realloc(void *p, size_t n) __asm__("realloc");

static inline bool famine_hit(void)
{
	if (!famine.armed || ++famine.calls != famine.wanted)
		return false;
	errno = ENOMEM;
	return true;
}

void *famine_malloc(size_t n)
{
	return famine_hit() ? NULL : libc_malloc(n);
}

void *famine_calloc(size_t n, size_t size)
{
	return famine_hit() ? NULL : libc_calloc(n, size);
}

void *famine_realloc(void *p, size_t n)
{
	return famine_hit() ? NULL : libc_realloc(p, n);
}
#endif

/* ---- flows ---- */

enum { TOLD = 1 << 18, INPUT_MOST = 65536, POINTS = 70 };

struct input {
	char *bytes;
	size_t len;
};

/* Does its work with allocations failing, ends that, and tells what came of it. */
typedef void flow(const struct input *in);

/* Between a child, which does one flow, and us. */
static struct {
	char text[TOLD];
	size_t len;
	int calls;
} *told;
static int child_stderr;

static inline void tell(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
static inline void tell(const char *fmt, ...)
{
	va_list ap;

	famine_end();
	va_start(ap, fmt);
	told->len += (size_t)vsnprintf(told->text + told->len, TOLD - told->len, fmt, ap);
	va_end(ap);
	if (told->len >= TOLD)
		abort();
}

static inline void tell_bytes(const void *bytes, size_t len)
{
	famine_end();
	for (size_t i = 0; i < len; i++)
		tell("%02x", ((const unsigned char *)bytes)[i]);
	tell("\n");
}

static inline void tell_error(const struct err *e)
{
	tell("error %s%s: %s\n", err_is_transient(e->code) ? "transient " : "", err_name(e->code),
	     e->msg);
}

/* ---- one flow, one failure ---- */

static inline bool is_end_of_memory(int status, bool careless)
{
	char said[64] = "";

	if (careless && status != 0)
		return true;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	       pread(child_stderr, said, sizeof said - 1, 0) > 0 &&
	       strstr(said, "out of memory");
}

/* Its wait status; *told is what it said. */
static inline int run_child(flow *f, const struct input *in, int nth)
{
	static const int SIGNALS[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	int status = 0;
	pid_t pid;

	told->len = 0;
	told->text[0] = '\0';
	assert_int_equal(ftruncate(child_stderr, 0), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		for (size_t i = 0; i < COUNT(SIGNALS); i++)	/* cmocka's would go on */
			signal(SIGNALS[i], SIG_DFL);
		lseek(child_stderr, 0, SEEK_SET);
		dup2(child_stderr, STDERR_FILENO);
		famine_begin(nth);
		f(in);
		famine_end();
		told->calls = famine.calls;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Some POINTS of n, the first ones all. */
static inline int next_point(int at, int n)
{
	return at < POINTS / 2 ? at + 1 : at + 1 + n / (POINTS / 2);
}

/* careless: a library in it uses what it did not get, or exits, which ends the process just the
 * same but says nothing; or it takes what it had no room for as wrong. */
static inline void starve(const char *name, flow *f, const struct input *in, bool careless)
{
	int status = run_child(f, in, 0), n = told->calls, ended = 0, errors = 0, points = 0;
	char *want = mem_strdup(told->text);

	if (status != 0)
		fail_msg("%s: ended with %x without any failure", name, (unsigned)status);
	for (int i = 1; i <= n; i = next_point(i, n), points++) {
		status = run_child(f, in, i);
		if (is_end_of_memory(status, careless)) {
			ended++;
			continue;
		}
		if (status != 0)
			fail_msg("%s: allocation %d of %d: ended with %x", name, i, n,
				 (unsigned)status);
		if (strcmp(told->text, want) == 0)
			continue;
		if (strncmp(told->text, careless ? "error " : "error transient ",
			    careless ? 6 : 16) != 0)
			fail_msg("%s: allocation %d of %d: said\n%.300s\ninstead of\n%.300s", name,
				 i, n, told->text, want);
		errors++;
	}
	print_message("# %s: %d allocations, %d failed in turn: %d ends, %d errors\n", name, n,
		      points, ended, errors);
	free(want);
}

/* ---- inputs ---- */

static inline struct input seed(const char *dir, const char *name)
{
	char *path = mem_printf("tests/fuzz/seeds/%s/%s", dir, name);
	struct input in = { .bytes = mem_zalloc(INPUT_MOST) };
	FILE *f = fopen(path, "r");

	if (!f)
		fail_msg("there is no %s", path);
	in.len = fread(in.bytes, 1, INPUT_MOST, f);
	fclose(f);
	free(path);
	return in;
}

static inline void starve_seed(flow *f, const char *dir, const char *name)
{
	struct input in = seed(dir, name);

	starve(name, f, &in, false);
	free(in.bytes);
}

static inline int famine_open(void **state)
{
	(void)state;
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(told != MAP_FAILED);
	child_stderr = memfd_create("stderr", 0);
	return 0;
}

#endif
