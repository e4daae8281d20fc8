/* SPDX-License-Identifier: MIT */
#include "common/base/vitals.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/base/buf.h"

enum { FILE_BYTES = 4096, CPU_FIELDS_AT = 12 };	/* utime is the 12th word behind the name */

/* The beginning of a file of /proc as text; "" = there is none. */
static const char *slurp(const char *path, char out[FILE_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, FILE_BYTES - 1) : -1;

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	return out;
}

/* The number behind a line's word, "VmHWM:\t    1234 kB"; 0 = not there. */
static int64_t number_of(const char *text, const char *word)
{
	const char *at = strstr(text, word);
	long long n = 0;

	return at && sscanf(at + strlen(word), "%lld", &n) == 1 ? n : 0;
}

static double cpu_s(const char *stat, bool ended)
{
	const char *at = strrchr(stat, ')');	/* the name before it may hold anything */
	long long times[4] = { 0 }, ticks;
	long hz = sysconf(_SC_CLK_TCK);

	for (int i = 0; at && i < CPU_FIELDS_AT; i++)
		at = strchr(at + 1, ' ');
	if (!at ||
	    sscanf(at, "%lld %lld %lld %lld", &times[0], &times[1], &times[2], &times[3]) != 4)
		return 0;
	ticks = times[0] + times[1] + (ended ? times[2] + times[3] : 0);
	return hz > 0 ? (double)ticks / (double)hz : 0;
}

void vitals_add(struct vitals *v, pid_t pid, bool ended)
{
	char path[64], text[FILE_BYTES];
	int64_t peak;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (pid <= 0 || !*slurp(path, text))
		return;
	v->n++;
	v->cpu_s += cpu_s(text, ended);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	slurp(path, text);
	v->rss_kib += number_of(text, "VmRSS:");
	peak = number_of(text, "VmHWM:");
	if (peak > v->peak_kib)
		v->peak_kib = peak;
}

void vitals_put(struct buf *out, const char *name, const struct vitals *v)
{
	buf_printf(out, "\"%s\": {\"n\": %d, \"rss_kib\": %lld, \"peak_kib\": %lld, \"cpu_s\": "
		   "%.2f}", name, v->n, (long long)v->rss_kib, (long long)v->peak_kib, v->cpu_s);
}

void vitals_host(struct vitals_host *ret)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	char text[FILE_BYTES];
	struct sysinfo info;

	slurp("/proc/meminfo", text);
	ret->memory_free_kib = number_of(text, "MemAvailable:");
	ret->memory_kib = number_of(text, "MemTotal:");
	ret->load = sysinfo(&info) == 0 && processors > 0 ?
		(double)info.loads[0] / (1 << SI_LOAD_SHIFT) / (double)processors : 0;
}
