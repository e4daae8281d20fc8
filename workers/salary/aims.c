/* SPDX-License-Identifier: MIT */
#include "workers/salary/aims.h"

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/salary/cache.h"
#include "workers/salary/readstats.h"

#define UNKNOWN (-1.0)

#define STORED "(c.expires_at - make_interval(secs => " CACHE_SQL_KEEP "))"
#define RECENT \
	" FROM salary_data_cache c WHERE c.data_type = 'salary_data' AND c.expires_at > now() -" \
	" interval '1 day' AND " STORED " > now() - interval '1 day'"

/* -1 where nothing was asked. */
static const char SQL_ERRORS[] =
	"SELECT coalesce(100.0 * count(*) FILTER (WHERE status = 'failed')"
	"  / nullif(count(*) FILTER (WHERE status IN ('ok', 'failed')), 0), -1)"
	" FROM (SELECT s.value ->> 'status' AS status FROM (SELECT c.metadata -> 'source_details' AS d"
	RECENT " AND jsonb_typeof(c.metadata -> 'source_details') = 'object') AS a,"
	"  jsonb_each(a.d) AS s WHERE s.key <> 'fallback') AS t";
static const char SQL_FALLBACK[] =
	"SELECT coalesce(100.0 * count(*) FILTER (WHERE fallback)"
	"  / nullif(count(*) FILTER (WHERE fallback OR none), 0), -1)"
	" FROM (SELECT c.metadata -> 'fallback' = 'true' AS fallback,"
	"  c.metadata -> 'count' = '0' AS none" RECENT ") AS t";
static const char SQL_AGE[] =
	"SELECT coalesce(max(extract(epoch FROM now() - stored)) / 86400, -1) FROM (SELECT " STORED
	" AS stored FROM salary_data_cache c WHERE c.data_type = 'salary_data' AND c.cache_hits > 0"
	" AND c.expires_at > now() ORDER BY c.cache_hits DESC LIMIT 100) AS t";

/* Rows of one cache key, a merge of sources, a place's market and a retention ask like this. */
static const char *const QUERIES[] = {
	"SELECT count(*) FROM salary_data_cache c JOIN salary_benchmarks b ON b.cache_key = c.cache_key"
	" WHERE c.cache_key = (SELECT cache_key FROM salary_benchmarks WHERE cache_key IS NOT NULL"
	" LIMIT 1)",
	"SELECT count(*) FROM salary_benchmarks WHERE (location, occupation) ="
	" (SELECT location, occupation FROM salary_benchmarks LIMIT 1)",
	"SELECT count(*) FROM market_data WHERE location = (SELECT location FROM market_data LIMIT 1)"
	" AND year >= 2000",
	"SELECT count(*) FROM (SELECT FROM salary_data_cache WHERE is_active AND expires_at <= now()"
	" LIMIT 100) AS over",
};

static int read_number(struct pg *pg, const char *sql, double *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, sql, NULL, 0, &rows, e);

	if (r >= 0)
		*ret = pg_num(rows, 0, 0);
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

static int time_queries(struct pg *pg, double *ret_ms, struct err *e)
{
	double slowest = UNKNOWN;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < COUNT(QUERIES); i++) {
		int64_t start = clock_mono_us();
		double ignored, ms;

		r = read_number(pg, QUERIES[i], &ignored, e);
		ms = (double)(clock_mono_us() - start) / 1000;
		slowest = ms > slowest ? ms : slowest;
	}
	*ret_ms = slowest;
	return r;
}

static double rounded(double v)
{
	return (double)(int64_t)(v * 1000 + 0.5) / 1000;
}

static void add(cJSON *list, const char *name, double value, double aim, bool under)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "name", name);
	json_set_num(o, "aim", aim);
	if (value < 0) {
		json_set(o, "value", mem_check(cJSON_CreateNull()));
		json_set(o, "met", mem_check(cJSON_CreateNull()));
	} else {
		json_set_num(o, "value", rounded(value));
		json_set_bool(o, "met", under ? value < aim : value > aim);
	}
	cJSON_AddItemToArray(list, o);
}

int aims_judge(struct pg *pg, const struct readstats *stats, double hit_rate, cJSON **ret,
	       struct err *e)
{
	double errors, fallback, age, query_ms, p99 = UNKNOWN;
	cJSON *list;
	int r = read_number(pg, SQL_ERRORS, &errors, e);

	if (r >= 0)
		r = read_number(pg, SQL_FALLBACK, &fallback, e);
	if (r >= 0)
		r = read_number(pg, SQL_AGE, &age, e);
	if (r >= 0)
		r = time_queries(pg, &query_ms, e);
	if (r < 0)
		return r;
	if (readstats_timed(stats, STRATEGY_COUNT) > 0)
		p99 = readstats_ms(stats, STRATEGY_COUNT, 0.99);
	list = mem_check(cJSON_CreateArray());
	add(list, "source_error_rate_percent", errors, 5, true);
	add(list, "fallback_share_percent", fallback, 95, false);
	add(list, "critical_data_age_days", age, 7, true);
	add(list, "hit_rate_percent", hit_rate, AIMS_HIT_RATE, false);
	add(list, "cached_answer_p99_ms", p99, 100, true);
	add(list, "indexed_query_ms", query_ms, 50, true);
	*ret = list;
	return 0;
}
