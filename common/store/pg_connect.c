/* SPDX-License-Identifier: MIT */
/* Connecting without ever waiting longer than told. libpq's own connect_timeout counts only in its
 * blocking calls, so a list of hosts is walked here: each host gets an equal share of the time
 * that is left, and one that swallows packets does not use up the share of the others. */
#include <poll.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg_private.h"

enum { MAX_OPTIONS = 64, MAX_HOSTS = 16 };

struct target {
	const char *keys[MAX_OPTIONS], *values[MAX_OPTIONS];
	size_t n;
};

static void put(struct target *t, const char *key, const char *value)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->keys[i], key) == 0) {
			t->values[i] = value;
			return;
		}
	}
	if (t->n < MAX_OPTIONS - 1) {
		t->keys[t->n] = key;
		t->values[t->n++] = value;
	}
}

static void put_default(struct target *t, const char *key, const char *value)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->keys[i], key) == 0)
			return;
	}
	put(t, key, value);
}

static const char *get(const struct target *t, const char *key)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->keys[i], key) == 0)
			return t->values[i];
	}
	return NULL;
}

/* What libpq says about a wrong URL may quote the part that holds the password. */
static int refuse_url(struct err *e, const char *text)
{
	char clean[256];
	size_t n = 0;
	bool quoted = false;

	for (; text && *text && *text != '\n' && n + 4 < sizeof clean; text++) {
		if (*text == '"') {
			quoted = !quoted;
			n += (size_t)snprintf(clean + n, sizeof clean - n, quoted ? "\"…" : "\"");
		} else if (!quoted) {
			clean[n++] = *text;
		}
	}
	clean[n] = '\0';
	return err_set(e, ERR_CONFIG, "database URL: %s; want postgresql://user:password@host:5432/"
		       "database", n ? clean : "cannot be read");
}

static int parse_url(PQconninfoOption **ret, const char *url, struct err *e)
{
	char *text = NULL;
	int r;

	if (!url || !*url)
		return err_set(e, ERR_CONFIG,
			       "database URL: none is set; set JOBFLEET_DATABASE_URL");
	*ret = PQconninfoParse(url, &text);
	if (*ret)
		return 0;
	mem_check(!text || strncmp(text, "out of memory", 13) == 0 ? NULL : text);
	r = refuse_url(e, text);
	PQfreemem(text);
	return r;
}

/* Item i of a comma-separated list, or the only item there is. */
static void item(char *out, size_t size, const char *list, size_t i)
{
	const char *at = list ? list : "";

	if (!strchr(at, ','))
		i = 0;
	while (i-- > 0 && strchr(at, ','))
		at = strchr(at, ',') + 1;
	snprintf(out, size, "%.*s", (int)strcspn(at, ","), at);
}

static size_t items(const char *list)
{
	size_t n = 1;

	for (; list && *list; list++)
		n += *list == ',';
	return n;
}

/* What libpq itself looks at only when it connects. */
static int check_ports(const char *list, struct err *e)
{
	char port[16];
	int n;

	for (size_t i = 0; i < items(list); i++) {
		item(port, sizeof port, list, i);
		if (*port && scan_int(port, 1, 65535, &n, NULL) < 0)
			return err_set(e, ERR_CONFIG, "database URL: a port is not 1 to 65535");
	}
	return 0;
}

static int check_sslmode(const char *mode, struct err *e)
{
	static const char *const modes[] = { "", "disable", "allow", "prefer", "require",
					     "verify-ca", "verify-full" };

	for (size_t i = 0; i < COUNT(modes); i++)
		if (strcmp(mode ? mode : "", modes[i]) == 0)
			return 0;
	return err_set(e, ERR_CONFIG, "database URL: sslmode is none of disable, allow, prefer, "
		       "require, verify-ca, verify-full");
}

int pg_check_url(const char *url, struct err *e)
{
	PQconninfoOption *options = NULL;
	int r = parse_url(&options, url, e);

	for (const PQconninfoOption *o = options; r == 0 && o->keyword; o++) {
		if (strcmp(o->keyword, "port") == 0)
			r = check_ports(o->val, e);
		else if (strcmp(o->keyword, "sslmode") == 0)
			r = check_sslmode(o->val, e);
	}
	PQconninfoFree(options);
	return r;
}

/* One variable names the private CA of all three services: libpq alone does not know it. */
static void put_ca(struct target *t)
{
	const char *mode = get(t, "sslmode"), *ca = getenv("SSL_CERT_FILE");

	if (!mode)
		mode = getenv("PGSSLMODE");
	if (mode && strncmp(mode, "verify-", 7) == 0 && ca && *ca && !getenv("PGSSLROOTCERT"))
		put_default(t, "sslrootcert", ca);
}

static int poll_connect(struct pg *p, PGconn *conn, int64_t until_ms, struct err *e)
{
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	while (state != PGRES_POLLING_OK) {
		int r = pg_poll(p, PQsocket(conn),
				state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms, e);

		if (r < 0)
			return r;
		if (r == 0)
			return err_set(e, ERR_TIMEOUT, "PostgreSQL at %s:%s: no answer in time",
				       PQhost(conn) ? PQhost(conn) : "", PQport(conn));
		state = PQconnectPoll(conn);
		if (state == PGRES_POLLING_FAILED)
			return pg_fail_conn(p, conn, e);
	}
	return 0;
}

static int connect_one(struct pg *p, const struct target *t, int64_t until_ms, struct err *e)
{
	PGconn *conn = mem_check(PQconnectStartParams(t->keys, t->values, 0));
	int r;

	PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
	if (PQstatus(conn) == CONNECTION_BAD)
		r = pg_fail_conn(p, conn, e);
	else
		r = poll_connect(p, conn, until_ms, e);
	if (r < 0) {
		PQfinish(conn);
		return r;
	}
	PQsetnonblocking(conn, 1);
	p->conn = conn;
	p->broken = false;
	return 0;
}

static int connect_any(struct pg *p, struct target *t, int64_t until_ms, struct err *e)
{
	const char *hosts = get(t, "host"), *addrs = get(t, "hostaddr"), *ports = get(t, "port");
	size_t n = items(addrs ? addrs : hosts);
	char host[256], addr[64], port[16];
	int r = -ERR_DB;

	if (n > MAX_HOSTS)
		return err_set(e, ERR_CONFIG, "database URL: %zu hosts; at most %d", n, MAX_HOSTS);
	for (size_t i = 0; i < n; i++) {
		int64_t left = until_ms - clock_mono_ms();

		item(host, sizeof host, hosts, i);
		item(addr, sizeof addr, addrs, i);
		item(port, sizeof port, ports, i);
		if (hosts)
			put(t, "host", host);
		if (addrs)
			put(t, "hostaddr", addr);
		if (ports)
			put(t, "port", port);
		r = connect_one(p, t, clock_mono_ms() + left / (int64_t)(n - i), e);
		if (r >= 0 || r == -ERR_CANCELLED)
			break;
	}
	return r;
}

/* As libpq words it by default; the connection's errors are verbose, for their SQLSTATE. */
static void drop_notice(void *ctx, const PGresult *res)
{
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	struct pg *p = ctx;
	char *text;

	if (!p->notice || !severity || !message)
		return;
	text = mem_printf("%s:  %s\n", severity, message);
	p->notice(p->notice_ctx, text);
	free(text);
}

int pg_open(struct pg **ret, const char *url, const char *program, int timeout_ms, struct err *e)
{
	PQconninfoOption *options = NULL;
	struct target t = { .n = 0 };
	struct pg *p;
	int r = parse_url(&options, url, e);

	if (r < 0)
		return r;
	p = mem_zalloc(sizeof *p);
	for (PQconninfoOption *o = options; o->keyword; o++) {
		if (o->val)
			put(&t, o->keyword, o->val);
	}
	put_default(&t, "application_name", program);
	put_default(&t, "client_encoding", "UTF8");
	put_default(&t, "connect_timeout", "5");
	put_default(&t, "tcp_user_timeout", "5000");
	put_default(&t, "keepalives_idle", "10");
	put_default(&t, "keepalives_interval", "5");
	put_default(&t, "keepalives_count", "3");
	put_ca(&t);
	r = connect_any(p, &t, clock_mono_ms() + timeout_ms, e);
	PQconninfoFree(options);
	if (r < 0) {
		pg_close(p);
		return r;
	}
	PQsetNoticeReceiver(p->conn, drop_notice, p);
	*ret = p;
	return 0;
}

void pg_close(struct pg *p)
{
	if (!p)
		return;
	PQfinish(p->conn);
	free(p);
}
