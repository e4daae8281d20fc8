/* SPDX-License-Identifier: MIT */
/* worker: the whole of a worker program behind one call.
 *
 *	int main(int argc, char **argv)
 *	{
 *		return worker_main(argc, argv, "collection", TASKS, COUNT(TASKS));
 *	}
 *
 * Options (all programs): --queues=A,B (some of its own), --concurrency=MIN,MAX, --loglevel=,
 * --hostname=NAME (node name, default <program>@<host>), --config=FILE, --run NAME [ARGS-JSON],
 * --help, --version. Exit codes: 0 done, 100 usage or configuration (do not restart), 111 try
 * again later (the schema is older than this program, or the zygote died). Signals: SIGTERM drains,
 * a second one or SIGQUIT gives unfinished work back and leaves, SIGHUP reloads queues.conf (a bad
 * file changes nothing).
 *
 * Parent, zygote, keeper and children have one thread each, as the dispatcher has: nothing here
 * starts one. One library does: libcurl, while a child that fetches looks up a host by its name
 * (not by an address); that thread runs getaddrinfo() on copies of its own. So a handler may keep
 * static data. */
#ifndef COMMON_WORKER_WORKER_H
#define COMMON_WORKER_WORKER_H

#include <stddef.h>

#include "common/base/mem.h"
#include "common/worker/run.h"

int worker_main(int argc, char **argv, const char *program, const struct task *tasks,
		size_t ntasks);

#endif
