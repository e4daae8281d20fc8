/* SPDX-License-Identifier: MIT */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/net/conn.h"
#include "common/net/url.h"
#include "common/store/redis_private.h"

#define NO_HOST "no-host.invalid"

enum { DEFAULT_PORT = 6379, MAX_DB = 1 << 20, USER_TIMEOUT_MS = 5000 };

struct place {
	struct url url;
	struct conn_target targets[URL_MAX_HOSTS];
	size_t ntargets;
	char *path;		/* of a unix socket */
	char db[16];		/* "" = 0 */
};

static int read_db(struct place *p, const char *text, struct err *e)
{
	int db = 0;

	if (!text || !*text)
		return 0;
	if (scan_int(text, 0, MAX_DB, &db, NULL) < 0)
		/* it may be the end of a password with a "/" in it: not quoted */
		return err_set(e, ERR_CONFIG, "Redis URL: what stands behind the host is not the "
			       "number of a database");
	if (db > 0)
		snprintf(p->db, sizeof p->db, "%d", db);
	return 0;
}

static int read_unix(struct place *p, struct err *e)
{
	if (!p->url.path || !*p->url.path)
		return err_set(e, ERR_CONFIG,
			       "Redis URL: no path; want unix:///path/of/socket?db=0");
	p->path = mem_printf("/%s", p->url.path);
	p->targets[p->ntargets++] = (struct conn_target){ .host = p->path };
	if (!*p->url.query)
		return 0;
	if (strncmp(p->url.query, "db=", 3) != 0)
		return err_set(e, ERR_CONFIG, "Redis URL: the only option of a unix URL is db=N");
	return read_db(p, p->url.query + 3, e);
}

static int read_hosts(struct place *p, bool tls, struct err *e)
{
	for (size_t i = 0; i < p->url.nhosts; i++) {
		p->targets[p->ntargets++] = (struct conn_target){
			.host = p->url.hosts[i].host,
			.port = p->url.hosts[i].port ? p->url.hosts[i].port : DEFAULT_PORT,
			.tls = tls,
			.user_timeout_ms = USER_TIMEOUT_MS,
		};
	}
	if (p->ntargets == 0 || strcmp(p->targets[0].host, NO_HOST) == 0)
		return err_set(e, ERR_CONFIG, "Redis URL: no host; want redis://host:6379/0");
	return read_db(p, p->url.path, e);
}

/* libcurl takes the first part of the path for the host where a URL has none (unix:///path), so it
 * gets one that stands for none. */
static char *with_host(const char *url)
{
	const char *authority = strstr(url, "://");
	size_t n;

	if (!authority)
		return mem_strdup(url);
	authority += 3;
	n = strcspn(authority, "/?#");
	if (n > 0 && authority[n - 1] != '@')
		return mem_strdup(url);
	return mem_printf("%.*s" NO_HOST "%s", (int)(authority - url + (ptrdiff_t)n), url,
			  authority + n);
}

static int read_url(struct place *p, const char *url, struct err *e)
{
	char *whole;
	int r;

	if (!url || !*url)
		return err_set(e, ERR_CONFIG, "Redis URL: none is set; set JOBFLEET_REDIS_URL");
	whole = with_host(url);
	r = url_parse(&p->url, whole, e);
	free(whole);
	if (r < 0) {
		err_prefix(e, "Redis URL");
		return r;
	}
	if (strcmp(p->url.scheme, "unix") == 0)
		return read_unix(p, e);
	if (strcmp(p->url.scheme, "redis") == 0)
		return read_hosts(p, false, e);
	if (strcmp(p->url.scheme, "rediss") == 0)
		return read_hosts(p, true, e);
	return err_set(e, ERR_CONFIG, "Redis URL: \"%.20s\" is not redis, rediss or unix",
		       p->url.scheme);
}

static void release(struct place *p)
{
	url_release(&p->url);
	free(p->path);
}

static int log_in(struct redis *r, const struct place *p, struct err *e)
{
	const char *words[3] = { "AUTH" };
	size_t n = 1;
	int got = 0;

	if (*p->url.user)
		words[n++] = p->url.user;
	if (*p->url.password)
		words[n++] = p->url.password;
	if (*p->url.password)
		got = redis_run_hidden(r, words, n, NULL, e);
	if (got == 0 && *p->db)
		got = redis_cmd(r, NULL, e, "SELECT", p->db, NULL);
	return got;
}

/* Of several hosts only the master will do. A server that may not be asked is taken as it is. */
static int check_role(struct redis *r, const struct place *p, struct err *e)
{
	struct redis_reply *reply = NULL;
	bool master = true;
	int got = 0;

	if (p->ntargets < 2)
		return 0;
	got = redis_cmd(r, &reply, e, "ROLE", NULL);
	if (got == -ERR_REFUSED)
		return 0;
	if (got == 0 && reply->nitems > 0 && reply->items[0]->str)
		master = strcmp(reply->items[0]->str, "master") == 0;
	redis_reply_free(reply);
	if (got == 0 && !master)
		got = err_set(e, ERR_REDIS, "Redis: is a replica");
	return got;
}

static int try_target(struct redis *r, const struct place *p, size_t i, int timeout_ms,
		      struct err *e)
{
	const struct conn_target *t = &p->targets[i];
	int got;

	r->deadline_ms = clock_mono_ms() + timeout_ms;
	r->broken = false;
	r->reader = redis_reply_reader(r);
	got = conn_connect(&r->conn, t, timeout_ms, e);
	if (got == -ERR_NET)
		got = redis_lost(r, e);
	if (got == 0)
		got = log_in(r, p, e);
	if (got == 0)
		got = check_role(r, p, e);
	r->deadline_ms = 0;
	if (got == 0)
		return 0;
	conn_close(r->conn);
	redisReaderFree(r->reader);
	r->conn = NULL;
	r->reader = NULL;
	return got;
}

int redis_check_url(const char *url, struct err *e)
{
	struct place p = { .ntargets = 0 };
	int r = read_url(&p, url, e);

	release(&p);
	return r;
}

int redis_open(struct redis **ret, const char *url, int timeout_ms, struct err *e)
{
	struct place p = { .ntargets = 0 };
	struct redis *r;
	int got = read_url(&p, url, e);

	if (got == 0) {
		int64_t end = clock_mono_ms() + timeout_ms;

		r = mem_zalloc(sizeof *r);
		r->timeout_ms = timeout_ms;
		for (size_t i = 0; i < p.ntargets; i++) {
			int64_t share = (end - clock_mono_ms()) / (int64_t)(p.ntargets - i);

			got = try_target(r, &p, i, (int)(share > 0 ? share : 0), e);
			if (got == 0)
				break;
		}
		if (got == 0)
			*ret = r;
		else
			redis_close(r);
	}
	release(&p);
	return got;
}

void redis_close(struct redis *r)
{
	if (!r)
		return;
	conn_close(r->conn);
	if (r->reader)
		redisReaderFree(r->reader);
	free(r);
}
