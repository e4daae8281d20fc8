/* SPDX-License-Identifier: MIT */
/* Redis is looked at first and changed last: what the table says is decided in between, in one
 * transaction, so a crash leaves at worst a cached answer that is deleted by the next run. */
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/keys.h"
#include "workers/salary/upkeep.h"

/* Retention goes on with the next run after so many batches. */
#define BATCHES_MOST 20

static const char *const PATTERNS[] = { "salary_data:*", "market_data:*" };

struct live {
	cJSON *keys;			/* array of texts: what stands in Redis */
};

static int add_live(void *ctx, const char *key, struct err *e)
{
	struct live *live = ctx;

	(void)e;
	cJSON_AddItemToArray(live->keys, mem_check(cJSON_CreateString(key)));
	return 0;
}

static const char SQL_EXPIRE[] =
	"UPDATE salary_data_cache SET is_active = false WHERE is_active AND expires_at <= now()";
static const char SQL_VANISHED[] =
	"UPDATE salary_data_cache SET is_active = false WHERE is_active"
	" AND redis_key NOT IN (SELECT jsonb_array_elements_text($1::jsonb))"
	" AND expires_at - make_interval(secs => ttl_seconds) < now() - interval '1 minute'";
static const char SQL_UNTRACKED[] =
	"SELECT k FROM jsonb_array_elements_text($1::jsonb) AS k WHERE NOT EXISTS"
	" (SELECT FROM salary_data_cache c WHERE c.redis_key = k AND c.is_active)";
static const char SQL_RETAIN[] = "SELECT what, removed, more FROM cleanup_salary_data()";
static const char SQL_ACTIVE[] = "SELECT count(*) FROM salary_data_cache WHERE is_active";

static int update(struct pg *pg, const char *sql, const char *keys, cJSON *result, const char *name,
		  struct err *e)
{
	int64_t n = keys ? pg_run(pg, sql, PG_PARAMS(PG_TEXT(keys)), NULL, e)
			 : pg_run(pg, sql, NULL, 0, NULL, e);

	if (n >= 0)
		json_set_num(result, name, (double)n);
	return n < 0 ? (int)n : 0;
}

static int delete_untracked(struct pg *pg, struct redis *redis, const char *keys, cJSON *result,
			    struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_UNTRACKED, PG_PARAMS(PG_TEXT(keys)), &rows, e), r = n;

	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows); i++)
		r = redis_cmd(redis, NULL, e, "DEL", pg_text(rows, i, 0), NULL);
	pg_rows_free(rows);
	if (r >= 0)
		json_set_num(result, "untracked_deleted", (double)n);
	return r < 0 ? (int)r : 0;
}

static int count_active(struct pg *pg, cJSON *result, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_ACTIVE, NULL, 0, &rows, e);

	if (n >= 0)
		json_set_num(result, "active", (double)pg_int(rows, 0, 0));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

/* One batch of everything that is over; 1: there is more. */
static int retain_batch(struct pg *pg, cJSON *removed, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, SQL_RETAIN, NULL, 0, &rows, e);
	int more = 0;

	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows); i++) {
		const char *what = pg_text(rows, i, 0);
		double n = (double)pg_int(rows, i, 1);

		json_set_num(removed, what, json_num(removed, what, 0) + n);
		more |= pg_bool(rows, i, 2);
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : more;
}

static int retain(struct pg *pg, cJSON *result, struct err *e)
{
	cJSON *removed = mem_check(cJSON_CreateObject());
	int more = 1;

	for (int i = 0; more > 0 && i < BATCHES_MOST; i++)
		more = retain_batch(pg, removed, e);
	json_set_num(result, "rows_deleted", json_num(removed, "salary_data_cache", 0));
	json_set(result, "removed", removed);
	return more < 0 ? more : 0;
}

static int tidy(struct run *run, struct redis *redis, const char *keys, cJSON *result,
		struct err *e)
{
	struct pg *pg;
	int r = run_db(run, &pg, e);

	if (r >= 0)
		r = update(pg, SQL_EXPIRE, NULL, result, "expired", e);
	if (r >= 0 && redis)
		r = update(pg, SQL_VANISHED, keys, result, "vanished", e);
	if (r >= 0)
		r = retain(pg, result, e);
	if (r >= 0 && redis)
		r = delete_untracked(pg, redis, keys, result, e);
	return r < 0 ? r : count_active(pg, result, e);
}

static struct redis *list_live(struct run *run, struct live *live, cJSON *warnings)
{
	struct redis *redis = NULL;
	struct err e;
	int r = run_redis(run, &redis, &e);

	for (size_t i = 0; r >= 0 && i < COUNT(PATTERNS); i++)
		r = keys_walk(redis, PATTERNS[i], add_live, live, &e);
	if (r >= 0)
		return redis;
	log_warn("cache is away, only its table is tidied: %s", e.msg);
	cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(
		"the cache is away: only its table was tidied")));
	return NULL;
}

int cleanup_expired_cache(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct live live = { .keys = mem_check(cJSON_CreateArray()) };
	cJSON *result = mem_check(cJSON_CreateObject()), *warnings = mem_check(cJSON_CreateArray());
	struct redis *redis;
	char *keys;
	int r;

	(void)args;
	json_set_str(result, "status", "success");
	redis = list_live(run, &live, warnings);
	keys = json_print(live.keys);
	r = tidy(run, redis, keys, result, e);
	free(keys);
	cJSON_Delete(live.keys);
	json_set(result, "warnings", warnings);
	if (r < 0)
		cJSON_Delete(result);
	else
		*ret_result = result;
	return r < 0 ? r : 0;
}
