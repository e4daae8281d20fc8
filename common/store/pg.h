/* SPDX-License-Identifier: MIT */
/* pg: one PostgreSQL connection, every call with a deadline.
 *
 * Ownership: open gives you the connection, close takes it (NULL and half-open are fine). Rows
 * belong to you until pg_rows_free. Text cells are borrowed from their rows.
 * Errors: -ERR_DB (transient: connection lost, server starting, deadlock, serialization,
 * out of connections), -ERR_TIMEOUT (deadline passed; the connection is then broken),
 * -ERR_CONFLICT (unique violation), -ERR_INVALID (data or constraint refused),
 * -ERR_REFUSED (permission, login), -ERR_SCHEMA (undefined table, column or function), -ERR_CONFIG
 * (wrong URL, no such database), -ERR_INTERNAL (our SQL is wrong). A statement that
 * statement_timeout ended is -ERR_TIMEOUT too, but leaves the connection alive. pg_sqlstate has the
 * five characters of the last failure. Error texts never hold DETAIL (rows) or a password.
 * Nothing here logs.
 * No named prepared statements and no session state, so pgbouncer may stand between. */
#ifndef COMMON_STORE_PG_H
#define COMMON_STORE_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct pg;
struct pg_rows;

/* One parameter, text unless bytes: {NULL} is SQL NULL. */
struct pg_param {
	const char *text;	/* NUL-terminated text form, or NULL */
	const void *bytes;	/* bytea in binary form, len bytes; text is ignored then */
	size_t len;
};
#define PG_TEXT(s) ((struct pg_param){ .text = (s) })
#define PG_BYTES(p, n) ((struct pg_param){ .bytes = (p), .len = (n) })
#define PG_NULL ((struct pg_param){ .text = NULL })
/* Text of a number in a compound literal that lives to the end of the enclosing block. */
#define PG_INT(v) PG_TEXT(pg_int_text((char[24]){ 0 }, (int64_t)(v)))
const char *pg_int_text(char out[24], int64_t v);

/* Whether pg_open could ever take it; -ERR_CONFIG says why not. */
int pg_check_url(const char *url, struct err *e);
/* url: libpq's (several hosts fail over, sslmode as libpq knows it; where that verifies and
 * names no sslrootcert, $SSL_CERT_FILE holds the CA, as for the other services). program becomes
 * application_name. tcp_user_timeout and connect_timeout are set here. */
int pg_open(struct pg **ret, const char *url, const char *program, int timeout_ms, struct err *e);
void pg_close(struct pg *p);
bool pg_is_alive(const struct pg *p);		/* false once a call found the connection broken */
int pg_fd(const struct pg *p);
int pg_backend_pid(const struct pg *p);
const char *pg_sqlstate(const struct pg *p);

/* Calls after this one end by then (monotonic ms); 0 = the default, 30 s a call. */
void pg_set_deadline(struct pg *p, int64_t mono_ms);
/* Asked while waiting, a few times a second; true ends the call with -ERR_CANCELLED and leaves
 * the connection broken. */
void pg_set_cancel(struct pg *p, bool (*cancelled)(void *ctx), void *ctx);
/* Where NOTICE and WARNING texts go; without it they are dropped. */
void pg_on_notice(struct pg *p, void (*notice)(void *ctx, const char *text), void *ctx);

/* One statement. ret_rows may be NULL. Returns the rows affected or returned. */
int64_t pg_run(struct pg *p, const char *sql, const struct pg_param *params, size_t n,
	       struct pg_rows **ret_rows, struct err *e);
#define PG_PARAMS(...) \
	(const struct pg_param[]){ __VA_ARGS__ }, \
	sizeof((const struct pg_param[]){ __VA_ARGS__ }) / sizeof(struct pg_param)
/* Several statements without parameters, simple protocol; results are dropped. */
int pg_exec(struct pg *p, const char *sql, struct err *e);

/* Statements in one round trip, all or none of them: after batch_begin pg_run only queues (0, no
 * rows) and batch_end sends, and says the first failure. Outside a transaction the batch is one of
 * its own, without begin's limits; whoever holds one open commits it himself. */
int pg_batch_begin(struct pg *p, struct err *e);
int pg_batch_end(struct pg *p, struct err *e);
void pg_batch_drop(struct pg *p);		/* instead of the end: nothing of it happens */

/* Transactions. begin also sets, for this transaction only: statement_timeout to limit_ms (0 =
 * none, less than 0 = the time is over: 1 ms), lock_timeout and
 * idle_in_transaction_session_timeout to 5 s (a frozen process must not hold a key). rollback
 * without a transaction is nothing. A commit that fails with -ERR_DB may have happened (no answer
 * in time counts as that, too): ask the ledger on a new connection. */
int pg_begin(struct pg *p, int64_t limit_ms, struct err *e);
/* The same on behalf of a task: SQL reads its id as current_setting('jobfleet.task_id', true). */
int pg_begin_for(struct pg *p, int64_t limit_ms, const char *task_id, struct err *e);
int pg_commit(struct pg *p, struct err *e);
void pg_rollback(struct pg *p);
bool pg_in_transaction(const struct pg *p);

/* For whoever must not wait: from now on no statement of this connection waits longer for a lock,
 * inside a transaction or alone; -ERR_DB then. Session state: not through pgbouncer. */
int pg_limit_locks(struct pg *p, int ms, struct err *e);

/* COPY … FROM STDIN: start, then data in any pieces, then end (error text NULL = commit it).
 * end returns the rows copied. */
int pg_copy_start(struct pg *p, const char *sql, struct err *e);
int pg_copy_data(struct pg *p, const void *data, size_t n, struct err *e);
int64_t pg_copy_end(struct pg *p, const char *abort_reason, struct err *e);
/* COPY … TO STDOUT: all of it is appended to out. -ERR_TOO_BIG past out's maximum. */
int pg_copy_out(struct pg *p, const char *sql, struct buf *out, struct err *e);

/* LISTEN channel; then wait for a notification: 1 one came, 0 none in timeout_ms. */
int pg_listen(struct pg *p, const char *channel, struct err *e);
int pg_wait_notify(struct pg *p, int timeout_ms, struct err *e);

size_t pg_rows_count(const struct pg_rows *r);		/* NULL = 0 */
const char *pg_cell(const struct pg_rows *r, size_t row, int col);	/* NULL for SQL NULL */
const char *pg_text(const struct pg_rows *r, size_t row, int col);	/* "" for SQL NULL */
int64_t pg_int(const struct pg_rows *r, size_t row, int col);		/* 0 for SQL NULL */
double pg_num(const struct pg_rows *r, size_t row, int col);
bool pg_bool(const struct pg_rows *r, size_t row, int col);
/* A bytea cell decoded; malloc'ed; NULL for SQL NULL. */
void *pg_bytea(const struct pg_rows *r, size_t row, int col, size_t *ret_len);
void pg_rows_free(struct pg_rows *r);

#endif
