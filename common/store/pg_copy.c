/* SPDX-License-Identifier: MIT */
/* COPY … TO STDOUT. */
#include <poll.h>

#include "common/base/buf.h"
#include "common/store/pg_private.h"

static int start(struct pg *p, const char *sql, int64_t until_ms, struct err *e)
{
	PGresult *res = NULL;
	int r = p->broken ? err_set(e, ERR_DB, "PostgreSQL: connection is broken") : 0;
	bool good;

	if (r == 0 && !PQsendQuery(p->conn, sql))
		r = pg_fail_conn(p, p->conn, e);
	if (r == 0)
		r = pg_flush(p, until_ms, e);
	if (r == 0)
		r = pg_next_result(p, until_ms, &res, e);
	if (r < 0)
		return r;
	good = PQresultStatus(res) == PGRES_COPY_OUT;
	if (!good)
		r = pg_check(p, res, e);
	PQclear(res);
	if (!good && r == 0)
		r = err_set(e, ERR_INTERNAL, "PostgreSQL: not a COPY … TO STDOUT");
	while (!good && !p->broken && pg_next_result(p, until_ms, &res, NULL) == 0 && res)
		PQclear(res);
	return r;
}

static int wait_for_more(struct pg *p, int64_t until_ms, struct err *e)
{
	int r = pg_poll(p, PQsocket(p->conn), POLLIN, until_ms, e);

	if (r == 0) {
		p->broken = true;
		return err_set(e, ERR_TIMEOUT, "PostgreSQL: no answer before the deadline");
	}
	if (r > 0 && !PQconsumeInput(p->conn))
		return pg_fail_conn(p, p->conn, e);
	return r < 0 ? r : 0;
}

/* Past out's maximum the rest is read and dropped: the connection stays usable. */
static int read_pieces(struct pg *p, struct buf *out, int64_t until_ms, struct err *e)
{
	char *piece = NULL;
	int r = 0;

	while (r == 0) {
		int n = PQgetCopyData(p->conn, &piece, 1);

		if (n == -1)
			return 0;
		if (n == -2)
			return pg_fail_conn(p, p->conn, e);
		if (n == 0) {
			r = wait_for_more(p, until_ms, e);
			continue;
		}
		buf_append(out, piece, (size_t)n);
		PQfreemem(piece);
	}
	return r;
}

int pg_copy_out(struct pg *p, const char *sql, struct buf *out, struct err *e)
{
	int64_t until_ms = pg_until(p);
	PGresult *res = NULL;
	int r = start(p, sql, until_ms, e), got = 0;

	if (r == 0)
		r = read_pieces(p, out, until_ms, e);
	if (r < 0)
		return r;
	while ((got = pg_next_result(p, until_ms, &res, r == 0 ? e : NULL)) == 0 && res) {
		if (r == 0)
			r = pg_check(p, res, e);
		PQclear(res);
	}
	if (got < 0)
		return got;
	return r == 0 && buf_overflowed(out)
		? err_set(e, ERR_TOO_BIG, "PostgreSQL: COPY gives more than %zu bytes", out->max)
		: r;
}
