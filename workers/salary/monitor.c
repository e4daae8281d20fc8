/* SPDX-License-Identifier: MIT */
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/reads.h"
#include "workers/salary/readstats.h"
#include "workers/salary/upkeep.h"

#define HIT_RATE_AIM 70.0
#define READS_TO_JUDGE 100

static const char SQL_TOTALS[] =
	"SELECT data_type, sum(cache_hits), sum(cache_misses), count(*) FILTER (WHERE is_active AND"
	" expires_at > now()), count(*) FILTER (WHERE NOT is_active OR expires_at <= now())"
	" FROM salary_data_cache GROUP BY data_type ORDER BY data_type";
/* Rates are judged on answers, which salary_data stands for: market_data is read along with it. */
#define JUDGED "salary_data"

static void put_times(struct redis *redis, const struct conf *conf, cJSON *result)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	struct readstats stats = { 0 };
	int64_t samples;

	if (redis)
		(void)readstats_load(redis, conf, clock_wall_us(), &stats, NULL);
	samples = readstats_timed(&stats, STRATEGY_COUNT);
	json_set_num(o, "samples", (double)samples);
	if (samples > 0) {
		json_set_num(o, "p50", readstats_ms(&stats, STRATEGY_COUNT, 0.50));
		json_set_num(o, "p95", readstats_ms(&stats, STRATEGY_COUNT, 0.95));
		json_set_num(o, "p99", readstats_ms(&stats, STRATEGY_COUNT, 0.99));
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

/* Each batch is a statement of its own. */
static int flush_all(struct run *run, struct redis *redis, struct err *e)
{
	struct pg *pg;
	int r = run_db_read(run, &pg, e);

	while (r >= 0 && !run_cancelled(run) && (r = reads_flush(pg, redis, run_conf(run), e)) > 0)
		;
	return r;
}

static int measure(struct run *run, struct redis *redis, cJSON *result, cJSON *warnings,
		   struct err *e)
{
	struct pg *pg;
	int r = run_db(run, &pg, e);

	if (r >= 0)
		r = report(pg, result, warnings, e);
	if (r >= 0)
		put_times(redis, run_conf(run), result);
	return r;
}

int monitor_cache_performance(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	cJSON *result = mem_check(cJSON_CreateObject()), *warnings = mem_check(cJSON_CreateArray());
	struct redis *redis = NULL;
	struct err away;
	int r;

	(void)args;
	json_set_str(result, "status", "success");
	json_set(result, "warnings", warnings);
	r = run_redis(run, &redis, &away);
	if (r >= 0)
		r = flush_all(run, redis, &away);
	if (r < 0) {
		log_warn("reads are not moved: %s", away.msg);
		cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(
			"the cache is away: its latest counters are left out")));
		redis = NULL;
	}
	r = measure(run, redis, result, warnings, e);
	if (r < 0)
		cJSON_Delete(result);
	else
		*ret_result = result;
	return r < 0 ? r : 0;
}
