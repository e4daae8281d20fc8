/* SPDX-License-Identifier: MIT */
/* This host: the data directory, the spool in it, limits. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/spool.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/doctor.h"

#define AREA "host"

enum { FREE_WARN_PERCENT = 10, FILES_EACH_CHILD = 4, FILES_BASE = 64 };

static void check_dir(struct checkup *k, const char *dir)
{
	struct statvfs fs;
	int percent;

	if (access(dir, W_OK | X_OK) < 0) {
		checkup_add(k, AREA, "data_dir", errno == ENOENT ? CHECKUP_OK : CHECKUP_FAIL,
			    errno == ENOENT ? NULL : "Raw responses and spooled enqueues have no"
						     " place: give the fleet's user the right.",
			    "%s: %s", dir,
			    errno == ENOENT ? "not made yet, the first need makes it"
					    : strerror(errno));
		return;
	}
	checkup_add(k, AREA, "data_dir", CHECKUP_OK, NULL, "%s is writable", dir);
	if (statvfs(dir, &fs) < 0 || fs.f_blocks == 0)
		return;
	percent = (int)(100 * fs.f_bavail / fs.f_blocks);
	checkup_add(k, AREA, "disk", percent < FREE_WARN_PERCENT ? CHECKUP_WARN : CHECKUP_OK,
		    percent < FREE_WARN_PERCENT ? "Make room." : NULL,
		    "%d %% of data_dir's file system is free", percent);
}

static void check_spool(struct checkup *k, const char *dir)
{
	int64_t entries = 0, bytes = 0;
	struct err e = { 0 };
	int broken;

	if (spool_size(dir, &entries, &bytes, &e) < 0) {
		checkup_add(k, AREA, "spool", CHECKUP_UNKNOWN, NULL, "%s", e.msg);
		return;
	}
	checkup_add(k, AREA, "spool", entries > 0 ? CHECKUP_WARN : CHECKUP_OK,
		    entries > 0 ? "Enqueued while RabbitMQ was away: a dispatcher on this host, or"
				  " the next jobfleet enqueue here, sends them." : NULL,
		    "%lld tasks wait, %lld bytes", (long long)entries, (long long)bytes);
	broken = spool_broken(dir);
	if (broken > 0)
		checkup_add(k, AREA, "spool", CHECKUP_WARN,
			    "data_dir/spool/*.broken: cut off by a crash; look into them, then"
			    " delete them.", "%d damaged files are set aside", broken);
}

/* The limit is this shell's; systemd's units have their own (LimitNOFILE). */
static void check_files(struct checkup *k, const struct conf *conf)
{
	struct rlimit limit;
	int64_t children = 0, need;
	bool few;

	for (size_t i = 0; i < conf->nqueues; i++) {
		if (conf->queues[i].concurrency_max > children)
			children = conf->queues[i].concurrency_max;
	}
	need = FILES_BASE + FILES_EACH_CHILD * children;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	few = limit.rlim_cur != RLIM_INFINITY && (int64_t)limit.rlim_cur < need;
	checkup_add(k, AREA, "open files", few ? CHECKUP_FAIL : CHECKUP_OK,
		    few ? "ulimit -n, or LimitNOFILE= in the unit" : NULL,
		    "%lld here; a program with %lld children needs about %lld",
		    (long long)limit.rlim_cur, (long long)children, (long long)need);
}

void doctor_host(struct checkup *k, struct ctl *c)
{
	check_dir(k, c->conf->fleet.data_dir);
	check_spool(k, c->conf->fleet.data_dir);
	check_files(k, c->conf);
}
