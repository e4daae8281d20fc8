/* SPDX-License-Identifier: MIT */
#include "workers/salary/adjust.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/worker/run.h"
#include "workers/salary/cache.h"
#include "workers/salary/inflation.h"
#include "workers/salary/request.h"
#include "workers/salary/source.h"

#define YEARS_MOST 16

static const char SQL_ADJUST[] =
	"WITH adjusted AS (SELECT b.place, CASE WHEN f.value IS NULL THEN b.row ELSE b.row"
	" || coalesce((SELECT jsonb_object_agg(k, round((b.row ->> k)::numeric"
	" * (f.value ->> 'factor')::numeric, 2)) FROM unnest('{median_salary,mean_salary,"
	"percentile_25,percentile_75,percentile_90}'::text[]) k WHERE b.row ->> k IS NOT NULL), '{}')"
	" || jsonb_build_object('metadata', coalesce(b.row -> 'metadata', '{}')"
	" || CASE WHEN b.row -> 'metadata' ->> 'percentile_10' IS NULL THEN '{}' ELSE"
	" jsonb_build_object('percentile_10', round((b.row -> 'metadata' ->> 'percentile_10')::numeric"
	" * (f.value ->> 'factor')::numeric, 2)) END || jsonb_build_object('adjusted', f.value))"
	" END AS row"
	" FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS b (row, place)"
	" LEFT JOIN jsonb_each($2::jsonb) AS f ON f.key = b.row ->> 'year'),"
	" parts AS (SELECT (row ->> 'median_salary')::numeric AS median, w.value::numeric AS weight"
	" FROM adjusted JOIN jsonb_each_text($3::jsonb -> 'weights') AS w"
	" ON w.key = row ->> 'data_source')"
	" SELECT (SELECT coalesce(jsonb_agg(row ORDER BY place), '[]') FROM adjusted),"
	" $3::jsonb || (SELECT jsonb_build_object('median_salary', round(sum(median * weight)"
	" / sum(weight), 2), 'lowest', min(median), 'highest', max(median)) FROM parts"
	" HAVING count(*) > 0)";

/* Known by now, or warned of. */
static bool is_asked(const int *years, size_t n, int year)
{
	for (size_t i = 0; i < n; i++)
		if (years[i] == year)
			return true;
	return n == YEARS_MOST;
}

static void put_factor(cJSON *factors, const struct inflation *got)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char key[16], text[32];

	snprintf(key, sizeof key, "%d", got->from_year);
	snprintf(text, sizeof text, "%lld.%06lld", (long long)(got->factor_e6 / 1000000),
		 (long long)(got->factor_e6 % 1000000));
	json_set_num(o, "from_year", got->from_year);
	json_set_num(o, "to_year", got->to_year);
	json_set_raw(o, "factor", text);
	json_set_str(o, "series", got->series);
	json_set(factors, key, o);
}

static int find_factors(struct run *run, struct request *r, const cJSON *rows, cJSON *factors,
			struct err *e)
{
	int years[YEARS_MOST];
	size_t n = 0;
	const cJSON *row;

	cJSON_ArrayForEach(row, rows) {
		int year = (int)json_int(row, "year", 0), code;
		struct inflation got;

		if (year <= 0 || is_asked(years, n, year))
			continue;
		years[n++] = year;
		code = inflation_factor(run, year, &got, e);
		if (code < 0 && source_ends_task(code))
			return code;
		if (code < 0)
			request_warn(r, "figures of %d are not adjusted: %s", year, e->msg);
		else
			put_factor(factors, &got);
	}
	return 0;
}

static int adjust(struct run *run, struct cache_doc *d, const char *factors, struct err *e)
{
	struct pg_rows *got = NULL;
	struct pg *pg;
	int64_t n = run_db_read(run, &pg, e);

	if (n >= 0)
		n = pg_run(pg, SQL_ADJUST,
			   PG_PARAMS(PG_TEXT(d->rows), PG_TEXT(factors),
				     PG_TEXT(json_str(d->meta, "merged", "null"))),
			   &got, e);
	if (n > 0) {
		mem_replace(&d->rows, mem_strdup(pg_text(got, 0, 0)));
		json_set_str(d->meta, "merged", pg_cell(got, 0, 1) ? pg_text(got, 0, 1) : "null");
	}
	pg_rows_free(got);
	return n < 0 ? (int)n : 0;
}

int adjust_doc(struct run *run, struct request *r, struct cache_doc *d, struct err *e)
{
	cJSON *rows = NULL, *factors = mem_check(cJSON_CreateObject());
	int code = json_parse(d->rows, strlen(d->rows), &rows, e);
	char *text;

	if (code >= 0)
		code = find_factors(run, r, rows, factors, e);
	cJSON_Delete(rows);
	text = json_print(factors);
	if (code >= 0 && factors->child)
		code = adjust(run, d, text, e);
	free(text);
	cJSON_Delete(factors);
	return code;
}
