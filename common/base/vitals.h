/* SPDX-License-Identifier: MIT */
/* vitals: memory and processor time of processes, from /proc (proc(5): stat, status). */
#ifndef COMMON_BASE_VITALS_H
#define COMMON_BASE_VITALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

struct vitals {
	int n;				/* processes added */
	int64_t rss_kib;		/* resident now, summed; pages that they share count in each */
	int64_t peak_kib;		/* the largest that one of them has ever been */
	double cpu_s;			/* user and system, summed */
};

/* Adds one process; one that is gone adds nothing. ended: with the time of the children it has
 * waited for. */
void vitals_add(struct vitals *v, pid_t pid, bool ended);

/* "name": {"n", "rss_kib", "peak_kib", "cpu_s"} */
void vitals_put(struct buf *out, const char *name, const struct vitals *v);

/* The host: what could be given to programs, and all there is; 0 = not known (a unit with
 * ProcSubset=pid has no /proc/meminfo). */
struct vitals_host {
	int64_t memory_free_kib, memory_kib;	/* MemAvailable, MemTotal */
	double load;			/* of the last minute, for each processor */
};
void vitals_host(struct vitals_host *ret);

#endif
