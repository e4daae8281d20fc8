/* SPDX-License-Identifier: MIT */
#include "workers/loading/staging.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/loading/column.h"

enum { SQL_MAX = 64 * 1024 };

static char *create_statement(void)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b,
		 "CREATE TEMPORARY TABLE load_staging (LIKE public.enhanced_jobs INCLUDING DEFAULTS"
		 " INCLUDING CONSTRAINTS INCLUDING COMPRESSION, job_index integer PRIMARY KEY, merge_key text NOT NULL,"
		 " place integer, leader integer, folds boolean, job_id uuid, outcome text");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (COLUMNS[i].merge == MERGE_STAGED)
			buf_printf(&b, ", %s text", COLUMNS[i].name);
	buf_puts(&b, ") ON COMMIT DROP");
	return buf_take(&b);
}

int staging_open(struct staging *s, struct pg *pg, const char *processing_id, char *weights,
		 struct err *e)
{
	char *create = create_statement();
	int r = pg_exec(pg, create, e);

	*s = (struct staging){ .pg = pg, .processing_id = processing_id, .weights = weights };
	free(create);
	return r;
}

void staging_release(struct staging *s)
{
	free(s->weights);
	s->weights = NULL;
}

static const char TARGETS[] = "job_index, place, merge_key, dedupe_key, sources, source_weight";

/* COPY takes no parameters: the id is a checked uuid, the weights are quoted here. A publisher's
 * own weight goes before that of the source that brought it. */
static char *read_statement(const struct staging *s, int64_t from, int64_t to)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(
		&b,
		"COPY (SELECT p.job_index, p.job_index, coalesce(p.processed_data->>'merge_key', r.dedupe_key),"
		" r.dedupe_key,"
		" ARRAY[coalesce(r.publisher, r.api_provider)],"
		" coalesce(w.weights->>split_part(lower(r.publisher), '.', 1),"
		" w.weights->>lower(r.api_provider), '1')::numeric(3,2), ");
	column_put_values(&b);
	buf_puts(&b, " FROM public.processed_job_data p, jsonb_populate_record("
		 "NULL::pg_temp.load_staging, p.processed_data) r, (SELECT '");
	for (const char *c = s->weights; *c; c++)
		buf_puts(&b, *c == '\'' ? "''" : (const char[]){ *c, '\0' });
	buf_printf(&b, "'::jsonb AS weights) w WHERE p.processing_id = '%s' AND p.job_index BETWEEN"
		   " %lld AND %lld AND p.load_status = 'pending') TO STDOUT (FORMAT binary)",
		   s->processing_id, (long long)from, (long long)to);
	return buf_take(&b);
}

static int read_range(const struct staging *s, int64_t from, int64_t to, struct buf *ret,
		      struct err *e)
{
	char *sql = read_statement(s, from, to);
	int r = pg_copy_out(s->pg, sql, ret, e);

	free(sql);
	return r;
}

static int64_t write_rows(const struct staging *s, const struct buf *rows, struct err *e)
{
	struct buf sql;
	int r;

	buf_init(&sql, SQL_MAX);
	buf_printf(&sql, "COPY pg_temp.load_staging (%s, ", TARGETS);
	column_put_names(&sql, "");
	buf_puts(&sql, ") FROM STDIN (FORMAT binary)");
	r = pg_copy_start(s->pg, buf_text(&sql), e);
	buf_release(&sql);
	if (r == 0)
		r = pg_copy_data(s->pg, rows->data, rows->len, e);
	return r < 0 ? r : pg_copy_end(s->pg, NULL, e);
}

enum staging_fault staging_fault(const struct staging *s, int r)
{
	static const char *const CROWD[] = {
		"40001", "40P01", "55P03",	/* serialization, deadlock, lock_timeout */
		"23505",			/* another load took the key just now */
		"53200",			/* memory */
	};
	const char *state = pg_sqlstate(s->pg);

	if (!pg_is_alive(s->pg))
		return STAGING_FATAL;
	for (size_t i = 0; i < COUNT(CROWD); i++)
		if (r == -ERR_DB && !strcmp(state, CROWD[i]))
			return STAGING_CROWD;
	/* 21000: two rows of one statement met in one target */
	if (r == -ERR_INVALID || r == -ERR_CONFLICT || r == -ERR_TOO_BIG ||
	    (r == -ERR_INTERNAL && !strncmp(state, "21", 2)))
		return STAGING_ROWS;
	return STAGING_FATAL;
}

int staging_mark_failed(struct staging *s, int64_t job_index, const char *why, struct err *e)
{
	int64_t r = pg_run(
		s->pg,
		"UPDATE public.processed_job_data SET load_status = 'failed', load_error = $3"
		" WHERE processing_id = $1::uuid AND job_index = $2::int AND load_status = 'pending'",
		PG_PARAMS(PG_TEXT(s->processing_id), PG_INT(job_index), PG_TEXT(why)), NULL, e);

	s->failed += r > 0;
	return r < 0 ? (int)r : 0;
}

static int64_t copy_range(const struct staging *s, int64_t from, int64_t to, struct err *e)
{
	struct buf rows;
	int64_t n;

	buf_init(&rows, STAGING_MAX_BYTES);
	n = read_range(s, from, to, &rows, e);
	if (n == 0)
		n = write_rows(s, &rows, e);
	buf_release(&rows);
	return n;
}

/* Rows from..to by index; halved down to those that are refused. */
static int stage_range(struct staging *s, int64_t from, int64_t to, struct err *e)
{
	struct err why = { 0 };
	int64_t middle = from + (to - from) / 2, n;
	int r = pg_exec(s->pg, "SAVEPOINT staging", e);

	if (r < 0)
		return r;
	n = copy_range(s, from, to, &why);
	if (n >= 0) {
		s->staged += (int)n;
		return pg_exec(s->pg, "RELEASE SAVEPOINT staging", e);
	}
	if (staging_fault(s, (int)n) == STAGING_FATAL) {
		if (e)
			*e = why;
		return (int)n;
	}
	r = pg_exec(s->pg, "ROLLBACK TO SAVEPOINT staging; RELEASE SAVEPOINT staging", e);
	if (r < 0)
		return r;
	if (from == to)
		return staging_mark_failed(s, from, why.msg, e);
	r = stage_range(s, from, middle, e);
	return r < 0 ? r : stage_range(s, middle + 1, to, e);
}

int staging_fill(struct staging *s, int64_t after, int n, int64_t *ret_last, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t count, first = 0, r = pg_run(
		s->pg,
		"SELECT count(*), min(job_index), max(job_index) FROM (SELECT job_index"
		" FROM public.processed_job_data WHERE processing_id = $1::uuid"
		" AND job_index > $2::int AND load_status = 'pending'"
		" ORDER BY job_index LIMIT $3::int) AS next",
		PG_PARAMS(PG_TEXT(s->processing_id), PG_INT(after), PG_INT(n)), &rows, e);

	count = r < 0 ? r : pg_int(rows, 0, 0);
	if (count > 0) {
		first = pg_int(rows, 0, 1);
		*ret_last = pg_int(rows, 0, 2);
	}
	pg_rows_free(rows);
	if (count <= 0)
		return (int)count;
	r = stage_range(s, first, *ret_last, e);
	return r < 0 ? (int)r : (int)count;
}
