/* SPDX-License-Identifier: MIT */
/* meter: what the bench's own programs share: bodies of a size, and the line in which they tell
 * tests/bench/run what they measured. */
#ifndef TESTS_BENCH_METER_H
#define TESTS_BENCH_METER_H

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

/* n messages since from_us (clock_mono_us); CPU is that of the whole process, start included. */
static inline void meter_print(int n, int64_t from_us)
{
	double seconds = (double)(clock_mono_us() - from_us) / 1e6, cpu;
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	      (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
	printf("{\"n\": %d, \"seconds\": %.4f, \"cpu_us\": %.2f}\n", n, seconds, cpu / n);
}

/* Arguments whose JSON has about so many bytes, "[]" for 0; the caller frees them. */
static inline char *meter_args(int bytes)
{
	char *args;

	if (bytes <= 0)
		return mem_strdup("[]");
	args = mem_alloc((size_t)bytes + 5);
	memset(args, 'x', (size_t)bytes + 4);
	memcpy(args, "[\"", 2);
	memcpy(args + bytes + 2, "\"]", 3);
	return args;
}

#endif
