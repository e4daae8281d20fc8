/* SPDX-License-Identifier: MIT */
#include <float.h>

#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg_private.h"

struct pg_rows {
	PGresult *res;
};

struct pg_rows *pg_rows_of(PGresult *res)
{
	struct pg_rows *r = mem_zalloc(sizeof *r);

	r->res = res;
	return r;
}

void pg_rows_free(struct pg_rows *r)
{
	if (!r)
		return;
	PQclear(r->res);
	free(r);
}

const char *pg_int_text(char out[24], int64_t v)
{
	snprintf(out, 24, "%lld", (long long)v);
	return out;
}

size_t pg_rows_count(const struct pg_rows *r)
{
	return r ? (size_t)PQntuples(r->res) : 0;
}

const char *pg_cell(const struct pg_rows *r, size_t row, int col)
{
	if (row >= pg_rows_count(r) || col < 0 || col >= PQnfields(r->res) ||
	    PQgetisnull(r->res, (int)row, col))
		return NULL;
	return PQgetvalue(r->res, (int)row, col);
}

const char *pg_text(const struct pg_rows *r, size_t row, int col)
{
	const char *cell = pg_cell(r, row, col);

	return cell ? cell : "";
}

int64_t pg_int(const struct pg_rows *r, size_t row, int col)
{
	const char *cell = pg_cell(r, row, col);
	int64_t v = 0;

	if (cell && scan_int64(cell, INT64_MIN, INT64_MAX, &v, NULL) < 0)
		v = (int64_t)pg_num(r, row, col);	/* a numeric with a scale */
	return v;
}

double pg_num(const struct pg_rows *r, size_t row, int col)
{
	const char *cell = pg_cell(r, row, col);
	double v = 0;

	if (cell)
		scan_double(cell, -DBL_MAX, DBL_MAX, &v, NULL);
	return v;
}

bool pg_bool(const struct pg_rows *r, size_t row, int col)
{
	return pg_text(r, row, col)[0] == 't';
}

void *pg_bytea(const struct pg_rows *r, size_t row, int col, size_t *ret_len)
{
	const char *cell = pg_cell(r, row, col);
	unsigned char *bytes;
	void *copy;

	if (!cell)
		return NULL;
	bytes = mem_check(PQunescapeBytea((const unsigned char *)cell, ret_len));
	copy = mem_dup(bytes, *ret_len);
	PQfreemem(bytes);
	return copy;
}
