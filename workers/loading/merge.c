/* SPDX-License-Identifier: MIT */
#include "workers/loading/merge.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/store/pg.h"
#include "workers/loading/merge_sql.h"
#include "workers/loading/staging.h"

struct merge {
	struct staging *staging;
	const struct merge_plan *plan;
	struct merge_sql sql[MERGE_STEPS];
};

struct range {
	int64_t from, to;
};

static const char SQL_COUNT[] =
	"SELECT count(*) FILTER (WHERE outcome = 'inserted'),"
	" count(*) FILTER (WHERE outcome = 'updated'), count(*) FILTER (WHERE outcome IS NULL),"
	" count(*) FILTER (WHERE outcome = 'duplicate') FROM pg_temp.load_staging";

static int64_t step(struct merge *m, enum merge_step which, struct range range, struct err *e)
{
	const struct merge_sql *sql = &m->sql[which];
	const struct pg_param all[MERGE_PARAMS] = {
		[MERGE_FROM] = PG_INT(range.from),
		[MERGE_TO] = PG_INT(range.to),
		[MERGE_COLLECTION] = PG_TEXT(m->plan->collection_id),
		[MERGE_PROCESSING] = PG_TEXT(m->staging->processing_id),
		[MERGE_SEEN_AT] = PG_TEXT(m->plan->seen_at),
		[MERGE_EXPIRE_AFTER] = PG_INT(m->plan->expire_after_s),
	};
	struct pg_param own[MERGE_PARAMS];

	for (int i = 0; i < sql->nparams; i++)
		own[i] = all[sql->params[i]];
	return pg_run(m->staging->pg, sql->text, own, (size_t)sql->nparams, NULL, e);
}

static int64_t steps(struct merge *m, const enum merge_step *which, size_t n, struct range range,
		     struct err *e)
{
	int64_t r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = step(m, which[i], range, e);
	return r;
}
#define STEPS(...) \
	(const enum merge_step[]){ __VA_ARGS__ }, \
	sizeof((const enum merge_step[]){ __VA_ARGS__ }) / sizeof(enum merge_step)

/* A posting that another load made first is there when the insert has waited for it. */
static int64_t insert(struct merge *m, struct range range, struct err *e)
{
	int64_t r = steps(m, STEPS(MERGE_MATCH, MERGE_MEET, MERGE_INSERT, MERGE_RACED), range, e);

	if (r > 0)
		r = steps(m, STEPS(MERGE_MATCH, MERGE_RACED), range, e);
	if (r > 0)
		return err_set(e, ERR_AGAIN, "postings come and go under other loads");
	return r;
}

static int64_t merge_once(struct merge *m, struct range range, struct err *e)
{
	int64_t r = steps(m, STEPS(MERGE_RETIRE, MERGE_LEAD), range, e);

	if (r > 0)
		r = step(m, MERGE_FOLD, range, e);
	if (r >= 0)
		r = steps(m, STEPS(MERGE_NEW_COMPANIES, MERGE_GAIN), range, e);
	if (r >= 0)
		r = insert(m, range, e);
	if (r >= 0)
		r = step(m, MERGE_CHANGED, range, e);
	if (r > 0)
		r = steps(m, STEPS(MERGE_LEAVE, MERGE_UPDATE), range, e);
	if (r >= 0)
		r = steps(m, STEPS(MERGE_FOLLOW, MERGE_SOURCES, MERGE_STATUS), range, e);
	return r;
}

/* The one row of that place; *ret_index stays when there is none. */
static int find_row(struct staging *s, int64_t place, int64_t *ret_index, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(s->pg,
			   "SELECT job_index FROM pg_temp.load_staging WHERE place = $1::int",
			   PG_PARAMS(PG_INT(place)), &rows, e);

	if (r > 0)
		*ret_index = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return r < 0 ? (int)r : r > 0;
}

static int drop_row(struct staging *s, int64_t index, const char *why, struct err *e)
{
	int64_t r = pg_run(s->pg, "DELETE FROM pg_temp.load_staging WHERE job_index = $1::int",
			   PG_PARAMS(PG_INT(index)), NULL, e);

	return r < 0 ? (int)r : staging_mark_failed(s, index, why, e);
}

/* The only row of a range that failed. */
static int give_up(struct staging *s, int64_t place, enum staging_fault fault, const char *why,
		   struct err *e)
{
	int64_t index = 0;
	int r = find_row(s, place, &index, e);

	if (r > 0 && fault == STAGING_CROWD)
		return err_set(e, ERR_AGAIN, "posting %lld alone: %s", (long long)index, why);
	return r > 0 ? drop_row(s, index, why, e) : r;
}

static int merge_range(struct merge *m, struct range range, struct err *e);

static int merge_halves(struct merge *m, struct range range, struct err *e)
{
	int64_t middle = range.from + (range.to - range.from) / 2;
	int r = merge_range(m, (struct range){ range.from, middle }, e);

	return r < 0 ? r : merge_range(m, (struct range){ middle + 1, range.to }, e);
}

static int merge_range(struct merge *m, struct range range, struct err *e)
{
	struct staging *s = m->staging;
	struct err why = { 0 };
	enum staging_fault fault;
	int64_t done;
	int r = pg_exec(s->pg, "SAVEPOINT merge", e);

	if (r < 0)
		return r;
	done = merge_once(m, range, &why);
	if (done >= 0)
		return pg_exec(s->pg, "RELEASE SAVEPOINT merge", e);
	fault = staging_fault(s, (int)done);
	if (fault == STAGING_FATAL) {
		if (e)
			*e = why;
		return (int)done;
	}
	r = pg_exec(s->pg, "ROLLBACK TO SAVEPOINT merge; RELEASE SAVEPOINT merge", e);
	if (r < 0)
		return r;
	if (range.from < range.to)
		return merge_halves(m, range, e);
	return give_up(s, range.from, fault, why.msg, e);
}

static int count(struct staging *s, struct merge_counts *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(s->pg, SQL_COUNT, NULL, 0, &rows, e);

	if (r >= 0)
		*ret = (struct merge_counts){ (int)pg_int(rows, 0, 0), (int)pg_int(rows, 0, 1),
					      (int)pg_int(rows, 0, 2), (int)pg_int(rows, 0, 3) };
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

/* The next batch of staged rows; 0 = none left. */
static int next_range(struct merge *m, int64_t after, struct range *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(m->staging->pg,
			   "SELECT min(place), max(place) FROM (SELECT place"
			   " FROM pg_temp.load_staging WHERE place > $1::int"
			   " ORDER BY place LIMIT $2::int) AS next",
			   PG_PARAMS(PG_INT(after), PG_INT(m->plan->batch)), &rows, e);
	int some = r > 0 && pg_cell(rows, 0, 0) != NULL;

	if (some)
		*ret = (struct range){ pg_int(rows, 0, 0), pg_int(rows, 0, 1) };
	pg_rows_free(rows);
	return r < 0 ? (int)r : some;
}

/* Within a batch keys are locked in order; so that all batches of all loads go that way too, the
 * rows of more than one batch are numbered by key. */
static int arrange(struct staging *s, int batch, struct err *e)
{
	int r = 0;

	if (s->staged > batch)
		r = pg_exec(s->pg, "UPDATE pg_temp.load_staging s SET place = n.place"
			    " FROM (SELECT job_index, row_number() OVER"
			    " (ORDER BY merge_key, is_demo, job_index) AS place"
			    " FROM pg_temp.load_staging) n WHERE n.job_index = s.job_index;"
			    " CREATE INDEX ON pg_temp.load_staging (place)", e);
	return r < 0 ? r :
		       pg_exec(s->pg, "ANALYZE pg_temp.load_staging (job_index, place, merge_key,"
			       " is_demo, dedupe_company, quality_score)", e);
}

int merge_all(struct staging *s, const struct merge_plan *plan, struct merge_counts *ret,
	      struct err *e)
{
	struct merge m = { .staging = s, .plan = plan };
	struct range range = { -1, -1 };
	int r = arrange(s, plan->batch, e);

	*ret = (struct merge_counts){ 0 };
	merge_sql_init(m.sql);
	while (r >= 0 && (r = next_range(&m, range.to, &range, e)) > 0) {
		r = merge_range(&m, range, e);
		FAULT_POINT("loading.batch");
	}
	merge_sql_release(m.sql);
	return r < 0 ? r : count(s, ret, e);
}
