/* SPDX-License-Identifier: MIT */
#include "workers/drill/trace.h"

#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/store/pg.h"
#include "common/worker/run.h"

enum { POLL_NS = 2000000 };

int trace_begin(struct run *run, const cJSON *args, const char *part, struct err *e)
{
	struct pg *pg;
	int64_t r = run_db_read(run, &pg, e);

	if (r >= 0)
		r = pg_run(pg,
			   "INSERT INTO jobfleet.drill_begins (run, root, part, task_id, retries, pid)"
			   " VALUES ($1, $2, $3, $4, $5, $6)",
			   PG_PARAMS(PG_TEXT(json_str(args, "run", "")),
				     PG_TEXT(json_str(args, "root", "")), PG_TEXT(part),
				     PG_TEXT(run_id(run)), PG_INT(run_retries(run)),
				     PG_INT(getpid())), NULL, e);
	return r < 0 ? (int)r : 0;
}

int trace_effect(struct run *run, const cJSON *args, const char *part, int64_t value,
		 struct err *e)
{
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);

	if (r >= 0)
		r = pg_run(pg,
			   "INSERT INTO jobfleet.drill_effects (run, root, part, value, task_id,"
			   " retries, pid) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			   PG_PARAMS(PG_TEXT(json_str(args, "run", "")),
				     PG_TEXT(json_str(args, "root", "")), PG_TEXT(part),
				     PG_INT(value), PG_TEXT(run_id(run)),
				     PG_INT(run_retries(run)), PG_INT(getpid())), NULL, e);
	return r < 0 ? (int)r : 0;
}

void trace_work(struct run *run, const cJSON *args)
{
	int64_t end = clock_mono_ms() + json_int(args, "work_ms", 0);

	while (clock_mono_ms() < end && !run_cancelled(run))
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
}
