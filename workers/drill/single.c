/* SPDX-License-Identifier: MIT */
#include "common/base/err.h"
#include "common/base/json.h"
#include "workers/drill/tasks.h"
#include "workers/drill/trace.h"

enum { PART_BYTES = 32 };

static int answer(const cJSON *args, cJSON **ret)
{
	*ret = cJSON_CreateNumber(json_num(args, "n", 1));
	return 0;
}

int single_once(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int r = trace_begin(run, args, "done", e);

	/* the work stands between effect and commit, where a kill tells most */
	if (r == 0)
		r = trace_effect(run, args, "done", json_int(args, "n", 1), e);
	if (r < 0)
		return r;
	trace_work(run, args);
	return run_cancelled(run) ? run_cancel_error(run, e) : answer(args, ret);
}

/* Long ones hold no transaction while they work: fetch first, then write. */
int single_long(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int r = trace_begin(run, args, "done", e);

	if (r < 0)
		return r;
	trace_work(run, args);
	if (run_cancelled(run))
		return run_cancel_error(run, e);
	r = trace_effect(run, args, "done", json_int(args, "n", 1), e);
	return r < 0 ? r : answer(args, ret);
}

/* Its first n attempts fail; the effect of each must be rolled back. */
int single_retried(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int64_t n = json_int(args, "n", 1);
	char part[PART_BYTES];
	int r = trace_begin(run, args, "done", e);

	if (r < 0)
		return r;
	if (run_retries(run) >= n) {
		r = trace_effect(run, args, "done", n, e);
		return r < 0 ? r : answer(args, ret);
	}
	snprintf(part, sizeof part, "attempt %d", run_retries(run));
	r = trace_effect(run, args, part, run_retries(run), e);
	return r < 0 ? r : err_set(e, ERR_AGAIN, "attempt %d of the drill", run_retries(run) + 1);
}

int single_steps(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int n = (int)json_int(args, "n", 1), r = 0;

	for (int i = 1; i <= n && r >= 0; i++) {
		char part[PART_BYTES];

		snprintf(part, sizeof part, "step %d", i);
		r = run_step_begin(run, part, NULL, e);
		if (r != 0)
			continue;
		r = trace_begin(run, args, part, e);
		trace_work(run, args);
		if (r == 0)
			r = trace_effect(run, args, part, i, e);
		if (r == 0)
			r = run_step_commit(run, part, NULL, e);
	}
	return r < 0 ? r : answer(args, ret);
}
