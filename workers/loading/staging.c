/* SPDX-License-Identifier: MIT */
#include "workers/loading/staging.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/loading/column.h"

enum { CHUNK_MAX_BYTES = 256 * 1024 * 1024 };

/* Rows of one chunk in COPY's form, and where each begins. */
struct chunk {
	struct buf lines;
	int64_t *index;
	size_t *at;		/* n + 1 of them */
	int n;
};

static char *create_statement(void)
{
	struct buf b;

	buf_init(&b, 64 * 1024);
	buf_puts(&b,
		 "CREATE TEMPORARY TABLE load_staging (LIKE public.enhanced_jobs INCLUDING DEFAULTS"
		 " INCLUDING CONSTRAINTS, job_index integer PRIMARY KEY, merge_key text NOT "
		 "NULL, job_id uuid,"
		 " outcome text");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		if (COLUMNS[i].merge == MERGE_STAGED)
			buf_printf(&b, ", %s text", COLUMNS[i].name);
	buf_puts(&b, ") ON COMMIT DROP");
	return buf_take(&b);
}

int staging_open(struct staging *s, struct pg *pg, const char *processing_id, struct err *e)
{
	char *create = create_statement();
	int r = pg_exec(pg, create, e);

	*s = (struct staging){ .pg = pg, .processing_id = processing_id };
	free(create);
	return r;
}

static int copy_range(struct staging *s, const struct chunk *c, int from, int to, struct err *e)
{
	struct buf sql;
	int64_t n;
	int r;

	buf_init(&sql, 64 * 1024);
	buf_puts(&sql, "COPY load_staging (job_index, merge_key, dedupe_key");
	for (int i = 0; i < COLUMNS_COUNT; i++)
		buf_printf(&sql, ", %s", COLUMNS[i].name);
	buf_puts(&sql, ") FROM STDIN");
	r = pg_copy_start(s->pg, buf_text(&sql), e);
	buf_release(&sql);
	if (r == 0)
		r = pg_copy_data(s->pg, c->lines.data + c->at[from], c->at[to] - c->at[from], e);
	if (r < 0)
		return r;
	n = pg_copy_end(s->pg, NULL, e);
	return n < 0 ? (int)n : 0;
}

bool staging_is_rows_fault(const struct staging *s, int r)
{
	if (!pg_is_alive(s->pg))
		return false;
	/* 21000: two rows of one statement met in one target */
	return r == -ERR_INVALID || r == -ERR_CONFLICT || r == -ERR_TOO_BIG ||
		(r == -ERR_INTERNAL && !strncmp(pg_sqlstate(s->pg), "21", 2));
}

int staging_mark_failed(struct staging *s, int64_t job_index, const char *why, struct err *e)
{
	int64_t r = pg_run(
		s->pg,
		"UPDATE public.processed_job_data SET load_status = 'failed', load_error = $3"
		" WHERE processing_id = $1::uuid AND job_index = $2::int",
		PG_PARAMS(PG_TEXT(s->processing_id), PG_INT(job_index), PG_TEXT(why)), NULL, e);

	s->failed++;
	return r < 0 ? (int)r : 0;
}

static int write_range(struct staging *s, const struct chunk *c, int from, int to, struct err *e)
{
	struct err why = { 0 };
	int middle = from + (to - from) / 2, r = pg_exec(s->pg, "SAVEPOINT staging", e);

	if (r < 0)
		return r;
	r = copy_range(s, c, from, to, &why);
	if (r == 0) {
		s->staged += to - from;
		return pg_exec(s->pg, "RELEASE SAVEPOINT staging", e);
	}
	if (!staging_is_rows_fault(s, r)) {
		if (e)
			*e = why;
		return r;
	}
	r = pg_exec(s->pg, "ROLLBACK TO SAVEPOINT staging; RELEASE SAVEPOINT staging", e);
	if (r < 0)
		return r;
	if (to - from == 1)
		return staging_mark_failed(s, c->index[from], why.msg, e);
	r = write_range(s, c, from, middle, e);
	return r < 0 ? r : write_range(s, c, middle, to, e);
}

static void put_row(struct chunk *c, int64_t index, const char *text)
{
	cJSON *posting = NULL;

	c->at[c->n] = c->lines.len;
	c->index[c->n++] = index;
	if (json_parse(text, strlen(text), &posting, NULL) < 0)
		posting = mem_check(cJSON_CreateObject());	/* jsonb is JSON: only depth could do this */
	buf_printf(&c->lines, "%lld\t", (long long)index);
	column_put_text(&c->lines,
			json_str(posting, "merge_key", json_str(posting, "dedupe_key", "")));
	buf_putc(&c->lines, '\t');
	column_put_text(&c->lines, json_str(posting, "dedupe_key", ""));
	buf_putc(&c->lines, '\t');
	column_put_all(&c->lines, posting);
	buf_putc(&c->lines, '\n');
	cJSON_Delete(posting);
}

static int write_rows(struct staging *s, const struct pg_rows *rows, struct err *e)
{
	size_t n = pg_rows_count(rows);
	struct chunk c = { .index = mem_zalloc((n + 1) * sizeof *c.index),
			   .at = mem_zalloc((n + 1) * sizeof *c.at) };
	int r = 0;

	buf_init(&c.lines, CHUNK_MAX_BYTES);
	for (size_t i = 0; i < n; i++)
		put_row(&c, pg_int(rows, i, 0), pg_text(rows, i, 1));
	c.at[c.n] = c.lines.len;
	if (buf_overflowed(&c.lines))
		r = err_set(e, ERR_TOO_BIG, "%zu postings of one batch are larger than 256 MiB", n);
	else if (c.n > 0)
		r = write_range(s, &c, 0, c.n, e);
	buf_release(&c.lines);
	free(c.index);
	free(c.at);
	return r;
}

int staging_fill(struct staging *s, int64_t after, int n, int64_t *ret_last, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t count =
		pg_run(s->pg,
		       "SELECT job_index, processed_data::text FROM public.processed_job_data"
		       " WHERE processing_id = $1::uuid AND job_index > $2::int AND "
		       "load_status = 'pending'"
		       " ORDER BY job_index LIMIT $3::int",
		       PG_PARAMS(PG_TEXT(s->processing_id), PG_INT(after), PG_INT(n)), &rows, e);
	int r;

	if (count <= 0) {
		pg_rows_free(rows);
		return (int)count;
	}
	*ret_last = pg_int(rows, (size_t)count - 1, 0);
	r = write_rows(s, rows, e);
	pg_rows_free(rows);
	return r < 0 ? r : (int)count;
}
