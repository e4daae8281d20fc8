/* SPDX-License-Identifier: MIT */
#include "workers/confidence/evidence.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

/* Answers behind an OEWS figure are not published; one for about 35 employed (findings.c). */
#define EMPLOYED_PER_ANSWER "35"

#define NUMBER(path) \
	"CASE WHEN metadata ->> '" path "' ~ '^[0-9]{1,9}(\\.[0-9]*)?$' THEN (metadata ->> '" path "')::numeric END"
#define MATCH \
	" WHERE location IN ($1, $2) AND ($3 = '' OR occupation IN ($3, $4))"

static const char SQL_SALARY[] =
	"SELECT DISTINCT ON (location, occupation, industry, data_source) location, occupation, industry,"
	" data_source, year, cache_key, median_salary,"
	" coalesce(data_freshness_days, (current_date - make_date(year, 7, 1)))"
	" + greatest(0, current_date - updated_at::date),"
	" coalesce(sample_size, " NUMBER("employment") " / " EMPLOYED_PER_ANSWER ", -1),"
	" coalesce(" NUMBER("steps_wider") ", 0),"
	" coalesce(metadata -> 'lower_bounds' ? 'median_salary', false),"
	" coalesce(metadata -> 'group' = 'true', false)"
	" FROM salary_benchmarks" MATCH
	" ORDER BY location, occupation, industry, data_source, year DESC, quarter DESC NULLS LAST,"
	" updated_at DESC";

static const char SQL_MARKET[] =
	"SELECT DISTINCT ON (location, occupation, industry, data_source) location, occupation, industry,"
	" data_source, year, cache_key, coalesce(unemployment_rate, 0),"
	" greatest(0, current_date - make_date(year, coalesce(quarter * 3, 12), 15)),"
	" -1, coalesce(" NUMBER("steps_wider") ", 0), false, false"
	" FROM market_data" MATCH
	" ORDER BY location, occupation, industry, data_source, year DESC, quarter DESC NULLS LAST,"
	" updated_at DESC";

enum column {
	LOCATION,
	OCCUPATION,
	INDUSTRY,
	SOURCE,
	YEAR,
	CACHE_KEY,
	VALUE,
	AGE,
	SAMPLE,
	STEPS,
	BOUND,
	ESTIMATE
};

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_group(const struct pg_rows *rows, size_t a, size_t b)
{
	return same_text(pg_cell(rows, a, LOCATION), pg_cell(rows, b, LOCATION)) &&
	       same_text(pg_cell(rows, a, OCCUPATION), pg_cell(rows, b, OCCUPATION)) &&
	       same_text(pg_cell(rows, a, INDUSTRY), pg_cell(rows, b, INDUSTRY));
}

static struct score_evidence read_row(const struct pg_rows *rows, size_t i, double half_life_days)
{
	return (struct score_evidence){
		.source = pg_text(rows, i, SOURCE),
		.value = pg_num(rows, i, VALUE),
		.age_days = pg_num(rows, i, AGE),
		.half_life_days = half_life_days,
		.sample = pg_num(rows, i, SAMPLE),
		.error_percent = -1,
		.steps_wider = (int)pg_int(rows, i, STEPS),
		.lower_bound = pg_bool(rows, i, BOUND),
		.estimate = pg_bool(rows, i, ESTIMATE),
	};
}

/* Rows first … last - 1 are one group. */
static int see_group(const struct pg_rows *rows, size_t first, size_t last, const char *type,
		     double half_life_days,
		     int (*see)(void *ctx, const struct evidence_group *g, struct err *e),
		     void *ctx, struct err *e)
{
	struct score_evidence *evidence = mem_alloc((last - first) * sizeof *evidence);
	struct evidence_group g = {
		.data_type = type,
		.location = pg_cell(rows, first, LOCATION),
		.occupation = pg_cell(rows, first, OCCUPATION),
		.industry = pg_cell(rows, first, INDUSTRY),
		.evidence = evidence,
		.count = last - first,
	};
	int r;

	for (size_t i = first; i < last; i++) {
		evidence[i - first] = read_row(rows, i, half_life_days);
		if ((int)pg_int(rows, i, YEAR) > g.year) {
			g.year = (int)pg_int(rows, i, YEAR);
			g.cache_key = pg_cell(rows, i, CACHE_KEY);
		}
	}
	r = see(ctx, &g, e);
	free(evidence);
	return r;
}

static int walk_table(struct pg *pg, const char *sql, const char *type, double half_life_days,
		      const struct evidence_query *q,
		      int (*see)(void *ctx, const struct evidence_group *g, struct err *e),
		      void *ctx, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, sql,
			   PG_PARAMS(PG_TEXT(q->location), PG_TEXT(q->location_given),
				     PG_TEXT(q->occupation), PG_TEXT(q->occupation_given)),
			   &rows, e);
	size_t first = 0, n = r < 0 ? 0 : pg_rows_count(rows);
	int groups = 0;

	for (size_t i = 1; r >= 0 && i <= n; i++) {
		if (i < n && same_group(rows, first, i))
			continue;
		r = see_group(rows, first, i, type, half_life_days, see, ctx, e);
		first = i;
		groups++;
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : groups;
}

int evidence_walk(struct pg *pg, const struct evidence_query *q,
		  int (*see)(void *ctx, const struct evidence_group *g, struct err *e), void *ctx,
		  struct err *e)
{
	int pay = walk_table(pg, SQL_SALARY, "salary", SCORE_HALF_LIFE_PAY_DAYS, q, see, ctx, e);
	int market = pay < 0
		? pay
		: walk_table(pg, SQL_MARKET, "market", SCORE_HALF_LIFE_MARKET_DAYS, q, see, ctx, e);

	return market < 0 ? market : pay + market;
}
