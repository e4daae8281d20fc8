/* SPDX-License-Identifier: MIT */
#include "workers/salary/errand.h"

#include <string.h>
#include <time.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/asking.h"
#include "common/store/pg.h"
#include "common/store/quota.h"
#include "common/worker/run.h"
#include "workers/salary/ask.h"
#include "workers/salary/bls.h"
#include "workers/salary/errand_call.h"

#define LEASE "salary_sync"
#define LEASE_MS 120000			/* longer than one call with its waiting; renewed before each */
#define NAP_MS 100
#define NO_KEY_CALLS 20			/* BLS allows 25 a day without a key */
#define LEFT_FOR_OTHERS 5		/* a fifth */

static struct errand_tally *tally_of(struct errand *n, const char *source)
{
	for (size_t i = 0; i < n->ntally; i++)
		if (strcmp(n->tally[i].source, source) == 0)
			return &n->tally[i];
	if (n->ntally == ERRAND_SOURCES)
		return &n->tally[ERRAND_SOURCES - 1];
	snprintf(n->tally[n->ntally].source, SHELF_SOURCE_SIZE, "%s", source);
	n->tally[n->ntally].budget = -1;
	return &n->tally[n->ntally++];
}

static int count_earlier(struct errand *n, struct err *e)
{
	for (;;) {
		cJSON *saved = NULL;
		char step[32];
		int r;

		snprintf(step, sizeof step, "call:%d", n->steps + 1);
		r = run_step_begin(n->run, step, &saved, e);
		if (r <= 0)
			return r;
		n->steps++;
		n->calls++;
		tally_of(n, json_str(saved, "source", "?"))->calls++;
		tally_of(n, json_str(saved, "source", "?"))->earlier++;
		cJSON_Delete(saved);
	}
}

/* What the day's quota leaves to a sync. */
static int set_budget(struct errand *n, const char *source, struct err *e)
{
	const struct conf_source *s = conf_source(run_conf(n->run), source);
	struct errand_tally *t = tally_of(n, source);
	struct pg *pg;
	int calls = -1, r;

	if (!s)
		return 0;
	r = run_db_read(n->run, &pg, e);
	if (r >= 0)
		r = quota_share(pg, s, 0, &calls, e);
	if (r < 0)
		return r;
	if (calls >= 0 && s->daily_quota > 0)
		calls -= s->daily_quota / LEFT_FOR_OTHERS;
	if (strcmp(source, "bls") == 0 && !ask_key(n->run, source) &&
	    (calls < 0 || calls > NO_KEY_CALLS))
		calls = NO_KEY_CALLS;
	t->budget = calls < 0 && s->daily_quota <= 0 && s->monthly_quota <= 0 ? -1 :
		calls < 0 ? 0 : calls;
	return 0;
}

int errand_init(struct errand *n, struct run *run, struct shelf *shelf, int max_calls,
		int64_t since_s, struct err *e)
{
	static const char *const SOURCES[] = { "bls", "census", "fred" };
	int r = 0;

	*n = (struct errand){ .run = run, .shelf = shelf, .max_calls = max_calls,
			      .since_s = since_s };
	for (size_t i = 0; r >= 0 && i < COUNT(SOURCES); i++)
		r = set_budget(n, SOURCES[i], e);
	return r < 0 ? r : count_earlier(n, e);
}

/* Trouble of a source is no trouble of the task; trouble of ours is. */
static bool ends_task(int code)
{
	return code == -ERR_CANCELLED || code == -ERR_SOFT_LIMIT || code == -ERR_DB ||
		code == -ERR_SCHEMA || code == -ERR_INTERNAL || code == -ERR_CONFLICT;
}

static bool may_call(struct errand *n, const struct errand_tally *t)
{
	char text[160];

	if (n->calls >= n->max_calls)
		snprintf(text, sizeof text, "%s: max_calls is reached: run it again for the rest",
			 t->source);
	else if (t->budget == 0)
		snprintf(text, sizeof text, "%s: the rest of the day's calls is left to single "
			 "requests", t->source);
	else
		return true;
	shelf_set_trouble(n->shelf, t->source, -ERR_LIMITED, text);
	return false;
}

static int commit_call(struct errand *n, const struct errand_call *c, struct errand_tally *t,
		       struct err *e)
{
	cJSON *saved = mem_check(cJSON_CreateObject());
	char step[32];
	struct pg *pg;
	int r = run_db(n->run, &pg, e);

	for (size_t i = 0; r >= 0 && i < c->count; i++)
		if (c->parts[i]->text)
			r = shelf_save(pg, c->parts[i], e);
	json_set_str(saved, "source", t->source);
	snprintf(step, sizeof step, "call:%d", n->steps + 1);
	if (r >= 0)
		r = run_step_commit(n->run, step, saved, e);
	if (r >= 0)
		n->steps++;
	cJSON_Delete(saved);
	return r;
}

static int make_call(struct errand *n, struct errand_call *c, struct err *e)
{
	struct errand_tally *t = tally_of(n, c->parts[0]->source);
	char what[64];
	struct pg *pg;
	int r;

	if (!may_call(n, t))
		return 0;
	snprintf(what, sizeof what, "asking %s, call %d", t->source, t->calls + 1);
	run_progress(n->run, n->done, n->total, what);
	r = run_db_read(n->run, &pg, e);
	if (r >= 0)
		r = asking_lease(pg, LEASE, run_id(n->run), LEASE_MS, e);
	if (r < 0)
		return r;
	n->calls++;
	t->calls++;
	t->budget -= t->budget > 0;
	r = errand_call_make(n->run, c, e);
	FAULT_POINT("sync.called");
	if (r < 0 && ends_task(r))
		return r;
	if (r < 0) {
		shelf_set_trouble(n->shelf, t->source, r, e->msg);
		return 0;
	}
	return commit_call(n, c, t, e);
}

/* What costs nothing goes first and alone: it says what else to ask (the columns of a table), so
 * that all of it goes into one call. */
static int ask_all(struct errand *n, bool free_of_charge, struct err *e)
{
	struct errand_call c = { 0 };
	int r = 0, calls = 0;

	while (r >= 0 && errand_call_next(n->run, n->shelf, free_of_charge, &c)) {
		r = run_cancelled(n->run) ? run_cancel_error(n->run, e) : make_call(n, &c, e);
		errand_call_clear(&c);
		calls++;
	}
	return r < 0 ? r : calls;
}

static int wait_for_turn(struct errand *n, struct err *e)
{
	const struct timespec nap = { .tv_nsec = NAP_MS * 1000000 };
	struct pg *pg;
	int r = run_db_read(n->run, &pg, e);

	while (r >= 0 && (r = asking_lease(pg, LEASE, run_id(n->run), LEASE_MS, e)) == 0) {
		if (run_cancelled(n->run))
			return run_cancel_error(n->run, e);
		run_progress(n->run, n->done, n->total, "another sync is asking");
		nanosleep(&nap, NULL);
	}
	return r < 0 ? r : shelf_load(n->shelf, pg, n->since_s, e);
}

int errand_run(struct errand *n, struct err *e)
{
	int r = wait_for_turn(n, e);

	if (r >= 0)
		r = ask_all(n, true, e);
	if (r == 0)
		r = ask_all(n, false, e);
	return r < 0 ? r : 0;
}

void errand_end(struct errand *n)
{
	struct pg *pg;

	if (run_db_read(n->run, &pg, NULL) >= 0)
		(void)asking_release(pg, LEASE, run_id(n->run), NULL);
}

int errand_least(const struct errand *n, const char *source)
{
	int earlier = 0;

	for (size_t i = 0; i < n->ntally; i++)
		if (strcmp(n->tally[i].source, source) == 0)
			earlier = n->tally[i].earlier;
	return earlier + errand_call_least(n->run, n->shelf, source);
}
