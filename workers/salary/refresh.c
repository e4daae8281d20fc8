/* SPDX-License-Identifier: MIT */
#include "workers/salary/refresh.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/asking.h"
#include "common/store/pg.h"
#include "common/store/quota.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/cache.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/candidates.h"
#include "workers/salary/fetch.h"
#include "workers/salary/keys.h"
#include "workers/salary/reads.h"

#define DEFAULT_REFRESHES 25
#define MAX_REFRESHES 500
#define DEFAULT_CALLS 100
#define MAX_CALLS 10000
#define TURN_MS 600000			/* so long nobody else refreshes what this task took up */
#define LEAST_LEFT_MS 45000		/* an answer takes no longer while sources are slow */

static const char *const SOURCES[] = { "bls", "census", "fred" };

struct refresh {
	struct run *run;
	struct pg *pg;
	cJSON *warnings;
	int64_t max_calls, calls;
	int64_t used[COUNT(SOURCES)];		/* by the quota, as of the last look */
	int64_t spent[COUNT(SOURCES)], share[COUNT(SOURCES)];	/* share: -1 = no bound */
	size_t refreshed, failed, fresh;
};

static void warn(struct refresh *f, char *owned)
{
	cJSON_AddItemToArray(f->warnings, mem_check(cJSON_CreateString(owned)));
	free(owned);
}

/* ---- the budget ---- */

static const char SQL_USED[] =
	"SELECT coalesce((SELECT used FROM jobfleet.provider_quota q WHERE q.source = s.name"
	" AND q.period = 'day' AND q.resets_at > now()), 0)"
	" FROM unnest(ARRAY['bls', 'census', 'fred']) WITH ORDINALITY AS s (name, n) ORDER BY n";

static int look_at_quotas(struct refresh *f, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(f->pg, SQL_USED, NULL, 0, &rows, e);

	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows) && i < COUNT(SOURCES); i++) {
		int64_t used = pg_int(rows, i, 0), more = used - f->used[i];

		/* a day that ended meanwhile counts anew */
		f->spent[i] += more > 0 ? more : 0;
		f->calls += more > 0 ? more : 0;
		f->used[i] = used;
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

static int open_budget(struct refresh *f, struct err *e)
{
	int r = look_at_quotas(f, e);

	f->calls = 0;
	for (size_t i = 0; r >= 0 && i < COUNT(SOURCES); i++) {
		const struct conf_source *s = conf_source(run_conf(f->run), SOURCES[i]);
		int share = -1;

		f->spent[i] = 0;
		if (s && s->enabled)
			r = quota_share(f->pg, s, 0, &share, e);
		f->share[i] = share;
	}
	return r;
}

/* Why no further answer may be asked for, or NULL; owned. */
static char *exhausted(const struct refresh *f)
{
	if (f->calls >= f->max_calls)
		return mem_printf("max_calls is reached: %lld calls", (long long)f->calls);
	for (size_t i = 0; i < COUNT(SOURCES); i++)
		if (f->share[i] >= 0 && f->spent[i] >= f->share[i])
			return mem_printf(
				"%s: the rest of the day's calls is left to single answers",
				SOURCES[i]);
	if (run_left_ms(f->run) < LEAST_LEFT_MS)
		return mem_strdup("the time is over: run it again for the rest");
	return NULL;
}

/* ---- one answer ---- */

/* The meta of a document names the request by request_data's own members. */
static int request_of(const cJSON *meta, struct request *ret, struct err *e)
{
	static const char *const KEPT[] = { "location", "occupation", "industry",
					    "experience_level", "education_level" };
	cJSON *o = mem_check(cJSON_CreateObject());
	int year = (int)json_int(meta, "year", 0), r;

	for (size_t i = 0; i < COUNT(KEPT); i++)
		json_set_str(o, KEPT[i], json_str(meta, KEPT[i], ""));
	json_set_str(o, "cache_strategy", json_str(meta, "strategy", "standard"));
	if (year > 0)
		json_set_num(o, "year", year);
	r = request_read(o, ret, e);
	cJSON_Delete(o);
	return r;
}

/* From the tracking row, which outlives a flush of Redis; an entry without one speaks for itself.
 * */
static int read_meta(struct refresh *f, const char *key, cJSON **ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct redis *redis;
	struct cache_doc d;
	cJSON *meta = NULL;
	int64_t r = pg_run(f->pg, "SELECT metadata FROM salary_data_cache WHERE cache_key = $1",
			   PG_PARAMS(PG_TEXT(key)), &rows, e);

	if (r > 0)
		(void)json_parse(pg_text(rows, 0, 0), strlen(pg_text(rows, 0, 0)), &meta, NULL);
	pg_rows_free(rows);
	if (r >= 0 && !*json_str(meta, "location", "") && run_redis(f->run, &redis, NULL) == 0 &&
	    cache_get(redis, key, clock_wall_ms() / 1000, -1, &d, NULL) > 0) {
		cJSON_Delete(meta);
		meta = d.meta;
		d.meta = NULL;
		cache_doc_release(&d);
	}
	*ret = meta;
	return r < 0 ? (int)r : 0;
}

static int ask_again(struct refresh *f, const char *key, const char *step, bool *ret_better,
		     struct err *e)
{
	cJSON *meta = NULL;
	struct request r;
	bool fallback = false;
	int code = read_meta(f, key, &meta, e);

	if (code >= 0)
		code = request_of(meta, &r, e);
	cJSON_Delete(meta);
	if (code < 0)
		return code;
	code = fetch_refresh(f->run, &r, step, &fallback, e);
	request_release(&r);
	*ret_better = code >= 0 && !fallback;
	if (code >= 0 && fallback)
		warn(f, mem_printf("%s was not refreshed: its sources did not answer", key));
	return code;
}

/* These are about this one answer; anything else ends the task. */
static bool is_own_trouble(int code)
{
	return code == -ERR_INVALID || code == -ERR_NOT_FOUND || code == -ERR_LIMITED ||
		code == -ERR_TOO_BIG || code == -ERR_PROTOCOL;
}

static int take_turn(struct refresh *f, const char *key, const char *step, struct err *e)
{
	char question[CACHEKEY_SIZE + 16];
	bool better = false;
	int r, released;

	snprintf(question, sizeof question, "refresh:%s", key);
	r = asking_lease(f->pg, question, run_id(f->run), TURN_MS, e);
	if (r < 0)
		return r;
	if (r == 0) {
		f->fresh++;
		return 0;
	}
	r = ask_again(f, key, step, &better, e);
	if (is_own_trouble(r)) {
		warn(f, mem_printf("%s was not refreshed: %s", key, e->msg));
		r = 0;
	}
	f->refreshed += r >= 0 && better;
	f->failed += r >= 0 && !better;
	released = r < 0 || better ? 0 : asking_release(f->pg, question, run_id(f->run), e);
	return r < 0 ? r : released;
}

static int refresh_one(struct refresh *f, const char *key, struct err *e)
{
	char id[UUID_SIZE], step[UUID_SIZE + 16];
	int r;

	uuid_v5(key, strlen(key), id);
	snprintf(step, sizeof step, "refresh:%s", id);
	r = run_step_begin(f->run, step, NULL, e);
	if (r < 0)
		return r;
	if (r == 0)
		return take_turn(f, key, step, e);
	f->refreshed++;
	return 0;
}

static int refresh_all(struct refresh *f, const struct candidates *c, size_t most, size_t *ret_done,
		       struct err *e)
{
	size_t todo = c->count < most ? c->count : most, i;
	int r = open_budget(f, e);

	for (i = 0; r >= 0 && i < c->count && f->refreshed + f->failed < most; i++) {
		char *why = exhausted(f);

		if (why) {
			warn(f, why);
			break;
		}
		run_progress(f->run, (int64_t)(f->refreshed + f->failed), (int64_t)todo,
			     c->items[i].key);
		r = refresh_one(f, c->items[i].key, e);
		if (r >= 0)
			r = look_at_quotas(f, e);
	}
	*ret_done = i;
	return r;
}

/* ---- the task ---- */

/* How popular an answer is shows once its reads are in the table; where they are not, its age is
 * still known. */
static struct redis *open_redis(struct refresh *f)
{
	struct redis *redis = NULL;
	struct err e;
	int r = run_redis(f->run, &redis, &e);

	while (r >= 0 && (r = reads_flush(f->pg, redis, run_conf(f->run), &e)) > 0)
		;
	if (r < 0)
		log_warn("reads are not moved: %s", e.msg);
	return redis && redis_is_alive(redis) ? redis : NULL;
}

static void report(const struct refresh *f, const struct candidates *c, size_t done, cJSON *o)
{
	json_set_str(o, "found_in", c->from_tables ? "tables" : "redis");
	json_set_num(o, "keys_found", (double)c->found);
	json_set_num(o, "refreshed", (double)f->refreshed);
	json_set_num(o, "failed", (double)f->failed);
	json_set_num(o, "skipped_fresh", (double)f->fresh);
	json_set_num(o, "remaining", (double)(c->found - done));
	json_set_num(o, "calls", (double)f->calls);
}

static int refresh(struct refresh *f, const char *pattern, size_t most, cJSON *result,
		   struct err *e)
{
	struct candidates c = { 0 };
	size_t done = 0;
	int r = run_db_read(f->run, &f->pg, e);

	if (r >= 0)
		r = candidates_find(f->pg, open_redis(f), pattern, clock_wall_ms() / 1000, &c, e);
	if (r >= 0)
		r = refresh_all(f, &c, most, &done, e);
	if (r >= 0)
		report(f, &c, done, result);
	candidates_release(&c);
	return r;
}

static int read_bound(const cJSON *args, const char *name, int64_t otherwise, int64_t most,
		      int64_t *ret, struct err *e)
{
	*ret = json_get(args, name) ? json_int(args, name, -1) : otherwise;
	if (*ret < 1 || *ret > most)
		return err_set(e, ERR_INVALID, "%s must be a whole number from 1 to %lld", name,
			       (long long)most);
	return 0;
}

int refresh_salary_cache(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const char *pattern = json_str(args, "cache_pattern", CACHEKEY_SALARY ":*");
	struct refresh f = { .run = run };
	int64_t most, start = clock_mono_us();
	cJSON *result;
	int r = read_bound(args, "max_refreshes", DEFAULT_REFRESHES, MAX_REFRESHES, &most, e);

	if (r >= 0)
		r = read_bound(args, "max_calls", DEFAULT_CALLS, MAX_CALLS, &f.max_calls, e);
	if (r >= 0)
		r = keys_check_pattern(pattern, e);
	if (r < 0)
		return r;
	f.warnings = mem_check(cJSON_CreateArray());
	result = mem_check(cJSON_CreateObject());
	json_set_str(result, "status", "success");
	json_set_str(result, "pattern", pattern);
	r = refresh(&f, pattern, (size_t)most, result, e);
	json_set_num(result, "processing_time_ms", (double)((clock_mono_us() - start) / 1000));
	json_set(result, "warnings", f.warnings);
	if (r < 0)
		cJSON_Delete(result);
	else
		*ret_result = result;
	return r < 0 ? r : 0;
}
