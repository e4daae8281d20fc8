/* SPDX-License-Identifier: MIT */
/* What pg.c, pg_copy.c, pg_connect.c, pg_error.c and pg_rows.c share; nobody else includes this. */
#ifndef COMMON_STORE_PG_PRIVATE_H
#define COMMON_STORE_PG_PRIVATE_H

#include <libpq-fe.h>

#include "common/base/err.h"
#include "common/store/pg.h"

struct pg {
	int lock_ms;			/* of transactions; 0 = LOCK_MS */
	PGconn *conn;
	int64_t deadline_ms;		/* monotonic; 0 = DEFAULT_MS from the call's start */
	bool broken;
	bool batch;			/* pg_run queues */
	size_t batched;
	char sqlstate[6];
	bool (*cancelled)(void *ctx);
	void *cancel_ctx;
	void (*notice)(void *ctx, const char *text);
	void *notice_ctx;
};

/* Waits until fd is ready for events; 1 = ready, 0 = until_ms (monotonic) passed, negative:
 * cancelled (p is broken then) or poll failed. */
int pg_poll(struct pg *p, int fd, short events, int64_t until_ms, struct err *e);

/* Sends what libpq has queued, and reads meanwhile. */
int pg_flush(struct pg *p, int64_t until_ms, struct err *e);
/* The next result into *ret, NULL when there is none left. */
int pg_next_result(struct pg *p, int64_t until_ms, PGresult **ret, struct err *e);
int pg_check(struct pg *p, const PGresult *res, struct err *e);
int64_t pg_until(const struct pg *p);		/* when a call that begins now must have ended */

/* Which error an SQLSTATE of five characters is. */
enum err_code pg_state_code(const char *sqlstate);
/* From a refused statement; res is not cleared. Notes the SQLSTATE and a lost connection in p. */
int pg_fail(struct pg *p, const PGresult *res, struct err *e);
/* The same where libpq has no result: connecting, sending, reading. */
int pg_fail_conn(struct pg *p, PGconn *conn, struct err *e);

struct pg_rows *pg_rows_of(PGresult *res);	/* takes res over */

#endif
