/* SPDX-License-Identifier: MIT */
/* echo: a worker program of the tests, shaped like one under workers/, with its own queue. Its
 * tasks do what scenarios and benches need: nothing, something exactly once, or something bad. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/store/pg.h"
#include "common/worker/worker.h"
#include "tests/workers/echo/canvas.h"

static int noop(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)args;
	(void)ret;
	(void)e;
	return 0;
}

static int add(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)e;
	*ret = cJSON_CreateNumber(json_num(args, "x", 0) + json_num(args, "y", 0));
	return 0;
}

static void wait_ms(struct run *run, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (clock_mono_ms() < end && !run_cancelled(run)) {
		struct timespec ts = { .tv_nsec = 5000000 };

		nanosleep(&ts, NULL);
	}
}

static int pause_for(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	wait_ms(run, (int64_t)(json_num(args, "seconds", 0) * 1000));
	if (run_cancelled(run))
		return run_cancel_error(run, e);
	*ret = cJSON_CreateString("slept");
	return 0;
}

/* One effect row: append-only, no unique key, counted from outside. */
static int mark(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);

	if (r >= 0)
		r = pg_run(pg,
			   "INSERT INTO public.effects (task_id, pid, note) VALUES ($1, $2, $3)",
			   PG_PARAMS(PG_TEXT(run_id(run)), PG_INT(getpid()),
				     PG_TEXT(json_str(args, "note", ""))),
			   NULL, e);
	if (r < 0)
		return (int)r;
	wait_ms(run, (int64_t)json_num(args, "work_ms", 0));
	*ret = cJSON_CreateString(run_id(run));
	return 0;
}

/* An effect, and n follow-ups that each leave one. */
static int mark_and_spawn(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int n = (int)json_num(args, "n", 1), r = mark(run, args, ret, e);

	for (int i = 0; i < n && r >= 0; i++) {
		struct run_enqueue what = { .task = "echo.mark", .kwargs = "{\"note\": \"child\"}",
					    .priority = -1 };

		r = run_enqueue(run, &what, NULL, e);
	}
	return r;
}

/* Steps 1 to n, each an effect of its own; it dies after `die_after` on its first run. */
static int mark_steps(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int n = (int)json_num(args, "n", 3), r = 0;

	for (int i = 1; i <= n && r >= 0; i++) {
		char name[32];
		struct pg *pg;

		snprintf(name, sizeof name, "step %d", i);
		r = run_step_begin(run, name, NULL, e);
		if (r != 0)
			continue;
		wait_ms(run, (int64_t)json_num(args, "work_ms", 0));
		r = run_db(run, &pg, e);
		if (r >= 0)
			r = (int)pg_run(pg, "INSERT INTO public.effects (task_id, pid, note)"
					" VALUES ($1, $2, $3)",
					PG_PARAMS(PG_TEXT(run_id(run)), PG_INT(getpid()),
						  PG_TEXT(name)), NULL, e);
		if (r >= 0)
			r = run_step_commit(run, name, NULL, e);
		run_progress(run, i, n, name);
	}
	*ret = cJSON_CreateNumber(n);
	return r < 0 ? r : 0;
}

static int fail(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int until = (int)json_num(args, "until", 1000);

	if (run_retries(run) >= until) {
		*ret = cJSON_CreateNumber(run_retries(run));
		return 0;
	}
	if (json_bool(args, "transient", false))
		return err_set(e, ERR_AGAIN, "attempt %d of the test fails", run_retries(run) + 1);
	err_set(e, ERR_INVALID, "%s", json_str(args, "text", "boom"));
	snprintf(e->exc_type, sizeof e->exc_type, "%s", json_str(args, "exc_type", ""));
	return -ERR_INVALID;
}

static int crash(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)ret;
	(void)e;
	kill(getpid(), (int)json_num(args, "signal", SIGKILL));
	return 0;
}

/* Ignores its soft limit, so that only the hard one ends it. */
static int stubborn(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int64_t end = clock_mono_ms() + (int64_t)(json_num(args, "seconds", 60) * 1000);

	(void)run;
	(void)ret;
	(void)e;
	while (clock_mono_ms() < end) {
		struct timespec ts = { .tv_nsec = 5000000 };

		nanosleep(&ts, NULL);
	}
	return 0;
}

/* Keeps what it takes. */
static int swell(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	size_t n = (size_t)json_num(args, "mib", 1) << 20;

	(void)run;
	(void)e;
	memset(mem_alloc(n), 1, n);
	*ret = cJSON_CreateNumber(getpid());
	return 0;
}

static int sum(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const cJSON *item;
	double total = 0;

	(void)run;
	(void)e;
	cJSON_ArrayForEach(item, json_get(args, "numbers"))
		total += item->valuedouble;
	*ret = cJSON_CreateNumber(total);
	return 0;
}

/* When it began: seconds since the epoch. */
static int stamp(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	*ret = cJSON_CreateNumber((double)clock_wall_us() / 1e6);
	(void)e;
	wait_ms(run, (int64_t)json_num(args, "work_ms", 0));
	return 0;
}

static int echo(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)e;
	*ret = cJSON_Duplicate(args, true);
	return 0;
}

static const struct task TASKS[] = {
	{ "echo.noop", PARAMS("*"), noop, .no_ledger = true },
	{ "echo.noop_ledger", PARAMS("*"), noop },
	{ "echo.add", PARAMS("x", "y"), add },
	{ "echo.loose", PARAMS("x", "y"), add, .no_ledger = true },
	{ "echo.headers", PARAMS("value?", "*"), canvas_headers },
	{ "echo.errback", PARAMS("request", "exc", "traceback"), canvas_errback },
	{ "echo.keep", PARAMS("value?"), canvas_keep },
	{ "echo.identity", PARAMS("value?"), canvas_identity },
	{ "echo.apply", PARAMS("signature"), canvas_apply },
	{ "echo.replace", PARAMS("signature"), canvas_replace },
	{ "echo.build", PARAMS("shape", "n?=3", "replace?=false"), canvas_build },
	{ "echo.link", PARAMS("signature", "ids"), canvas_link },
	{ "echo.odd", PARAMS("how"), canvas_odd },
	{ "echo.requeue", PARAMS("key"), canvas_requeue },
	{ "echo.retry_headers", PARAMS("value?"), canvas_retry_headers, .retry_backoff_ms = 50 },
	{ "echo.ignore", PARAMS("value?"), canvas_ignore },
	{ "echo.reject", PARAMS("requeue?=false"), canvas_reject },
	{ "echo.sleep", PARAMS("seconds"), pause_for },
	{ "echo.mark", PARAMS("note?", "work_ms?=0"), mark },
	{ "echo.mark_loose", PARAMS("note?", "work_ms?=0"), mark, .no_ledger = true },
	{ "echo.limited", PARAMS("note?", "work_ms?=0"), mark },
	{ "echo.keyed", PARAMS("key", "note?", "work_ms?=0"), mark },
	{ "echo.mark_and_spawn", PARAMS("n?=1", "note?"), mark_and_spawn },
	{ "echo.mark_steps", PARAMS("n?=3", "work_ms?=0"), mark_steps },
	{ "echo.fail", PARAMS("text?", "transient?=false", "until?=1000", "exc_type?"), fail,
	  .max_retries = 2, .retry_backoff_ms = 100, .retry_backoff_max_ms = 200 },
	{ "echo.crash", PARAMS("signal?=9"), crash },
	{ "echo.stubborn", PARAMS("seconds?=60"), stubborn },
	{ "echo.sum", PARAMS("numbers:list"), sum },
	{ "echo.add_loose", PARAMS("x", "y"), add, .no_ledger = true },
	{ "echo.sum_loose", PARAMS("numbers:list"), sum, .no_ledger = true },
	{ "echo.stamp", PARAMS("work_ms:number?=0"), stamp, .no_ledger = true },
	{ "echo.swell", PARAMS("mib"), swell },
	{ "echo.echo", PARAMS("*"), echo },
	{ "echo.once", PARAMS("seconds?=60"), stubborn, .no_redeliver = true },
};

int main(int argc, char **argv)
{
	return worker_main(argc, argv, "echo", TASKS, COUNT(TASKS));
}
