/* SPDX-License-Identifier: MIT */
#include "workers/confidence/evidence.h"

#include <float.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/confidence/evidence_sql.h"

#define DAY_US INT64_C(86400000000)
#define STEPS_MAX 9

static const struct kind {
	const char *name;
	double half_life_days;
	const char *page, *count;
} KINDS[] = {
	[EVIDENCE_SALARY] = {
		"salary", SCORE_HALF_LIFE_PAY_DAYS, PAY_PAGE,
		"SELECT count(*) FROM salary_benchmarks WHERE " WITHIN(1, 2, 3),
	},
	[EVIDENCE_MARKET] = {
		"market", SCORE_HALF_LIFE_MARKET_DAYS, MARKET_PAGE,
		"SELECT count(*) FROM market_data WHERE " WITHIN(1, 2, 3),
	},
};

enum column {
	LOCATION,
	OCCUPATION,
	INDUSTRY,
	SOURCE,
	YEAR,
	CACHE_KEY,
	VALUE,
	AS_OF,
	AGE_WHEN_WRITTEN,
	DAYS_SINCE,
	SAMPLE,
	EMPLOYMENT,
	ERROR_PERCENT,
	STEPS,
	BOUND,
	ESTIMATE,
	CODE_TEXT,
	LENT,
	ROWS_READ
};

const char *evidence_kind_name(enum evidence_kind kind)
{
	return KINDS[kind].name;
}

void evidence_mark_set(struct evidence_mark *m, const char *location, const char *occupation)
{
	struct evidence_mark old = *m;

	m->location = mem_strdup(location);
	m->occupation = mem_strdup(occupation);
	evidence_mark_release(&old);
}

void evidence_mark_release(struct evidence_mark *m)
{
	free(m->location);
	free(m->occupation);
	*m = (struct evidence_mark){ 0 };
}

/* ---- one row ---- */

static double number_or(const struct pg_rows *rows, size_t i, enum column column, double otherwise)
{
	const char *text = pg_cell(rows, i, (int)column);
	double v = otherwise;

	if (text)
		scan_double(text, 0, DBL_MAX, &v, NULL);
	return v;
}

static bool days_since(const char *day, double *ret)
{
	int64_t then, now = clock_wall_us();

	if (!day || clock_parse_iso(day, &then, NULL) < 0)
		return false;
	*ret = then > now ? 0 : (double)((now - then) / DAY_US);
	return true;
}

/* The day it is about where the row says it, else its age when it was written and the days since,
 * else from the middle of its year. */
static double age_days(const struct pg_rows *rows, size_t i)
{
	double written = number_or(rows, i, AGE_WHEN_WRITTEN, -1), age = -1;
	char middle[24];

	if (days_since(pg_cell(rows, i, AS_OF), &age))
		return age;
	if (written >= 0)
		return written + number_or(rows, i, DAYS_SINCE, 0);
	snprintf(middle, sizeof middle, "%04d-07-01", (int)pg_int(rows, i, YEAR));
	return days_since(middle, &age) ? age : -1;
}

static double answers(const struct pg_rows *rows, size_t i)
{
	double sample = number_or(rows, i, SAMPLE, -1), employed;

	if (sample >= 0)
		return sample;
	employed = number_or(rows, i, EMPLOYMENT, -1);
	return employed < 0 ? -1 : employed / SCORE_EMPLOYED_PER_ANSWER;
}

static int steps_wider(const struct pg_rows *rows, size_t i)
{
	int v = 0;

	scan_int(pg_text(rows, i, STEPS), 0, STEPS_MAX, &v, NULL);
	return v;
}

static struct score_evidence read_row(const struct pg_rows *rows, size_t i, double half_life_days)
{
	return (struct score_evidence){
		.source = pg_text(rows, i, SOURCE),
		.value = pg_num(rows, i, VALUE),
		.age_days = age_days(rows, i),
		.half_life_days = half_life_days,
		.sample = answers(rows, i),
		.error_percent = number_or(rows, i, ERROR_PERCENT, -1),
		.steps_wider = steps_wider(rows, i),
		.lower_bound = pg_bool(rows, i, BOUND),
		.estimate = pg_bool(rows, i, ESTIMATE),
	};
}

/* ---- groups ---- */

static bool same_cell(const struct pg_rows *rows, size_t a, size_t b, enum column column)
{
	const char *x = pg_cell(rows, a, (int)column), *y = pg_cell(rows, b, (int)column);

	return x && y ? strcmp(x, y) == 0 : x == y;
}

static bool same_title(const struct pg_rows *rows, size_t a, size_t b)
{
	return same_cell(rows, a, b, LOCATION) && same_cell(rows, a, b, OCCUPATION);
}

static bool has_source(const struct score_evidence *v, size_t n, const char *source)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].source, source) == 0)
			return true;
	return false;
}

/* Rows first … last - 1 are one group, its own before those that are lent. */
static int see_group(const struct pg_rows *rows, size_t first, size_t last, const struct kind *kind,
		     evidence_fn *see, void *ctx, struct err *e)
{
	struct score_evidence *evidence = mem_alloc((last - first) * sizeof *evidence);
	struct evidence_group g = {
		.location = pg_cell(rows, first, LOCATION),
		.occupation = pg_cell(rows, first, OCCUPATION),
		.industry = pg_cell(rows, first, INDUSTRY),
		.evidence = evidence,
	};
	int r;

	for (size_t i = first; i < last; i++) {
		bool lent = pg_bool(rows, i, LENT);

		if (lent && has_source(evidence, g.count, pg_text(rows, i, SOURCE)))
			continue;
		evidence[g.count++] = read_row(rows, i, kind->half_life_days);
		g.lent += lent;
		if (!lent && (int)pg_int(rows, i, YEAR) > g.year) {
			g.year = (int)pg_int(rows, i, YEAR);
			g.cache_key = pg_cell(rows, i, CACHE_KEY);
		}
	}
	r = see(ctx, &g, e);
	free(evidence);
	return r;
}

static int see_groups(const struct pg_rows *rows, size_t n, const struct kind *kind,
		      evidence_fn *see, void *ctx, struct err *e)
{
	size_t first = 0;
	int r = 0;

	for (size_t i = 1; r >= 0 && i <= n; i++) {
		if (i < n && same_title(rows, first, i) && same_cell(rows, first, i, INDUSTRY))
			continue;
		r = see_group(rows, first, i, kind, see, ctx, e);
		first = i;
	}
	return r;
}

/* ---- pages ---- */

int evidence_count(struct pg *pg, enum evidence_kind kind, const struct evidence_query *q,
		   int64_t *ret, struct err *e)
{
	const struct pg_param place[] = { PG_TEXT(q->location), PG_TEXT(q->occupation),
					  PG_TEXT(q->occupation_given) };
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, KINDS[kind].count, place, COUNT(place), &rows, e);

	if (r >= 0)
		*ret = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

/* A full page may end within an occupation: that one is left to the next page, unless there is no
 * other. Gives the rows to look at. */
static size_t cut_page(const struct pg_rows *rows, struct evidence_page *page)
{
	size_t n = pg_rows_count(rows), end = n;
	int64_t read = 0;

	for (size_t i = 0; i < n && read == 0; i++)
		read = pg_int(rows, i, ROWS_READ);
	page->more = read >= EVIDENCE_PAGE_ROWS;
	while (page->more && end > 0 && same_title(rows, end - 1, n - 1))
		end--;
	page->crowded = page->more && end == 0;
	if (page->crowded)
		end = n;
	page->figures = 0;
	for (size_t i = 0; i < end; i++)
		page->figures += !pg_bool(rows, i, LENT);
	return end;
}

int evidence_page(struct pg *pg, enum evidence_kind kind, const struct evidence_query *q,
		  struct evidence_mark *mark, evidence_fn *see, void *ctx,
		  struct evidence_page *ret, struct err *e)
{
	const struct kind *k = &KINDS[kind];
	bool fresh = !mark->location;
	const struct pg_param params[] = {
		PG_TEXT(fresh ? "" : mark->location), PG_TEXT(fresh ? "" : mark->occupation),
		PG_INT(EVIDENCE_PAGE_ROWS), PG_TEXT(q->location),
		PG_TEXT(q->occupation), PG_TEXT(q->occupation_given),
	};
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, k->page, params, COUNT(params), &rows, e);
	struct evidence_page page;
	size_t n;

	if (r < 0)
		return (int)r;
	n = cut_page(rows, &page);
	r = see_groups(rows, n, k, see, ctx, e);
	if (r >= 0 && n > 0)
		evidence_mark_set(mark, pg_text(rows, n - 1, LOCATION),
				  pg_cell(rows, n - 1, OCCUPATION));
	pg_rows_free(rows);
	if (r >= 0)
		*ret = page;
	return r < 0 ? (int)r : 0;
}
