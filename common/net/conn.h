/* SPDX-License-Identifier: MIT */
/* conn: one stream socket that never waits: TCP, unix, or TLS (OpenSSL, peer verified).
 *
 * An event loop drives it: conn_start, then conn_step whenever conn_fd shows conn_events, until it
 * answers 1; then conn_read and conn_write, which answer 0 when they would wait. Blocking users
 * have conn_connect and conn_wait.
 * TLS verifies chain and host name against the system's store, or $SSL_CERT_FILE.
 * The only wait is the resolver's in conn_start for a name that is no address (resolv.conf bounds
 * it). Errors: -ERR_NET (also a peer that closed), -ERR_TIMEOUT, -ERR_REFUSED (certificate).
 * Ownership: open functions give you the conn, conn_close takes it (NULL is fine). */
#ifndef COMMON_NET_CONN_H
#define COMMON_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conn;
struct err;

struct conn_target {
	const char *host;	/* name or address; or, if it begins with '/', a unix socket's path */
	int port;
	bool tls;
	int user_timeout_ms;	/* TCP_USER_TIMEOUT: unacknowledged data may age so much; 0 = 15 s */
};

int conn_start(struct conn **ret, const struct conn_target *target, struct err *e);
int conn_step(struct conn *c, struct err *e);		/* 1 = established, 0 = not yet */
int conn_fd(const struct conn *c);
short conn_events(const struct conn *c);		/* POLLIN, POLLOUT that conn_step waits for */
ssize_t conn_read(struct conn *c, void *buf, size_t n, struct err *e);
ssize_t conn_write(struct conn *c, const void *buf, size_t n, struct err *e);
/* Bytes that TLS has decrypted but not handed out: poll does not see them. */
bool conn_has_buffered(const struct conn *c);
void conn_close(struct conn *c);

int conn_connect(struct conn **ret, const struct conn_target *target, int timeout_ms,
		 struct err *e);
/* Until one of events (POLLIN, POLLOUT) or deadline (monotonic ms): 1, or 0 at the deadline. */
int conn_wait(struct conn *c, short events, int64_t deadline_ms, struct err *e);

#endif
