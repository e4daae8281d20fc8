/* SPDX-License-Identifier: MIT */
/* Tasks with effects: what a test counts to know that a task happened once, never twice. */
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "tests/workers/conformance/tasks.h"

enum { POLL_NS = 2000000 };

static void work(struct run *run, const cJSON *args)
{
	int64_t end = clock_mono_ms() + json_int(args, "work_ms", 0);

	while (clock_mono_ms() < end && !run_cancelled(run))
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
}

static int put_row(struct run *run, const char *note, struct err *e)
{
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);

	if (r >= 0)
		r = pg_run(pg,
			   "INSERT INTO public.effects (task_id, pid, note) VALUES ($1, $2, $3)",
			   PG_PARAMS(PG_TEXT(run_id(run)), PG_INT(getpid()), PG_TEXT(note)), NULL,
			   e);
	return r < 0 ? (int)r : 0;
}

/* A row of a table without any key: the transaction makes it single. */
int marks_database(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int r = put_row(run, json_str(args, "note", ""), e);

	if (r < 0)
		return r;
	work(run, args);
	*ret = cJSON_CreateString(run_id(run));
	return 0;
}

/* An errback of the old style gets the id of the task that failed, one of the new style its
 * request, exception and traceback (celery-wire 3.5): Celery tells by the number of parameters. */
int marks_errback(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	const cJSON *request = json_get(args, "request");
	char note[128];

	if (request)
		snprintf(note, sizeof note, "new %s", json_str(request, "id", "?"));
	else
		snprintf(note, sizeof note, "old %s", json_str(args, "failed_id", "?"));
	*ret = request ? cJSON_Duplicate(args, true) : NULL;
	return put_row(run, note, e);
}

/* Redis has no part in the commit, so the key that is the same in every repeat makes it single. */
int marks_redis(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	static const char ONCE[] = "if redis.call('SET', KEYS[1], '1', 'NX', 'EX', '86400') then"
				   " redis.call('INCR', KEYS[2]) end"
				   " return tonumber(redis.call('GET', KEYS[2]) or '0')";
	char once[96], counter[64];
	const char *words[] = { once, counter };
	size_t lens[2];
	struct redis_reply *reply;
	struct redis *redis;
	int r = run_redis(run, &redis, e);

	if (r < 0)
		return r;
	lens[0] = (size_t)snprintf(once, sizeof once, "conformance:once:%s",
				   run_idempotency_key(run, "mark"));
	lens[1] = (size_t)snprintf(counter, sizeof counter, "conformance:marks:%s",
				   json_str(args, "note", ""));
	r = redis_eval(redis, ONCE, 2, words, lens, 2, &reply, e);
	if (r < 0)
		return r;
	*ret = cJSON_CreateNumber((double)reply->integer);
	redis_reply_free(reply);
	work(run, args);
	return 0;
}

/* Parts that a repeat skips, each with a row of its own. */
int marks_steps(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int n = (int)json_int(args, "n", 3), r = 0;

	for (int i = 1; i <= n && r >= 0; i++) {
		char name[32];

		snprintf(name, sizeof name, "step %d", i);
		r = run_step_begin(run, name, NULL, e);
		if (r != 0)
			continue;
		work(run, args);
		r = put_row(run, name, e);
		if (r >= 0)
			r = run_step_commit(run, name, NULL, e);
	}
	*ret = cJSON_CreateNumber(n);
	return r < 0 ? r : 0;
}

/* A row, and n tasks that each leave one: they are there if and only if the row is. */
int marks_spawn(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int n = (int)json_int(args, "n", 1), r = marks_database(run, args, ret, e);

	for (int i = 0; i < n && r >= 0; i++) {
		struct run_enqueue what = { .task = "t.mark", .kwargs = "{\"note\": \"child\"}",
					    .priority = -1 };

		r = run_enqueue(run, &what, NULL, e);
	}
	return r;
}
