/* SPDX-License-Identifier: MIT */
/* Any bytes as a queues.conf: the input is the file. What is refused is told with its place; what
 * is taken can be printed, and its schedules made. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/proviso.h"
#include "common/base/schedule.h"
#include "tests/fuzz/fuzz.h"

#define NOW_US INT64_C(1795262400000000)	/* 2026-11-21 12:00 UTC */

static void check_schedules(const struct conf *c)
{
	for (size_t i = 0; i < c->nschedules; i++) {
		struct schedule s;
		struct err e = { 0 };

		if (schedule_init(&s, &c->schedules[i], &e) < 0) {
			fuzz_want(e.msg[0], "a schedule that is refused has a reason");
			continue;
		}
		if (schedule_is_timed(&s))
			fuzz_want(schedule_next(&s, NOW_US) > NOW_US, "what comes next is later");
		schedule_release(&s);
	}
}

static void check(const struct conf *c)
{
	static FILE *null;

	if (!null)
		null = fopen("/dev/null", "w");
	conf_print(c, null);
	check_schedules(c);
	for (size_t i = 0; i < c->nqueues; i++)
		fuzz_want(conf_queue(c, c->queues[i].name) == &c->queues[i], "a queue is found");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("queues.conf", 0);
	struct conf *conf = NULL;
	struct err e = { 0 };
	char path[64];

	fuzz_want(write(fd, data, size) == (ssize_t)size, "a file holds its bytes");
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (conf_load(&conf, path, &e) < 0) {
		fuzz_want(e.msg[0] && *conf_errors(), "what is refused has a reason");
	} else {
		check(conf);
		conf_close(conf);
	}
	close(fd);
	return 0;
}
