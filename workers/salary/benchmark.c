/* SPDX-License-Identifier: MIT */
#include "workers/salary/benchmark.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

static const char SQL_BENCHMARK[] =
	"INSERT INTO salary_benchmarks AS b (location, occupation, industry, experience_level,"
	" education_level, median_salary, mean_salary, percentile_25, percentile_75, percentile_90,"
	" data_source, source_confidence_score, data_freshness_days, year, cache_key, metadata)"
	" VALUES ($1, $2, nullif($3, ''), nullif($4, ''), nullif($5, ''), $6, $7, $8, $9, $10, $11, $12,"
	" $13, $14, $15, $16)"
	" ON CONFLICT (location, occupation, industry, experience_level, education_level, data_source,"
	" year, quarter) DO UPDATE SET median_salary = excluded.median_salary,"
	" mean_salary = excluded.mean_salary, percentile_25 = excluded.percentile_25,"
	" percentile_75 = excluded.percentile_75, percentile_90 = excluded.percentile_90,"
	" source_confidence_score = excluded.source_confidence_score,"
	" data_freshness_days = excluded.data_freshness_days, cache_key = excluded.cache_key,"
	" metadata = excluded.metadata, updated_at = now()"
	" RETURNING to_jsonb(b)";

static const char SQL_MARKET[] =
	"INSERT INTO market_data AS m (location, occupation, industry, job_count, job_growth_rate,"
	" unemployment_rate, cost_of_living_index, demand_score, remote_work_percentage, data_source,"
	" year, quarter, cache_key, metadata)"
	" VALUES ($1, $2, nullif($3, ''), $4, $5, $6, $7, $8, $9, $10, $11, nullif($12::int, 0), $13, $14)"
	" ON CONFLICT (location, occupation, industry, data_source, year, quarter)"
	" DO UPDATE SET job_count = excluded.job_count, job_growth_rate = excluded.job_growth_rate,"
	" unemployment_rate = excluded.unemployment_rate,"
	" cost_of_living_index = excluded.cost_of_living_index,"
	" remote_work_percentage = excluded.remote_work_percentage, cache_key = excluded.cache_key,"
	" metadata = excluded.metadata, updated_at = now()"
	" RETURNING to_jsonb(m)";

/* Every row is stored under one order of its keys, so that two tasks at once never deadlock. */
static const char SQL_LOCK[] = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";

static int run_row(struct pg *pg, const char *sql, const struct pg_param *params, size_t n,
		   cJSON *rows, struct err *e)
{
	struct pg_rows *got = NULL;
	int64_t r = pg_run(pg, sql, params, n, &got, e);

	if (r < 0)
		return (int)r;
	if (pg_rows_count(got) == 1)
		cJSON_AddItemToArray(rows, mem_check(cJSON_CreateRaw(pg_text(got, 0, 0))));
	pg_rows_free(got);
	return 0;
}

static int store_benchmark(struct pg *pg, const struct request *r, const struct benchmark *b,
			   const char *cache_key, bool development, cJSON *rows, struct err *e)
{
	char median[AMOUNT_TEXT_SIZE], mean[AMOUNT_TEXT_SIZE], p25[AMOUNT_TEXT_SIZE];
	char p75[AMOUNT_TEXT_SIZE], p90[AMOUNT_TEXT_SIZE], overall[16];
	struct score_evidence evidence = benchmark_evidence(b);
	cJSON *metadata = benchmark_metadata(b, r, development);
	char *text = json_print(metadata);
	struct score score;
	int code;

	score_compute(&evidence, 1, &score);
	snprintf(overall, sizeof overall, "%.2f", score.overall);
	code = run_row(pg, SQL_BENCHMARK,
		       PG_PARAMS(PG_TEXT(r->area.label), PG_TEXT(r->occupation.name),
				 PG_TEXT(r->industry), PG_TEXT(r->experience),
				 PG_TEXT(r->education), PG_TEXT(amount_text(b->median, 2, median)),
				 PG_TEXT(amount_text(b->mean, 2, mean)),
				 PG_TEXT(amount_text(b->p25, 2, p25)),
				 PG_TEXT(amount_text(b->p75, 2, p75)),
				 PG_TEXT(amount_text(b->p90, 2, p90)), PG_TEXT(b->source),
				 PG_TEXT(overall), PG_INT(b->age_days), PG_INT(b->year),
				 PG_TEXT(cache_key), PG_TEXT(text)),
		       rows, e);
	free(text);
	cJSON_Delete(metadata);
	return code;
}

int benchmark_store(struct pg *pg, const struct request *r, const struct findings *f,
		    const char *cache_key, bool development, cJSON *rows, struct err *e)
{
	int64_t code = pg_run(pg, SQL_LOCK, PG_PARAMS(PG_TEXT(cache_key)), NULL, e);

	for (size_t i = 0; code >= 0 && i < f->nbenchmarks; i++)
		code = store_benchmark(pg, r, &f->benchmarks[i], cache_key, development, rows, e);
	return code < 0 ? (int)code : 0;
}

static int store_market(struct pg *pg, const struct request *r, const struct market *m,
			const char *cache_key, bool development, cJSON *rows, struct err *e)
{
	char count[AMOUNT_TEXT_SIZE], growth[AMOUNT_TEXT_SIZE], idle[AMOUNT_TEXT_SIZE];
	char living[AMOUNT_TEXT_SIZE], demand[AMOUNT_TEXT_SIZE], remote[AMOUNT_TEXT_SIZE];
	cJSON *metadata = market_metadata(m, r, development);
	char *text = json_print(metadata);
	int code;

	code = run_row(pg, SQL_MARKET,
		       PG_PARAMS(PG_TEXT(r->area.label), PG_TEXT(r->occupation.name),
				 PG_TEXT(r->industry), PG_TEXT(amount_text(m->job_count, 0, count)),
				 PG_TEXT(amount_text(m->growth, 2, growth)),
				 PG_TEXT(amount_text(m->unemployment, 2, idle)),
				 PG_TEXT(amount_text(m->living_cost, 2, living)),
				 PG_TEXT(amount_text(m->demand, 2, demand)),
				 PG_TEXT(amount_text(m->remote, 2, remote)), PG_TEXT(m->source),
				 PG_INT(m->year), PG_INT(m->quarter), PG_TEXT(cache_key),
				 PG_TEXT(text)),
		       rows, e);
	free(text);
	cJSON_Delete(metadata);
	return code;
}

int market_store(struct pg *pg, const struct request *r, const struct findings *f,
		 const char *cache_key, bool development, cJSON *rows, struct err *e)
{
	int64_t code = pg_run(pg, SQL_LOCK, PG_PARAMS(PG_TEXT(cache_key)), NULL, e);

	for (size_t i = 0; code >= 0 && i < f->nmarkets; i++)
		code = store_market(pg, r, &f->markets[i], cache_key, development, rows, e);
	return code < 0 ? (int)code : 0;
}
