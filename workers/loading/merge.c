/* SPDX-License-Identifier: MIT */
#include "workers/loading/merge.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/loading/column.h"
#include "workers/loading/staging.h"

enum { SQL_MAX = 256 * 1024 };

/* s is load_staging, in every statement that uses it. */
static const char RANK[] = "s.quality_score DESC, length(s.description) DESC, s.job_index";

/* The first value by rank that says something. */
#define FIRST(column) \
	"(array_agg(" column " ORDER BY quality_score DESC, job_index)" \
	" FILTER (WHERE " column " IS NOT NULL))[1]"
/* What a known company gains. */
#define FILLED(column) column " = coalesce(c." column ", excluded." column ")"
#define GAINED(column) "(c." column " IS NULL AND excluded." column " IS NOT NULL)"

static const char SQL_COMPANIES[] =
	"INSERT INTO public.companies AS c (name, match_key, website, logo_url, company_type,"
	" linkedin_url, naics_code, naics_name, is_demo)"
	" SELECT " FIRST("company") ", dedupe_company, " FIRST("company_website") ", "
	FIRST("company_logo") ", " FIRST("company_type") ", " FIRST("company_linkedin") ", "
	FIRST("naics_code") ", " FIRST("naics_name") ", is_demo"
	" FROM load_staging WHERE job_index BETWEEN $1::int AND $2::int AND dedupe_company <> ''"
	" GROUP BY dedupe_company, is_demo ORDER BY dedupe_company, is_demo"
	" ON CONFLICT (match_key, is_demo) DO UPDATE SET " FILLED("website") ", "
	FILLED("logo_url") ", " FILLED("company_type") ", " FILLED("linkedin_url") ", "
	FILLED("naics_code") ", " FILLED("naics_name") ", last_seen = now(), updated_at = now()"
	" WHERE " GAINED("website") " OR " GAINED("logo_url") " OR " GAINED("company_type")
	" OR " GAINED("linkedin_url") " OR " GAINED("naics_code") " OR " GAINED("naics_name");

static const char SQL_IDS[] =
	"UPDATE load_staging s SET job_id = j.id FROM public.enhanced_jobs j"
	" WHERE j.dedupe_key = s.merge_key AND j.is_demo = s.is_demo"
	" AND s.job_index BETWEEN $1::int AND $2::int";

static const char SQL_SOURCES[] =
	"INSERT INTO public.job_sources AS o (job_id, api_provider, publisher, external_id,"
	" apply_url, collection_id, processing_id, job_index, posted_at)"
	" SELECT DISTINCT ON (job_id, api_provider, publisher, external_id) job_id, api_provider,"
	" publisher, external_id, apply_url, nullif($3, '')::uuid, $4::uuid, job_index, posted_at"
	" FROM load_staging WHERE job_index BETWEEN $1::int AND $2::int"
	" ORDER BY job_id, api_provider, publisher, external_id, job_index"
	" ON CONFLICT ON CONSTRAINT job_sources_once DO UPDATE SET last_seen = now(),"
	" times_seen = o.times_seen + 1, collection_id = excluded.collection_id,"
	" processing_id = excluded.processing_id, job_index = excluded.job_index,"
	" apply_url = coalesce(excluded.apply_url, o.apply_url),"
	" posted_at = coalesce(excluded.posted_at, o.posted_at)"
	" WHERE o.collection_id IS DISTINCT FROM excluded.collection_id";

/* loaded: the row that made or changed a posting; duplicate: one that repeats it. */
static const char SQL_STATUS[] =
	"UPDATE public.processed_job_data p SET job_id = s.job_id, loaded_at = now(),"
	" load_error = NULL, load_status ="
	" CASE WHEN s.outcome IN ('inserted', 'updated') THEN 'loaded' ELSE 'duplicate' END,"
	" duplicate_of = CASE WHEN s.outcome = 'inserted' THEN NULL ELSE s.job_id END"
	" FROM load_staging s WHERE p.processing_id = $3::uuid AND p.job_index = s.job_index"
	" AND s.job_index BETWEEN $1::int AND $2::int";

static const char SQL_COUNT[] =
	"SELECT count(*) FILTER (WHERE outcome = 'inserted'),"
	" count(*) FILTER (WHERE outcome = 'updated'),"
	" count(*) FILTER (WHERE outcome = 'unchanged'),"
	" count(*) FILTER (WHERE outcome = 'duplicate') FROM load_staging";

static bool is_filled_by_null(const struct column *c)
{
	return c->absent == NULL;
}

/* What the leading row of a group of equal keys gets for one column. */
static void put_group_value(struct buf *b, const struct column *c)
{
	if (c->merge == MERGE_POSTED)
		buf_printf(b, "(array_agg(s.%s ORDER BY s.posted_at IS NULL,"
			   " s.posted_exact DESC, %s))[1]", c->name, RANK);
	else if (c->merge == MERGE_PAY)
		buf_printf(
			b,
			"(array_agg(s.%s ORDER BY (s.salary_min IS NULL AND s.salary_max IS NULL), %s))[1]",
			c->name, RANK);
	else if (is_filled_by_null(c))
		buf_printf(b, "(array_agg(s.%s ORDER BY %s) FILTER (WHERE s.%s IS NOT NULL))[1]",
			   c->name, RANK, c->name);
	else if (c->kind == COLUMN_TEXTS)	/* arrays of arrays would have to be of one length */
		buf_printf(b, "(SELECT l.%s FROM load_staging l WHERE l.job_index ="
			   " (array_agg(s.job_index ORDER BY %s))[1])", c->name, RANK);
	else
		buf_printf(b, "(array_agg(s.%s ORDER BY %s))[1]", c->name, RANK);
}

/* new wins / known wins, by the rule in the header. */
static const char WINS[] =
	"(excluded.quality_score > j.quality_score OR (excluded.quality_score = j.quality_score"
	" AND excluded.api_provider = j.api_provider"
	" AND excluded.external_id IS NOT DISTINCT FROM j.external_id))";

static const char HAS_PAY_NEW[] =
	"(excluded.salary_min IS NOT NULL OR excluded.salary_max IS NOT NULL)";
static const char HAS_PAY_KNOWN[] = "(j.salary_min IS NOT NULL OR j.salary_max IS NOT NULL)";

static void put_merged(struct buf *b, const struct column *c)
{
	const char *n = c->name;

	if (c->merge == MERGE_PAY)
		buf_printf(b, "CASE WHEN %s AND (%s OR NOT %s) THEN excluded.%s ELSE j.%s END",
			   HAS_PAY_NEW, WINS, HAS_PAY_KNOWN, n, n);
	else if (c->merge == MERGE_POSTED)
		buf_printf(b, "CASE WHEN j.posted_at IS NULL OR (excluded.posted_exact AND %s)"
			   " THEN excluded.%s ELSE j.%s END", WINS, n, n);
	else if (is_filled_by_null(c))
		buf_printf(
			b,
			"CASE WHEN %s THEN coalesce(excluded.%s, j.%s) ELSE coalesce(j.%s, excluded.%s) END",
			WINS, n, n, n, n);
	else if (c->kind == COLUMN_FLAG || c->kind == COLUMN_NUMBER)
		buf_printf(b, "CASE WHEN %s THEN excluded.%s ELSE j.%s END", WINS, n, n);
	else
		buf_printf(
			b,
			"CASE WHEN excluded.%s = '%s' THEN j.%s WHEN %s OR j.%s = '%s' THEN excluded.%s"
			" ELSE j.%s END",
			n, c->absent, n, WINS, n, c->absent, n, n);
}

static bool is_merged(const struct column *c)
{
	return c->merge == MERGE_BEST || c->merge == MERGE_PAY || c->merge == MERGE_POSTED;
}

static bool is_posting_column(const struct column *c)
{
	return c->merge != MERGE_STAGED;
}

static void put_insert(struct buf *b)
{
	buf_puts(b, "INSERT INTO public.enhanced_jobs AS j (dedupe_key, source_collection_id,"
		 " source_processing_id, sources, company_id, embedding");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (is_posting_column(&COLUMNS[i]))
			buf_printf(b, ", %s", COLUMNS[i].name);
	buf_printf(b, ") SELECT merge_key, nullif($3, '')::uuid, $4::uuid,"
		   " array_agg(DISTINCT coalesce(publisher, api_provider)),"
		   " (SELECT c.id FROM public.companies c WHERE c.match_key ="
		   " (array_agg(s.dedupe_company ORDER BY %s))[1] AND c.is_demo = s.is_demo),"
		   " (SELECT p.embedding FROM public.processed_job_data p"
		   " WHERE p.processing_id = $4::uuid AND p.job_index ="
		   " (array_agg(s.job_index ORDER BY %s))[1])", RANK, RANK);
	for (int i = 0; i < COLUMNS_COUNT; i++) {
		if (!is_posting_column(&COLUMNS[i]))
			continue;
		buf_puts(b, ", ");
		if (!strcmp(COLUMNS[i].name, "is_demo"))
			buf_puts(b, "is_demo");
		else
			put_group_value(b, &COLUMNS[i]);
	}
	buf_puts(b, " FROM load_staging s WHERE job_index BETWEEN $1::int AND $2::int"
		 " GROUP BY merge_key, is_demo ORDER BY merge_key, is_demo");
}

static const char SOURCES_MERGED[] =
	"CASE WHEN excluded.sources <@ j.sources THEN j.sources ELSE"
	" (SELECT array_agg(DISTINCT x ORDER BY x)"
	" FROM unnest(j.sources || excluded.sources) x) END";

/* The columns that make a posting another one when they change. raw_data follows them: it differs
 * between any two answers, and alone is no news. */
static bool is_telling(const struct column *c)
{
	return is_merged(c) && strcmp(c->name, "raw_data") &&
		strcmp(c->name, "metadata") && strcmp(c->name, "external_id") &&
		strcmp(c->name, "api_provider");
}

static void put_update(struct buf *b)
{
	buf_printf(
		b,
		" ON CONFLICT (dedupe_key, is_demo) DO UPDATE SET sources = %s, last_seen = now(),"
		" updated_at = now(), times_seen = j.times_seen + 1, status = 'active',"
		" company_id = coalesce(j.company_id, excluded.company_id),"
		" embedding = CASE WHEN %s THEN coalesce(excluded.embedding, j.embedding)"
		" ELSE j.embedding END, source_collection_id ="
		" CASE WHEN %s THEN excluded.source_collection_id ELSE j.source_collection_id END,"
		" source_processing_id ="
		" CASE WHEN %s THEN excluded.source_processing_id ELSE j.source_processing_id END",
		SOURCES_MERGED, WINS, WINS, WINS);
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (is_merged(&COLUMNS[i])) {
			buf_printf(b, ", %s = ", COLUMNS[i].name);
			put_merged(b, &COLUMNS[i]);
		}
	buf_puts(b, " WHERE NOT excluded.sources <@ j.sources OR j.status <> 'active'");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (is_telling(&COLUMNS[i])) {
			buf_printf(b, " OR j.%s IS DISTINCT FROM ", COLUMNS[i].name);
			put_merged(b, &COLUMNS[i]);
		}
}

static char *jobs_statement(void)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "WITH written AS (");
	put_insert(&b);
	put_update(&b);
	buf_printf(
		&b,
		" RETURNING dedupe_key, is_demo, xmax = 0 AS fresh), ranked AS (SELECT job_index,"
		" row_number() OVER (PARTITION BY merge_key, is_demo ORDER BY %s) AS place"
		" FROM load_staging s WHERE job_index BETWEEN $1::int AND $2::int)"
		" UPDATE load_staging s SET outcome = CASE WHEN r.place > 1 THEN 'duplicate'"
		" WHEN w.fresh THEN 'inserted' WHEN NOT w.fresh THEN 'updated'"
		" ELSE 'unchanged' END"
		" FROM ranked r LEFT JOIN load_staging t ON t.job_index = r.job_index"
		" LEFT JOIN written w ON w.dedupe_key = t.merge_key AND w.is_demo = t.is_demo"
		" WHERE s.job_index = r.job_index",
		RANK);
	return buf_take(&b);
}

/* All statements of a merge, over job_index from..to. */
static int merge_once(struct staging *s, const char *jobs, const char *collection_id, int64_t from,
		      int64_t to, struct err *e)
{
	struct pg_param range[] = { PG_INT(from), PG_INT(to), PG_TEXT(collection_id),
				    PG_TEXT(s->processing_id) };
	struct pg_param status[] = { range[0], range[1], range[3] };
	int64_t r = pg_run(s->pg, SQL_COMPANIES, range, 2, NULL, e);

	if (r >= 0)
		r = pg_run(s->pg, jobs, range, 4, NULL, e);
	if (r >= 0)
		r = pg_run(s->pg, SQL_IDS, range, 2, NULL, e);
	if (r >= 0)
		r = pg_run(s->pg, SQL_SOURCES, range, 4, NULL, e);
	if (r >= 0)
		r = pg_run(s->pg, SQL_STATUS, status, 3, NULL, e);
	return r < 0 ? (int)r : 0;
}

static int drop_row(struct staging *s, int64_t index, const char *why, struct err *e)
{
	int64_t r = pg_run(s->pg, "DELETE FROM load_staging WHERE job_index = $1::int",
			   PG_PARAMS(PG_INT(index)), NULL, e);

	return r < 0 ? (int)r : r == 0 ? 0 : staging_mark_failed(s, index, why, e);
}

static int merge_range(struct staging *s, const char *jobs, const char *collection_id, int64_t from,
		       int64_t to, struct err *e)
{
	struct err why = { 0 };
	int64_t middle = from + (to - from) / 2;
	int r = pg_exec(s->pg, "SAVEPOINT merge", e);

	if (r < 0)
		return r;
	r = merge_once(s, jobs, collection_id, from, to, &why);
	if (r == 0)
		return pg_exec(s->pg, "RELEASE SAVEPOINT merge", e);
	if (!staging_is_rows_fault(s, r)) {
		if (e)
			*e = why;
		return r;
	}
	r = pg_exec(s->pg, "ROLLBACK TO SAVEPOINT merge; RELEASE SAVEPOINT merge", e);
	if (r < 0)
		return r;
	if (from == to)
		return drop_row(s, from, why.msg, e);
	r = merge_range(s, jobs, collection_id, from, middle, e);
	return r < 0 ? r : merge_range(s, jobs, collection_id, middle + 1, to, e);
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

static int span(struct staging *s, int64_t *ret_from, int64_t *ret_to, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(s->pg, "SELECT min(job_index), max(job_index) FROM load_staging", NULL,
			   0, &rows, e);
	int some = r > 0 && pg_cell(rows, 0, 0) != NULL;

	if (some) {
		*ret_from = pg_int(rows, 0, 0);
		*ret_to = pg_int(rows, 0, 1);
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : some;
}

int merge_all(struct staging *s, const char *collection_id, struct merge_counts *ret, struct err *e)
{
	char *jobs;
	int64_t from = 0, to = 0;
	int r = pg_exec(s->pg, "ANALYZE load_staging", e);

	*ret = (struct merge_counts){ 0 };
	if (r == 0)
		r = span(s, &from, &to, e);
	if (r <= 0)
		return r;
	jobs = jobs_statement();
	r = merge_range(s, jobs, collection_id, from, to, e);
	free(jobs);
	return r < 0 ? r : count(s, ret, e);
}
