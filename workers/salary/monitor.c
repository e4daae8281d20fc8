/* SPDX-License-Identifier: MIT */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/cache.h"
#include "workers/salary/upkeep.h"

#define HIT_RATE_AIM 70.0
#define READS_TO_JUDGE 100
#define MAX_TIMES 1000

static const char SQL_ADD_HITS[] =
	"UPDATE salary_data_cache c SET cache_hits = c.cache_hits + h.hits::int,"
	" hit_rate = round(100.0 * (c.cache_hits + h.hits::int)"
	" / greatest(1, c.cache_hits + h.hits::int + c.cache_misses), 2)"
	" FROM jsonb_each_text($1::jsonb) AS h (cache_key, hits) WHERE c.cache_key = h.cache_key";
static const char SQL_TOTALS[] =
	"SELECT data_type, sum(cache_hits), sum(cache_misses), count(*) FILTER (WHERE is_active AND"
	" expires_at > now()), count(*) FILTER (WHERE NOT is_active OR expires_at <= now())"
	" FROM salary_data_cache GROUP BY data_type ORDER BY data_type";
/* Rates are judged on answers, which salary_data stands for: market_data is read along with it. */
#define JUDGED "salary_data"

/* The counters leave Redis under another name first: what is counted meanwhile starts anew, and a
 * run that fails finds them there and takes them up. */
static const char TAKE_HITS[] =
	"if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then"
	" redis.call('RENAME', KEYS[1], KEYS[2]) end return redis.call('HGETALL', KEYS[2])";

static int take_hits(struct redis *redis, const char *prefix, cJSON *ret_hits, struct err *e)
{
	char hits[CACHE_COUNTER_SIZE], taken[CACHE_COUNTER_SIZE];
	const char *words[] = { hits, taken };
	struct redis_reply *reply = NULL;
	int r;

	cache_counter_key(CACHE_HITS, prefix, hits);
	cache_counter_key(CACHE_HITS_TAKEN, prefix, taken);
	r = redis_eval(redis, TAKE_HITS, 2, words, (const size_t[]){ strlen(hits), strlen(taken) },
		       2, &reply, e);

	for (size_t i = 0; r >= 0 && reply->type == REDIS_ARRAY && i + 1 < reply->nitems; i += 2)
		if (reply->items[i]->type == REDIS_STRING &&
		    reply->items[i + 1]->type == REDIS_STRING)
			mem_check(cJSON_AddStringToObject(ret_hits, reply->items[i]->str,
							  reply->items[i + 1]->str));
	redis_reply_free(reply);
	return r;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void put_percentile(cJSON *o, const char *name, const double *ms, size_t n, double share)
{
	json_set_num(o, name, ms[(size_t)(share * (double)(n - 1) + 0.5)]);
}

static void put_times(struct redis *redis, const char *prefix, cJSON *result)
{
	char key[CACHE_COUNTER_SIZE];
	cJSON *o = mem_check(cJSON_CreateObject());
	double ms[MAX_TIMES] = { 0 };
	struct redis_reply *reply = NULL;
	struct err e;
	size_t n = 0;

	cache_counter_key(CACHE_TIMES_US, prefix, key);
	if (redis && redis_cmd(redis, &reply, &e, "LRANGE", key, "0", "-1", NULL) >= 0 &&
	    reply->type == REDIS_ARRAY)
		for (size_t i = 0; i < reply->nitems && n < MAX_TIMES; i++)
			if (reply->items[i]->type == REDIS_STRING &&
			    scan_double(reply->items[i]->str, 0, 1e12, &ms[n], NULL) == 0)
				ms[n++] /= 1000;
	redis_reply_free(reply);
	qsort(ms, n, sizeof *ms, by_size);
	json_set_num(o, "samples", (double)n);
	if (n > 0) {
		put_percentile(o, "p50", ms, n, 0.50);
		put_percentile(o, "p95", ms, n, 0.95);
		put_percentile(o, "p99", ms, n, 0.99);
	}
	json_set(result, "response_time_ms", o);
}

static double rate(int64_t hits, int64_t misses)
{
	int64_t reads = hits + misses;

	return reads > 0 ? (double)(10000 * hits / reads) / 100 : 0;
}

static cJSON *describe(const struct pg_rows *rows, size_t i)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_num(o, "hits", (double)pg_int(rows, i, 1));
	json_set_num(o, "misses", (double)pg_int(rows, i, 2));
	json_set_num(o, "hit_rate", rate(pg_int(rows, i, 1), pg_int(rows, i, 2)));
	json_set_num(o, "active_entries", (double)pg_int(rows, i, 3));
	json_set_num(o, "expired_entries", (double)pg_int(rows, i, 4));
	return o;
}

static int judge(struct pg *pg, int64_t hits, int64_t misses, cJSON *warnings, struct err *e)
{
	char text[128];
	int64_t r;

	if (hits + misses < READS_TO_JUDGE || rate(hits, misses) >= HIT_RATE_AIM)
		return 0;
	snprintf(text, sizeof text, "hit rate %.2f %% is under %.0f %%", rate(hits, misses),
		 HIT_RATE_AIM);
	cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(text)));
	r = pg_run(pg,
		   "SELECT jobfleet.raise_alert('cache_hit_rate', 'salary_data', 'WARNING', $1)",
		   PG_PARAMS(PG_TEXT(text)), NULL, e);
	return r < 0 ? (int)r : 0;
}

static int report(struct pg *pg, cJSON *result, cJSON *warnings, struct err *e)
{
	cJSON *kinds = mem_check(cJSON_CreateObject());
	int64_t hits = 0, misses = 0, active = 0, expired = 0;
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_TOTALS, NULL, 0, &rows, e);

	for (size_t i = 0; n >= 0 && i < pg_rows_count(rows); i++) {
		json_set(kinds, pg_text(rows, i, 0), describe(rows, i));
		active += pg_int(rows, i, 3);
		expired += pg_int(rows, i, 4);
		if (strcmp(pg_text(rows, i, 0), JUDGED) == 0) {
			hits = pg_int(rows, i, 1);
			misses = pg_int(rows, i, 2);
		}
	}
	pg_rows_free(rows);
	json_set_num(result, "total_hits", (double)hits);
	json_set_num(result, "total_misses", (double)misses);
	json_set_num(result, "hit_rate", rate(hits, misses));
	json_set_num(result, "active_entries", (double)active);
	json_set_num(result, "expired_entries", (double)expired);
	json_set(result, "by_data_type", kinds);
	return n < 0 ? (int)n : judge(pg, hits, misses, warnings, e);
}

static int move_hits(struct pg *pg, const cJSON *hits, struct err *e)
{
	char *text = json_print(hits);
	int64_t n = hits->child ? pg_run(pg, SQL_ADD_HITS, PG_PARAMS(PG_TEXT(text)), NULL, e) : 0;

	free(text);
	return n < 0 ? (int)n : 0;
}

static int measure(struct run *run, struct redis *redis, const cJSON *hits, cJSON *result,
		   cJSON *warnings, struct err *e)
{
	const char *prefix = run_conf(run)->fleet.redis_prefix;
	char taken[CACHE_COUNTER_SIZE];
	struct pg *pg;
	int r = run_db(run, &pg, e);

	cache_counter_key(CACHE_HITS_TAKEN, prefix, taken);
	if (r >= 0)
		r = move_hits(pg, hits, e);
	if (r >= 0)
		r = report(pg, result, warnings, e);
	if (r >= 0)
		put_times(redis, prefix, result);
	if (r >= 0)
		r = run_step_commit(run, "hits", NULL, e);
	/* Gone only after the commit: dying between the two counts these hits twice, never loses
	 * them. */
	if (r >= 0 && redis)
		(void)redis_cmd(redis, NULL, NULL, "DEL", taken, NULL);
	return r;
}

int monitor_cache_performance(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	cJSON *result = mem_check(cJSON_CreateObject()), *warnings = mem_check(cJSON_CreateArray());
	cJSON *hits = mem_check(cJSON_CreateObject());
	struct redis *redis = NULL;
	struct err away;
	int r;

	(void)args;
	json_set_str(result, "status", "success");
	json_set(result, "warnings", warnings);
	if (run_redis(run, &redis, &away) < 0 ||
	    take_hits(redis, run_conf(run)->fleet.redis_prefix, hits, &away) < 0) {
		log_warn("cache is away, its counters are left out: %s", away.msg);
		cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(
			"the cache is away: its latest counters are left out")));
		redis = NULL;
	}
	r = measure(run, redis, hits, result, warnings, e);
	cJSON_Delete(hits);
	if (r < 0)
		cJSON_Delete(result);
	else
		*ret_result = result;
	return r < 0 ? r : 0;
}
