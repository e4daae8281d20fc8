/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg_private.h"

enum {
	LOCK_MS = 5000,
	DEFAULT_MS = 30000,
	ROLLBACK_MS = 2000,	/* a rollback after the deadline still deserves an answer */
	CANCEL_MS = 200,	/* how often a cancel function is asked */
	MAX_PARAMS = 65535,	/* the protocol's own */
};

/* ---- waiting ---- */

int pg_poll(struct pg *p, int fd, short events, int64_t until_ms, struct err *e)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = until_ms - clock_mono_ms();
		int slice = p->cancelled ? CANCEL_MS : DEFAULT_MS, n;

		if (p->cancelled && p->cancelled(p->cancel_ctx)) {
			p->broken = true;
			return err_set(e, ERR_CANCELLED, "PostgreSQL: cancelled while waiting");
		}
		n = poll(&pfd, 1, (int)(left < 0 ? 0 : left < slice ? left : slice));
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR) {
			p->broken = true;
			return err_set(e, ERR_DB, "PostgreSQL: poll: %s", strerror(errno));
		}
		if (n == 0 && left <= slice)
			return 0;
	}
}

int64_t pg_until(const struct pg *p)
{
	return p->deadline_ms ? p->deadline_ms : clock_mono_ms() + DEFAULT_MS;
}

static int late(struct pg *p, struct err *e)
{
	p->broken = true;	/* its answer may still come, and would be taken for the next one's */
	return err_set(e, ERR_TIMEOUT, "PostgreSQL: no answer before the deadline");
}

static int usable(struct pg *p, struct err *e)
{
	if (p->broken)
		return err_set(e, ERR_DB, "PostgreSQL: connection is broken");
	return 0;
}

/* Sends what libpq has queued, and reads meanwhile: a server that is itself waiting for us to read
 * would otherwise wait for ever. */
int pg_flush(struct pg *p, int64_t until_ms, struct err *e)
{
	for (;;) {
		int r = PQflush(p->conn);

		if (r < 0)
			return pg_fail_conn(p, p->conn, e);
		if (r == 0)
			return 0;
		r = pg_poll(p, PQsocket(p->conn), POLLIN | POLLOUT, until_ms, e);
		if (r < 0)
			return r;
		if (r == 0)
			return late(p, e);
		if (!PQconsumeInput(p->conn))
			return pg_fail_conn(p, p->conn, e);
	}
}

/* The next result into *ret, NULL when there is none left. */
int pg_next_result(struct pg *p, int64_t until_ms, PGresult **ret, struct err *e)
{
	while (PQisBusy(p->conn)) {
		int r = pg_poll(p, PQsocket(p->conn), POLLIN, until_ms, e);

		if (r < 0)
			return r;
		if (r == 0)
			return late(p, e);
		if (!PQconsumeInput(p->conn))
			return pg_fail_conn(p, p->conn, e);
	}
	*ret = PQgetResult(p->conn);
	return 0;
}

/* ---- statements ---- */

int pg_check(struct pg *p, const PGresult *res, struct err *e)
{
	switch (PQresultStatus(res)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		return 0;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		p->broken = true;	/* only an end of the copy would free it again */
		return err_set(e, ERR_INTERNAL, "PostgreSQL: COPY needs pg_copy_start");
	default:
		return pg_fail(p, res, e);
	}
}

static int64_t affected(PGresult *res)
{
	int64_t n = 0;

	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		return PQntuples(res);
	scan_int64(PQcmdTuples(res), 0, INT64_MAX, &n, NULL);	/* "" counts nothing */
	return n;
}

/* Reads to the end of the answer. The first failure counts; the last result is kept. */
static int collect(struct pg *p, int64_t until_ms, PGresult **ret_last, struct err *e)
{
	PGresult *last = NULL, *res = NULL;
	int r = 0, got;

	for (;;) {
		got = pg_next_result(p, until_ms, &res, e);
		if (got < 0 || !res)
			break;
		if (r == 0)
			r = pg_check(p, res, e);
		PQclear(last);
		last = res;
		if (p->broken)
			break;
	}
	if (got < 0)
		r = got;
	if (r == 0 && !last)
		r = pg_fail_conn(p, p->conn, e);
	if (r < 0)
		PQclear(last);
	else
		*ret_last = last;
	return r;
}

static int send_params(struct pg *p, const char *sql, const struct pg_param *params, size_t n,
		       struct err *e)
{
	const char **values;
	int *lens, *formats, sent;

	if (n > MAX_PARAMS)
		return err_set(e, ERR_INTERNAL, "PostgreSQL: %zu parameters; at most %d", n,
			       MAX_PARAMS);
	values = mem_zalloc((n + 1) * sizeof *values);
	lens = mem_zalloc((n + 1) * sizeof *lens);
	formats = mem_zalloc((n + 1) * sizeof *formats);
	for (size_t i = 0; i < n; i++) {
		values[i] = params[i].bytes ? params[i].bytes : params[i].text;
		formats[i] = params[i].bytes != NULL;
		lens[i] = (int)params[i].len;
	}
	sent = PQsendQueryParams(p->conn, sql, (int)n, NULL, values, lens, formats, 0);
	free(values);
	free(lens);
	free(formats);
	return sent ? 0 : pg_fail_conn(p, p->conn, e);
}

int64_t pg_run(struct pg *p, const char *sql, const struct pg_param *params, size_t n,
	       struct pg_rows **ret_rows, struct err *e)
{
	int64_t until_ms = pg_until(p), count;
	PGresult *res = NULL;
	int r = usable(p, e);

	if (r == 0)
		r = send_params(p, sql, params, n, e);
	if (p->batch && r == 0) {
		p->batched++;
		return pg_flush(p, until_ms, e);
	}
	if (r == 0)
		r = pg_flush(p, until_ms, e);
	if (r == 0)
		r = collect(p, until_ms, &res, e);
	if (r < 0)
		return r;
	count = affected(res);
	if (ret_rows)
		*ret_rows = pg_rows_of(res);
	else
		PQclear(res);
	return count;
}

static int simple(struct pg *p, const char *sql, int64_t until_ms, PGresult **ret, struct err *e)
{
	int r = usable(p, e);

	if (r == 0 && !PQsendQuery(p->conn, sql))
		r = pg_fail_conn(p, p->conn, e);
	if (r == 0)
		r = pg_flush(p, until_ms, e);
	if (r == 0)
		r = collect(p, until_ms, ret, e);
	return r;
}

int pg_exec(struct pg *p, const char *sql, struct err *e)
{
	PGresult *res = NULL;
	int r = simple(p, sql, pg_until(p), &res, e);

	PQclear(res);
	return r;
}

/* ---- transactions ---- */

int pg_begin(struct pg *p, int64_t limit_ms, struct err *e)
{
	return pg_begin_for(p, limit_ms, NULL, e);
}

int pg_limit_locks(struct pg *p, int ms, struct err *e)
{
	char sql[64];
	int r;

	snprintf(sql, sizeof sql, "SET lock_timeout = %d", ms);
	r = pg_exec(p, sql, e);
	if (r == 0)
		p->lock_ms = ms;
	return r;
}

int pg_begin_for(struct pg *p, int64_t limit_ms, const char *task_id, struct err *e)
{
	char *quoted = NULL, *sql;
	int r;

	if (pg_in_transaction(p))
		return err_set(e, ERR_INTERNAL, "PostgreSQL: begin inside a transaction");
	if (limit_ms < 0)
		limit_ms = 1;
	/* an id that is no text of the connection's encoding is left out: it is a note only */
	if (task_id)
		quoted = PQescapeLiteral(p->conn, task_id, strlen(task_id));
	if (task_id && !quoted)
		mem_check(strstr(PQerrorMessage(p->conn), "out of memory") ? NULL : p);
	sql = mem_printf("BEGIN; SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d;"
			 " SET LOCAL idle_in_transaction_session_timeout = 5000%s%s",
			 (int)(limit_ms > INT32_MAX ? INT32_MAX : limit_ms),
			 p->lock_ms ? p->lock_ms : LOCK_MS,
			 quoted ? "; SET LOCAL jobfleet.task_id = " : "", quoted ? quoted : "");
	r = pg_exec(p, sql, e);
	free(sql);
	PQfreemem(quoted);
	return r;
}

int pg_commit(struct pg *p, struct err *e)
{
	PGresult *res = NULL;
	int r = simple(p, "COMMIT", pg_until(p), &res, e);

	/* whether it happened is unknown, and that is what callers must act on */
	if (r == -ERR_TIMEOUT && p->broken)
		return err_set(e, ERR_DB, "PostgreSQL: no answer to COMMIT before the deadline");
	if (r == 0 && strcmp(PQcmdStatus(res), "ROLLBACK") == 0)
		r = err_set(e, ERR_INTERNAL, "PostgreSQL: COMMIT of a transaction that had failed");
	PQclear(res);
	return r;
}

void pg_rollback(struct pg *p)
{
	int64_t until_ms = pg_until(p), least = clock_mono_ms() + ROLLBACK_MS;
	bool (*cancelled)(void *ctx) = p->cancelled;
	PGresult *res = NULL;

	if (p->broken || !pg_in_transaction(p))
		return;
	p->cancelled = NULL;
	if (simple(p, "ROLLBACK", until_ms > least ? until_ms : least, &res, NULL) < 0)
		p->broken = true;
	p->cancelled = cancelled;
	PQclear(res);
}

bool pg_in_transaction(const struct pg *p)
{
	PGTransactionStatusType status = PQtransactionStatus(p->conn);

	return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

/* ---- COPY ---- */

int pg_copy_start(struct pg *p, const char *sql, struct err *e)
{
	int64_t until_ms = pg_until(p);
	PGresult *res = NULL;
	int r = usable(p, e);

	if (r == 0 && !PQsendQuery(p->conn, sql))
		r = pg_fail_conn(p, p->conn, e);
	if (r == 0)
		r = pg_flush(p, until_ms, e);
	if (r == 0)
		r = pg_next_result(p, until_ms, &res, e);
	if (r < 0)
		return r;
	if (PQresultStatus(res) == PGRES_COPY_IN) {
		PQclear(res);
		return 0;
	}
	r = pg_check(p, res, e);
	PQclear(res);
	if (r == 0)
		r = err_set(e, ERR_INTERNAL, "PostgreSQL: not a COPY … FROM STDIN");
	while (!p->broken && pg_next_result(p, until_ms, &res, NULL) == 0 && res)
		PQclear(res);
	return r;
}

int pg_copy_data(struct pg *p, const void *data, size_t n, struct err *e)
{
	enum { PIECE = 1 << 20 };
	int64_t until_ms = pg_until(p);
	const char *at = data;
	int r = usable(p, e);

	while (r == 0 && n > 0) {
		size_t piece = n < PIECE ? n : PIECE;
		int sent = PQputCopyData(p->conn, at, (int)piece);

		if (sent < 0)
			return pg_fail_conn(p, p->conn, e);
		r = pg_flush(p, until_ms, e);
		if (sent > 0) {
			at += piece;
			n -= piece;
		}
	}
	return r;
}

int64_t pg_copy_end(struct pg *p, const char *abort_reason, struct err *e)
{
	int64_t until_ms = pg_until(p), count = 0;
	PGresult *res = NULL;
	int sent = 0, r = usable(p, e);

	while (r == 0 && sent == 0) {
		sent = PQputCopyEnd(p->conn, abort_reason);
		if (sent < 0)
			return pg_fail_conn(p, p->conn, e);
		r = pg_flush(p, until_ms, e);
	}
	if (r == 0)
		r = collect(p, until_ms, &res, e);
	if (abort_reason && r < 0 && !p->broken)
		return 0;	/* refused as asked */
	if (r < 0)
		return r;
	count = affected(res);
	PQclear(res);
	return count;
}

/* ---- notifications ---- */

int pg_listen(struct pg *p, const char *channel, struct err *e)
{
	char *name = PQescapeIdentifier(p->conn, channel, strlen(channel)), *sql;
	int r;

	if (!name)
		return pg_fail_conn(p, p->conn, e);
	sql = mem_printf("LISTEN %s", name);
	PQfreemem(name);
	r = pg_exec(p, sql, e);
	free(sql);
	return r;
}

/* Takes every notification there is. */
static bool take_notifications(struct pg *p)
{
	bool any = false;
	PGnotify *n;

	while ((n = PQnotifies(p->conn))) {
		any = true;
		PQfreemem(n);
	}
	return any;
}

int pg_wait_notify(struct pg *p, int timeout_ms, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	int r = usable(p, e);

	while (r == 0) {
		if (take_notifications(p))
			return 1;
		r = pg_poll(p, PQsocket(p->conn), POLLIN, until_ms, e);
		if (r == -ERR_CANCELLED)
			p->broken = false;	/* nothing was asked, so no late answer can come */
		if (r <= 0)
			return r;
		r = PQconsumeInput(p->conn) ? 0 : pg_fail_conn(p, p->conn, e);
	}
	return r;
}

/* ---- settings and state ---- */

void pg_set_deadline(struct pg *p, int64_t mono_ms)
{
	p->deadline_ms = mono_ms;
}

void pg_set_cancel(struct pg *p, bool (*cancelled)(void *ctx), void *ctx)
{
	p->cancelled = cancelled;
	p->cancel_ctx = ctx;
}

void pg_on_notice(struct pg *p, void (*notice)(void *ctx, const char *text), void *ctx)
{
	p->notice = notice;
	p->notice_ctx = ctx;
}

bool pg_is_alive(const struct pg *p)
{
	return !p->broken && PQstatus(p->conn) == CONNECTION_OK;
}

int pg_fd(const struct pg *p)
{
	return PQsocket(p->conn);
}

int pg_backend_pid(const struct pg *p)
{
	return PQbackendPID(p->conn);
}

const char *pg_sqlstate(const struct pg *p)
{
	return p->sqlstate;
}
