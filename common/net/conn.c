/* SPDX-License-Identifier: MIT */
#include "common/net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"

enum { USER_TIMEOUT_MS = 15000, PORT_TEXT = 8 };

enum conn_state { CONN_CONNECTING, CONN_HANDSHAKE, CONN_READY };

struct conn {
	int fd;
	enum conn_state state;
	short events;
	char *name;			/* "host:port", for errors */
	int user_timeout_ms;
	struct addrinfo *addrs, *next;	/* what is left to try */
	SSL_CTX *ctx;
	SSL *ssl;
};

static int fail_errno(struct conn *c, int error, struct err *e)
{
	return err_set(e, ERR_NET, "%s: %s", c->name, strerror(error));
}

static int fail_tls(struct conn *c, const char *what, struct err *e)
{
	unsigned long code = ERR_get_error();
	long verify = c->ssl ? SSL_get_verify_result(c->ssl) : X509_V_OK;

	ERR_clear_error();
	if (verify != X509_V_OK)
		return err_set(e, ERR_REFUSED, "%s: certificate refused: %s", c->name,
			       X509_verify_cert_error_string(verify));
	return err_set(e, ERR_NET, "%s: TLS %s: %s", c->name, what,
		       code ? ERR_reason_error_string(code) : "connection closed");
}

/* OpenSSL's socket BIO with a write that raises no SIGPIPE, which would end a program that has not
 * switched it off, such as the command line behind a pipe. */
static int write_quietly(BIO *b, const char *data, int n)
{
	int fd = -1;
	ssize_t put;

	BIO_get_fd(b, &fd);
	BIO_clear_retry_flags(b);
	put = send(fd, data, (size_t)n, MSG_NOSIGNAL);
	if (put <= 0 && BIO_sock_should_retry((int)put))
		BIO_set_retry_write(b);
	return (int)put;
}

static const BIO_METHOD *quiet_socket(void)
{
	static BIO_METHOD *m;
	const BIO_METHOD *usual = BIO_s_socket();

	if (m)
		return m;
	m = mem_check(BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE"));
	BIO_meth_set_write(m, write_quietly);
	BIO_meth_set_read(m, BIO_meth_get_read(usual));
	BIO_meth_set_puts(m, BIO_meth_get_puts(usual));
	BIO_meth_set_ctrl(m, BIO_meth_get_ctrl(usual));
	BIO_meth_set_create(m, BIO_meth_get_create(usual));
	BIO_meth_set_destroy(m, BIO_meth_get_destroy(usual));
	return m;
}

static int prepare_tls(struct conn *c, const char *host, struct err *e)
{
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (!c->ctx || SSL_CTX_set_default_verify_paths(c->ctx) != 1)
		return fail_tls(c, "set-up", e);
	SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(c->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	c->ssl = SSL_new(c->ctx);
	if (!c->ssl || SSL_set1_host(c->ssl, host) != 1)
		return fail_tls(c, "set-up", e);
	if (!X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), host))
		SSL_set_tlsext_host_name(c->ssl, host);
	ERR_clear_error();
	return 0;
}

static void set_options(struct conn *c)
{
	int one = 1;
	unsigned timeout = (unsigned)c->user_timeout_ms;

	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

/* Starts on the next address that does not fail at once. */
static int try_next(struct conn *c, struct err *e)
{
	int error = ECONNREFUSED;

	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	for (; c->next; c->next = c->next->ai_next) {
		struct addrinfo *a = c->next;

		c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (c->fd < 0)
			return fail_errno(c, errno, e);
		if (a->ai_family != AF_UNIX)
			set_options(c);
		if (connect(c->fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS) {
			c->next = a->ai_next;
			c->state = CONN_CONNECTING;
			c->events = POLLOUT;
			return 0;
		}
		error = errno;
		close(c->fd);
		c->fd = -1;
	}
	return fail_errno(c, error, e);
}

static int resolve(struct conn *c, const struct conn_target *t, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	char port[PORT_TEXT];
	int rc;

	snprintf(port, sizeof port, "%d", t->port);
	rc = getaddrinfo(t->host, port, &hints, &c->addrs);
	if (rc != 0)
		return err_set(e, ERR_NET, "%s: %s", c->name, gai_strerror(rc));
	c->next = c->addrs;
	return try_next(c, e);
}

static int start_unix(struct conn *c, const char *path, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof sa.sun_path)
		return err_set(e, ERR_CONFIG, "unix socket path is longer than %zu bytes",
			       sizeof sa.sun_path - 1);
	memcpy(sa.sun_path, path, strlen(path));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || (connect(c->fd, (struct sockaddr *)&sa, sizeof sa) < 0 &&
			  errno != EINPROGRESS))
		return fail_errno(c, errno, e);
	c->events = POLLOUT;
	return 0;
}

int conn_start(struct conn **ret, const struct conn_target *t, struct err *e)
{
	struct conn *c = mem_zalloc(sizeof *c);
	int r = 0;

	c->fd = -1;
	c->name = t->host[0] == '/' ? mem_strdup(t->host) : mem_printf("%s:%d", t->host, t->port);
	c->user_timeout_ms = t->user_timeout_ms ? t->user_timeout_ms : USER_TIMEOUT_MS;
	if (t->tls)
		r = prepare_tls(c, t->host, e);
	if (r == 0)
		r = t->host[0] == '/' ? start_unix(c, t->host, e) : resolve(c, t, e);
	if (r < 0)
		conn_close(c);
	else
		*ret = c;
	return r;
}

static int step_handshake(struct conn *c, struct err *e)
{
	int rc = SSL_connect(c->ssl), why;

	if (rc == 1) {
		c->state = CONN_READY;
		c->events = POLLIN;
		return 1;
	}
	why = SSL_get_error(c->ssl, rc);
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		return fail_tls(c, "handshake", e);
	c->events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
	return 0;
}

int conn_step(struct conn *c, struct err *e)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (c->state == CONN_READY)
		return 1;
	if (c->state == CONN_HANDSHAKE)
		return step_handshake(c, e);
	if (poll(&p, 1, 0) == 0)
		return 0;
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error && c->next)
		return try_next(c, e);
	if (error)
		return fail_errno(c, error, e);
	if (c->ssl) {
		BIO *b = mem_check(BIO_new(quiet_socket()));

		BIO_set_fd(b, c->fd, BIO_NOCLOSE);
		SSL_set_bio(c->ssl, b, b);
		c->state = CONN_HANDSHAKE;
		return step_handshake(c, e);
	}
	c->state = CONN_READY;
	c->events = POLLIN;
	return 1;
}

int conn_fd(const struct conn *c)
{
	return c->fd;
}

short conn_events(const struct conn *c)
{
	return c->events;
}

bool conn_has_buffered(const struct conn *c)
{
	return c->ssl && SSL_pending(c->ssl) > 0;
}

/* What a TLS call that moved nothing means: 0 = would wait, else an error. */
static ssize_t tls_outcome(struct conn *c, int rc, const char *what, struct err *e)
{
	int why = SSL_get_error(c->ssl, rc);

	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return 0;
	return fail_tls(c, what, e);
}

ssize_t conn_read(struct conn *c, void *buf, size_t n, struct err *e)
{
	ssize_t got;

	if (c->ssl) {
		int rc = SSL_read(c->ssl, buf, n > INT32_MAX ? INT32_MAX : (int)n);

		return rc > 0 ? rc : tls_outcome(c, rc, "read", e);
	}
	do {
		got = recv(c->fd, buf, n, 0);
	} while (got < 0 && errno == EINTR);
	if (got > 0)
		return got;
	if (got == 0)
		return err_set(e, ERR_NET, "%s: closed by the peer", c->name);
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return fail_errno(c, errno, e);
}

ssize_t conn_write(struct conn *c, const void *buf, size_t n, struct err *e)
{
	ssize_t put;

	if (n == 0)
		return 0;
	if (c->ssl) {
		int rc = SSL_write(c->ssl, buf, n > INT32_MAX ? INT32_MAX : (int)n);

		return rc > 0 ? rc : tls_outcome(c, rc, "write", e);
	}
	do {
		put = send(c->fd, buf, n, MSG_NOSIGNAL);
	} while (put < 0 && errno == EINTR);
	if (put >= 0)
		return put;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	return fail_errno(c, errno, e);
}

void conn_close(struct conn *c)
{
	if (!c)
		return;
	if (c->ssl)
		SSL_free(c->ssl);
	if (c->ctx)
		SSL_CTX_free(c->ctx);
	if (c->fd >= 0)
		close(c->fd);
	if (c->addrs)
		freeaddrinfo(c->addrs);
	free(c->name);
	free(c);
}

int conn_wait(struct conn *c, short events, int64_t deadline_ms, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = events };
		int64_t left = deadline_ms - clock_mono_ms();
		int rc;

		if ((events & POLLIN) && conn_has_buffered(c))
			return 1;
		rc = poll(&p, 1, left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left);
		if (rc > 0)
			return 1;
		if (rc < 0 && errno != EINTR)
			return fail_errno(c, errno, e);
		if (rc == 0)
			return 0;
	}
}

int conn_connect(struct conn **ret, const struct conn_target *t, int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	struct conn *c = NULL;
	int r = conn_start(&c, t, e);

	while (r >= 0 && (r = conn_step(c, e)) == 0) {
		r = conn_wait(c, c->events, deadline, e);
		if (r == 0)
			r = err_set(e, ERR_TIMEOUT, "%s: no connection in %d ms", c->name,
				    timeout_ms);
	}
	if (r < 0) {
		conn_close(c);
		return r;
	}
	*ret = c;
	return 0;
}
