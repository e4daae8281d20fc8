/* SPDX-License-Identifier: MIT */
/* Which URLs may be asked, what of them may be shown, and what is put into them. */
#include <arpa/inet.h>
#include <curl/curl.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/secrets.h"
#include "common/base/sure.h"
#include "common/net/http.h"
#include "common/net/http_private.h"

enum { MAX_ESCAPED = 64 * 1024 };

static char *url_part(CURLU *u, CURLUPart part)
{
	char *curl_owned = NULL, *copy;

	if (sure(curl_url_get(u, part, &curl_owned, 0)) != CURLUE_OK)
		return mem_strdup("");
	copy = mem_strdup(curl_owned);
	curl_free(curl_owned);
	return copy;
}

/* Keys travel in queries and in user info, so neither may reach a text. */
static char *url_for_people(CURLU *u)
{
	sure(curl_url_set(u, CURLUPART_QUERY, NULL, 0));
	sure(curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0));
	sure(curl_url_set(u, CURLUPART_USER, NULL, 0));
	sure(curl_url_set(u, CURLUPART_PASSWORD, NULL, 0));
	return url_part(u, CURLUPART_URL);
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	       (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

void http_set_text(CURL *c, CURLoption option, const char *text)
{
	mem_check(curl_easy_setopt(c, option, text) == CURLE_OUT_OF_MEMORY ? NULL : c);
}

int http_check_url(const char *url, char **ret_shown, bool *ret_loopback, struct err *e)
{
	CURLU *u = mem_check(curl_url());
	char *scheme, *host, *shown;
	int r = 0;

	if (sure(curl_url_set(u, CURLUPART_URL, url, 0)) != CURLUE_OK) {
		curl_url_cleanup(u);
		return err_set(e, ERR_INVALID, "not a URL such as https://host/path");
	}
	scheme = url_part(u, CURLUPART_SCHEME);
	host = url_part(u, CURLUPART_HOST);
	shown = url_for_people(u);
	if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		r = err_set(e, ERR_REFUSED, "%s: only https (http to loopback) is allowed", shown);
	else if (strcmp(scheme, "http") == 0 && !is_loopback(host))
		r = err_set(e, ERR_REFUSED, "%s: plain http is refused except to loopback", shown);
	if (r == 0) {
		*ret_shown = shown;
		*ret_loopback = is_loopback(host);
	} else {
		free(shown);
	}
	free(scheme);
	free(host);
	curl_url_cleanup(u);
	return r;
}

/* Same scheme, host and port: a redirect may not carry our headers, keys among them, elsewhere. */
bool http_same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
	CURLU *ua = mem_check(curl_url()), *ub = mem_check(curl_url());
	bool same = sure(curl_url_set(ua, CURLUPART_URL, a, 0)) == CURLUE_OK &&
		    sure(curl_url_set(ub, CURLUPART_URL, b, 0)) == CURLUE_OK;

	for (size_t i = 0; same && i < COUNT(parts); i++) {
		char *pa = NULL, *pb = NULL;

		same = sure(curl_url_get(ua, parts[i], &pa, CURLU_DEFAULT_PORT)) == CURLUE_OK &&
		       sure(curl_url_get(ub, parts[i], &pb, CURLU_DEFAULT_PORT)) == CURLUE_OK &&
		       strcasecmp(pa, pb) == 0;
		curl_free(pa);
		curl_free(pb);
	}
	curl_url_cleanup(ua);
	curl_url_cleanup(ub);
	return same;
}

static char *escape(const char *text)
{
	size_t len = strlen(text);

	if (len > MAX_ESCAPED)
		return NULL;
	return mem_check(curl_easy_escape(NULL, len ? text : "", (int)len));
}

int http_put_query(struct buf *b, const char *name, const char *value)
{
	char *escaped = escape(value);
	int r;

	if (!escaped)
		return -ERR_TOO_BIG;
	r = buf_printf(b, "%c%s=%s", strchr(buf_text(b), '?') ? '&' : '?', name, escaped);
	curl_free(escaped);
	return r;
}

int http_put_path(struct buf *b, const char *part)
{
	char *escaped = escape(part);
	int r;

	if (!escaped)
		return -ERR_TOO_BIG;
	r = buf_printf(b, "/%s", escaped);
	curl_free(escaped);
	return r;
}

void http_hide_secrets(struct http_response *r)
{
	secrets_hide(r->body.data, r->body.len);
	secrets_hide(r->headers.data, r->headers.len);
}
