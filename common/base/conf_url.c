/* SPDX-License-Identifier: MIT */
#include <curl/curl.h>
#include <arpa/inet.h>

#include "common/base/buf.h"
#include "common/base/conf_private.h"
#include "common/base/mem.h"
#include "common/base/sure.h"

bool conf_url_has_scheme(const char *url, const char *schemes)
{
	const char *colon = strstr(url, "://");
	size_t n = colon ? (size_t)(colon - url) : 0;

	for (const char *s = schemes; n && *s; s += *s == ' ') {
		size_t len = strcspn(s, " ");

		if (len == n && strncasecmp(s, url, n) == 0)
			return true;
		s += len;
	}
	return false;
}

/* Where the password begins and how long it is; NULL without one. The last '@' of the authority
 * ends it, since people forget to encode the ones inside. */
static const char *password(const char *url, size_t *ret_len)
{
	const char *start = strstr(url, "://"), *end, *at, *colon;

	if (!start)
		return NULL;
	start += 3;
	end = start + strcspn(start, "/?#");
	at = memrchr(start, '@', (size_t)(end - start));
	colon = at ? memchr(start, ':', (size_t)(at - start)) : NULL;
	if (!colon || colon + 1 == at)
		return NULL;
	*ret_len = (size_t)(at - colon - 1);
	return colon + 1;
}

/* The value of a query parameter that carries a secret, from `from` on. */
static const char *secret_parameter(const char *from, size_t *ret_len)
{
	static const char *const names[] = { "password=", "sslpassword=", "key=", "api_key=",
					     "app_key=", "token=", "registrationkey=" };

	for (const char *p = strpbrk(from, "?&"); p; p = strpbrk(p + 1, "?&")) {
		for (size_t i = 0; i < COUNT(names); i++) {
			size_t n = strlen(names[i]);

			if (strncasecmp(p + 1, names[i], n) == 0 && p[1 + n] && p[1 + n] != '&') {
				*ret_len = strcspn(p + 1 + n, "&#");
				return p + 1 + n;
			}
		}
	}
	return NULL;
}

bool conf_url_has_password(const char *url)
{
	size_t n;

	return password(url, &n) || secret_parameter(url, &n);
}

char *conf_url_masked(const char *url)
{
	const char *from = url, *secret;
	struct buf out;
	size_t n;

	buf_init(&out, 3 * strlen(url) + 16);
	secret = password(url, &n);
	if (secret) {
		buf_append(&out, url, (size_t)(secret - url));
		buf_puts(&out, "***");
		from = secret + n;
	}
	while ((secret = secret_parameter(from, &n))) {
		buf_append(&out, from, (size_t)(secret - from));
		buf_puts(&out, "***");
		from = secret + n;
	}
	buf_puts(&out, from);
	return buf_take(&out);
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

const char *conf_url_http_fault(const char *url)
{
	static const char form[] = "is not a URL such as https://host/path";
	char *scheme = NULL, *host = NULL;
	CURLU *h = mem_check(curl_url());
	const char *why = NULL;

	if (conf_url_has_password(url))
		why = "carries a secret: the key belongs in the variable that key_variable names";
	else if (sure(curl_url_set(h, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME)) != CURLUE_OK ||
		 sure(curl_url_get(h, CURLUPART_SCHEME, &scheme, 0)) != CURLUE_OK ||
		 sure(curl_url_get(h, CURLUPART_HOST, &host, 0)) != CURLUE_OK || !*host)
		why = form;
	else if (strcmp(scheme, "http") == 0 && !is_loopback(host))
		why = "is plain http, allowed to loopback only: use https";
	else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		why = form;
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(h);
	return why;
}
