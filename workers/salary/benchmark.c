/* SPDX-License-Identifier: MIT */
#include "workers/salary/benchmark.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

/* Both store in the order of their keys, so that two tasks at once never wait for each other in a
 * circle. */
static const char SQL_BENCHMARKS[] =
	"SELECT benchmark, place, outcome = 'kept' OR b.data_source = 'postings', b.median_salary,"
	" coalesce(b.metadata -> 'lower_bounds' ? 'median_salary', false),"
	" greatest(0, coalesce((b.metadata ->> 'steps_wider')::float8::int, 0)),"
	" coalesce(b.metadata -> 'group' = 'true', false), b.sample_size, b.mean_salary,"
	" b.percentile_25, b.percentile_75, b.percentile_90 FROM upsert_salary_benchmark($1::jsonb),"
	" jsonb_populate_record(NULL::salary_benchmarks, benchmark) b ORDER BY place";
enum {
	STANDING_PLACE = 1, STANDING_IS_ANOTHER, STANDING_MEDIAN, STANDING_BOUND, STANDING_STEPS,
	STANDING_GROUP, STANDING_SAMPLE, STANDING_AMOUNTS
};
static const char SQL_MARKETS[] =
	"SELECT figure FROM jobfleet.store_market_data($1::jsonb) ORDER BY place";

static void put_amount(cJSON *o, const char *name, struct amount a, int decimals)
{
	char text[AMOUNT_TEXT_SIZE];

	if (amount_text(a, decimals, text))
		json_set_raw(o, name, text);
}

static cJSON *question(const struct request *r, const char *source, int year, const char *cache_key,
		       cJSON *metadata)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "location", r->area.label);
	json_set_str(o, "occupation", r->occupation.name);
	json_set_str(o, "industry", r->industry);
	json_set_str(o, "data_source", source);
	json_set_num(o, "year", year);
	json_set_str(o, "cache_key", cache_key);
	json_set(o, "metadata", metadata);
	return o;
}

static cJSON *benchmark_json(const struct request *r, const struct benchmark *b,
			     const char *cache_key, bool development)
{
	struct score_evidence evidence = benchmark_evidence(b);
	cJSON *o = question(r, b->source, b->year, cache_key,
			    benchmark_metadata(b, r, development));
	struct score score;
	char overall[16];

	score_compute(&evidence, 1, &score);
	snprintf(overall, sizeof overall, "%.2f", score.overall);
	json_set_str(o, "experience_level", r->experience);
	json_set_str(o, "education_level", r->education);
	put_amount(o, "median_salary", b->median, 2);
	put_amount(o, "mean_salary", b->mean, 2);
	put_amount(o, "percentile_25", b->p25, 2);
	put_amount(o, "percentile_75", b->p75, 2);
	put_amount(o, "percentile_90", b->p90, 2);
	if (b->sample >= 0)
		json_set_num(o, "sample_size", (double)b->sample);
	json_set_raw(o, "source_confidence_score", overall);
	if (b->age_days >= 0)
		json_set_num(o, "data_freshness_days", (double)b->age_days);
	return o;
}

static cJSON *market_json(const struct request *r, const struct market *m, const char *cache_key,
			  bool development)
{
	cJSON *o =
		question(r, m->source, m->year, cache_key, market_metadata(m, r, development));

	if (m->quarter > 0)
		json_set_num(o, "quarter", m->quarter);
	put_amount(o, "job_count", m->job_count, 0);
	put_amount(o, "job_growth_rate", m->growth, 2);
	put_amount(o, "unemployment_rate", m->unemployment, 2);
	put_amount(o, "cost_of_living_index", m->living_cost, 2);
	put_amount(o, "demand_score", m->demand, 2);
	put_amount(o, "remote_work_percentage", m->remote, 2);
	return o;
}

/* Takes the list; all of it is one statement. */
static int store_list(struct pg *pg, const char *sql, cJSON *list, cJSON *rows,
		      struct pg_rows **ret_got, struct err *e)
{
	struct pg_rows *got = NULL;
	char *text = json_print(list);
	int64_t n = pg_run(pg, sql, PG_PARAMS(PG_TEXT(text)), &got, e);

	for (size_t i = 0; n >= 0 && i < pg_rows_count(got); i++)
		cJSON_AddItemToArray(rows, mem_check(cJSON_CreateRaw(pg_text(got, i, 0))));
	*ret_got = got;
	free(text);
	cJSON_Delete(list);
	return n < 0 ? (int)n : 0;
}

static struct amount amount_of(const struct pg_rows *rows, size_t i, int column)
{
	struct amount a = { AMOUNT_ABSENT, 0 };

	if (amount_parse(pg_text(rows, i, column), &a, NULL) < 0)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	return a;
}

/* What was found becomes what stands, in columns as SQL_BENCHMARKS has them. */
static void take_standing(const struct pg_rows *rows, size_t i, const struct request *r,
			  struct benchmark *b)
{
	struct amount *const amounts[] = { &b->mean, &b->p25, &b->p75, &b->p90 };

	b->median = amount_of(rows, i, STANDING_MEDIAN);
	if (pg_bool(rows, i, STANDING_BOUND))
		b->median.kind = AMOUNT_BOUND;
	b->steps_wider = (int)pg_int(rows, i, STANDING_STEPS);
	b->group = pg_bool(rows, i, STANDING_GROUP) && !b->unsplit;
	b->sample = pg_cell(rows, i, STANDING_SAMPLE) ? pg_int(rows, i, STANDING_SAMPLE) : -1;
	for (int k = 0; k < (int)COUNT(amounts); k++)
		*amounts[k] = amount_of(rows, i, STANDING_AMOUNTS + k);
	b->area = r->area;
	for (int k = 0; k < b->steps_wider && b->area.level != AREA_NATION; k++)
		b->area = area_widen(&b->area);
}

int benchmark_store(struct pg *pg, const struct request *r, struct findings *f,
		    const char *cache_key, bool development, cJSON *rows, struct err *e)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	struct pg_rows *got = NULL;
	int code;

	for (size_t i = 0; i < f->nbenchmarks; i++)
		cJSON_AddItemToArray(list, benchmark_json(r, &f->benchmarks[i], cache_key,
							  development));
	code = store_list(pg, SQL_BENCHMARKS, list, rows, &got, e);
	for (size_t i = 0; code >= 0 && i < pg_rows_count(got); i++) {
		size_t place = (size_t)pg_int(got, i, STANDING_PLACE);

		if (pg_bool(got, i, STANDING_IS_ANOTHER) && place >= 1 && place <= f->nbenchmarks)
			take_standing(got, i, r, &f->benchmarks[place - 1]);
	}
	pg_rows_free(got);
	return code;
}

int market_store(struct pg *pg, const struct request *r, const struct findings *f,
		 const char *cache_key, bool development, cJSON *rows, struct err *e)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	struct pg_rows *got = NULL;
	int code;

	for (size_t i = 0; i < f->nmarkets; i++)
		cJSON_AddItemToArray(list, market_json(r, &f->markets[i], cache_key, development));
	code = store_list(pg, SQL_MARKETS, list, rows, &got, e);
	pg_rows_free(got);
	return code;
}
