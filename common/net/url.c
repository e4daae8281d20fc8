/* SPDX-License-Identifier: MIT */
#include "common/net/url.h"

#include <curl/curl.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/sure.h"

enum { URL_FLAGS = CURLU_NON_SUPPORT_SCHEME | CURLU_NO_AUTHORITY };

static char *part(CURLU *h, CURLUPart what, unsigned flags, const char *fallback)
{
	char *got = NULL, *copy;

	if (sure(curl_url_get(h, what, &got, flags)) != CURLUE_OK)
		return mem_strdup(fallback);
	copy = mem_strdup(got);
	curl_free(got);
	return copy;
}

/* The authority without its host list, so that libcurl sees one host; the rest is returned. */
static char *cut_extra_hosts(char *text)
{
	char *authority = strstr(text, "://"), *end, *comma, *extra, *at;

	if (!authority)
		return NULL;
	authority += 3;
	end = authority + strcspn(authority, "/?#");
	at = memrchr(authority, '@', (size_t)(end - authority));
	comma = memchr(at ? at : authority, ',', (size_t)(end - (at ? at : authority)));
	if (!comma)
		return NULL;
	extra = mem_strndup(comma + 1, (size_t)(end - comma - 1));
	memmove(comma, end, strlen(end) + 1);
	return extra;
}

static int add_host(struct url *u, const char *host, size_t len, const char *port, struct err *e)
{
	int n = 0;

	if (u->nhosts == URL_MAX_HOSTS)
		return err_set(e, ERR_CONFIG, "more than %d hosts in a URL", URL_MAX_HOSTS);
	if (len == 0)
		return err_set(e, ERR_CONFIG, "an empty host in a URL");
	if (*port && scan_int(port, 1, 65535, &n, NULL) < 0)
		return err_set(e, ERR_CONFIG, "a port in a URL is not 1 to 65535");
	if (host[0] == '[' && len > 2) {	/* [::1] */
		host++;
		len -= 2;
	}
	u->hosts[u->nhosts].host = mem_strndup(host, len);
	u->hosts[u->nhosts++].port = n;
	return 0;
}

static int add_extra_hosts(struct url *u, char *list, struct err *e)
{
	int r = 0;

	for (char *item, *rest = list; r == 0 && (item = strsep(&rest, ","));) {
		char *colon = strrchr(item, ':');

		if (colon && strchr(colon, ']'))
			colon = NULL;
		r = add_host(u, item, colon ? (size_t)(colon - item) : strlen(item),
			     colon ? colon + 1 : "", e);
	}
	return r;
}

static void split(struct url *u, CURLU *h)
{
	char *path = part(h, CURLUPART_PATH, CURLU_URLDECODE, "");

	u->scheme = part(h, CURLUPART_SCHEME, 0, "");
	u->user = part(h, CURLUPART_USER, CURLU_URLDECODE, "");
	u->password = part(h, CURLUPART_PASSWORD, CURLU_URLDECODE, "");
	u->query = part(h, CURLUPART_QUERY, 0, "");
	u->path = mem_strdup(path + (path[0] == '/'));
	free(path);
}

int url_parse(struct url *ret, const char *text, struct err *e)
{
	char *copy = mem_strdup(text ? text : ""), *extra = cut_extra_hosts(copy), *host, *port;
	CURLU *h = mem_check(curl_url());
	struct url u = { 0 };
	CURLUcode rc;
	int r = 0;

	rc = sure(curl_url_set(h, CURLUPART_URL, copy, URL_FLAGS));
	if (rc != CURLUE_OK) {
		r = err_set(e, ERR_CONFIG, "not a URL such as scheme://user:password@host:port/path"
			    ": %s", curl_url_strerror(rc));
		goto out;
	}
	split(&u, h);
	host = part(h, CURLUPART_HOST, 0, "");
	port = part(h, CURLUPART_PORT, 0, "");
	if (host[0])
		r = add_host(&u, host, strlen(host), port, e);
	if (r == 0 && extra)
		r = add_extra_hosts(&u, extra, e);
	free(host);
	free(port);
out:
	curl_url_cleanup(h);
	free(extra);
	free(copy);
	if (r < 0)
		url_release(&u);
	else
		*ret = u;
	return r;
}

void url_release(struct url *u)
{
	free(u->scheme);
	free(u->user);
	free(u->password);
	free(u->path);
	free(u->query);
	for (size_t i = 0; i < u->nhosts; i++)
		free(u->hosts[i].host);
	memset(u, 0, sizeof *u);
}
