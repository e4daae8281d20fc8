/* SPDX-License-Identifier: MIT */
#include "common/net/http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"

enum {
	TIMEOUT_MS = 30000,
	CONNECT_MS = 10000,
	CANCEL_POLL_MS = 100,
	HEADER_BYTES = 64 * 1024,
	REDIRECTS = 3,
	MAX_ESCAPED = 64 * 1024,
};
static const int64_t BODY_BYTES = 64 * 1024 * 1024;

struct http {
	CURLM *multi;
	CURL *easy;			/* kept between requests: its connections are reused */
	bool (*cancelled)(void *ctx);
	void *cancel_ctx;
	char why[CURL_ERROR_SIZE];
};

/* One exchange: what the callbacks of libcurl fill. */
struct exchange {
	struct http_response *r;
	bool head_done;			/* the last response's header block is whole */
	bool too_big;
};

int http_open(struct http **ret, const char *user_agent, struct err *e)
{
	static bool ready;
	struct http *h;

	if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl did not start");
	ready = true;
	h = mem_zalloc(sizeof *h);
	h->multi = mem_check(curl_multi_init());
	h->easy = mem_check(curl_easy_init());
	curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why);
	curl_easy_setopt(h->easy, CURLOPT_USERAGENT, user_agent);
	curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	free(h);
}

void http_set_cancel(struct http *h, bool (*cancelled)(void *ctx), void *ctx)
{
	h->cancelled = cancelled;
	h->cancel_ctx = ctx;
}

static char *url_part(CURLU *u, CURLUPart part)
{
	char *curl_owned = NULL, *copy;

	if (curl_url_get(u, part, &curl_owned, 0) != CURLUE_OK)
		return mem_strdup("");
	copy = mem_strdup(curl_owned);
	curl_free(curl_owned);
	return copy;
}

/* Keys travel in queries and in user info, so neither may reach a text. */
static char *url_for_people(CURLU *u)
{
	curl_url_set(u, CURLUPART_QUERY, NULL, 0);
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	curl_url_set(u, CURLUPART_USER, NULL, 0);
	curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	return url_part(u, CURLUPART_URL);
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	       (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

/* Scheme and host of a URL that may be asked; *ret_shown is malloc'ed, safe to show. */
static int check_url(const char *url, char **ret_shown, bool *ret_loopback, struct err *e)
{
	CURLU *u = mem_check(curl_url());
	char *scheme, *host, *shown;
	int r = 0;

	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK) {
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
static bool same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
	CURLU *ua = mem_check(curl_url()), *ub = mem_check(curl_url());
	bool same = curl_url_set(ua, CURLUPART_URL, a, 0) == CURLUE_OK &&
		    curl_url_set(ub, CURLUPART_URL, b, 0) == CURLUE_OK;

	for (size_t i = 0; same && i < COUNT(parts); i++) {
		char *pa = NULL, *pb = NULL;

		same = curl_url_get(ua, parts[i], &pa, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		       curl_url_get(ub, parts[i], &pb, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		       strcasecmp(pa, pb) == 0;
		curl_free(pa);
		curl_free(pb);
	}
	curl_url_cleanup(ua);
	curl_url_cleanup(ub);
	return same;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;

	if (buf_append(&x->r->body, data, size * n) == 0)
		return size * n;
	x->too_big = true;
	return CURL_WRITEFUNC_ERROR;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	size_t len = size * n;

	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {	/* also after a 100 Continue */
		buf_clear(&x->r->headers);
		x->head_done = false;
		return len;
	}
	x->head_done = len == 2 && data[0] == '\r';
	if (x->head_done || buf_append(&x->r->headers, data, len) == 0)
		return len;
	x->too_big = true;
	return 0;
}

static int put_headers(const struct http_request *req, struct curl_slist **ret, struct err *e)
{
	/* libcurl would wait a second for "100 Continue" before a larger body. */
	struct curl_slist *list = mem_check(curl_slist_append(NULL, "Expect:"));

	for (const char *const *p = req->headers; p && *p; p++) {
		if (strpbrk(*p, "\r\n")) {
			curl_slist_free_all(list);
			return err_set(e, ERR_INVALID, "a request header contains a line break");
		}
		list = mem_check(curl_slist_append(list, *p));
	}
	*ret = list;
	return 0;
}

static void set_method(CURL *c, const struct http_request *req)
{
	const char *method = req->method ? req->method : "GET";

	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(c, CURLOPT_NOBODY, 0L);
	curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	} else if (strcmp(method, "GET") != 0 || req->body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, req->body ? req->body : "");
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	}
}

/* Runs the prepared handle to its end, asking for cancellation meanwhile. */
static CURLcode drive(struct http *h, bool *ret_cancelled)
{
	CURLcode result = CURLE_OK;
	int running = 1, left;

	curl_multi_add_handle(h->multi, h->easy);
	while (running) {
		CURLMsg *m;

		if (h->cancelled && h->cancelled(h->cancel_ctx)) {
			*ret_cancelled = true;
			break;
		}
		if (curl_multi_perform(h->multi, &running) != CURLM_OK) {
			result = CURLE_FAILED_INIT;
			break;
		}
		if (running)
			curl_multi_poll(h->multi, NULL, 0, CANCEL_POLL_MS, NULL);
		while ((m = curl_multi_info_read(h->multi, &left)))
			if (m->msg == CURLMSG_DONE)
				result = m->data.result;
	}
	curl_multi_remove_handle(h->multi, h->easy);
	return result;
}

/* The peer (or a proxy) ended the body early, or its compression is broken at the end. */
static bool is_cut_off(CURLcode c)
{
	return c == CURLE_PARTIAL_FILE || c == CURLE_RECV_ERROR || c == CURLE_HTTP2_STREAM ||
	       c == CURLE_HTTP2 || c == CURLE_BAD_CONTENT_ENCODING || c == CURLE_GOT_NOTHING;
}

static int verdict(const struct http *h, const struct exchange *x, CURLcode c, const char *shown,
		   const char *method, struct err *e)
{
	const char *why = h->why[0] ? h->why : curl_easy_strerror(c);

	if (c == CURLE_OK && x->head_done)
		return 0;
	if (c == CURLE_OK)	/* libcurl takes a close inside the head for the end of the body */
		return err_set(e, ERR_NET, "%s %s: the answer ended inside its header", method,
			       shown);
	if (x->too_big || c == CURLE_FILESIZE_EXCEEDED)
		return err_set(e, ERR_TOO_BIG,
			       "%s %s: the answer is larger than its limit of %zu bytes", method,
			       shown, x->r->body.max);
	if (c == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, ERR_TIMEOUT, "%s %s: no whole answer in time", method, shown);
	if (is_cut_off(c) && x->head_done)
		return 0;
	return err_set(e, ERR_NET, "%s %s: %s", method, shown, why);
}

static void copy_type(struct http_response *r)
{
	char value[sizeof r->content_type];

	if (!http_header(r, "Content-Type", value, sizeof value))
		return;
	value[strcspn(value, "; \t")] = '\0';
	for (size_t i = 0; value[i]; i++)
		r->content_type[i] = (char)tolower((unsigned char)value[i]);
}

/* One exchange without redirects; fills r, which the caller made and releases. */
static int exchange(struct http *h, const struct http_request *req, const char *url,
		    int64_t left_ms, struct http_response *r, struct err *e)
{
	struct exchange x = { .r = r };
	struct curl_slist *headers = NULL;
	bool loopback = false, cancelled = false;
	char *shown = NULL;
	long status = 0;
	CURLcode c;
	int ret;

	if ((ret = check_url(url, &shown, &loopback, e)) < 0)
		return ret;
	if ((ret = put_headers(req, &headers, e)) < 0) {
		free(shown);
		return ret;
	}
	h->why[0] = '\0';
	set_method(h->easy, req);
	curl_easy_setopt(h->easy, CURLOPT_URL, url);
	curl_easy_setopt(h->easy, CURLOPT_PROXY, loopback ? "" : NULL);	/* NULL: the environment's */
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(left_ms < CONNECT_MS ? left_ms : CONNECT_MS));
	curl_easy_setopt(h->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->body.max);
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, &x);
	curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, &x);
	c = drive(h, &cancelled);
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	ret = cancelled ? err_set(e, ERR_CANCELLED, "%s: cancelled", shown) :
			  verdict(h, &x, c, shown, req->method ? req->method : "GET", e);
	free(shown);
	r->status = (int)status;
	r->complete = c == CURLE_OK;
	return ret;
}

static void response_init(struct http_response *r, const struct http_request *req)
{
	*r = (struct http_response){ 0 };
	buf_init(&r->body, (size_t)(req->max_bytes ? req->max_bytes : BODY_BYTES));
	buf_init(&r->headers, HEADER_BYTES);
}

/* 1: *url was replaced by where the answer points; 0: it stands as it is. */
static int next_url(struct http *h, const struct http_request *req, const struct http_response *r,
		    char **url, int hops, struct err *e)
{
	char *to = NULL;

	if (!req->follow_same_host || r->status < 300 || r->status > 399 ||
	    (req->method && strcmp(req->method, "GET") != 0))
		return 0;
	if (curl_easy_getinfo(h->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to)
		return 0;
	if (!same_origin(*url, to))
		return err_set(e, ERR_REFUSED, "answered %d with a redirect to another host",
			       r->status);
	if (hops == REDIRECTS)
		return err_set(e, ERR_REFUSED, "more than %d redirects", REDIRECTS);
	mem_replace(url, mem_strdup(to));
	return 1;
}

int http_perform(struct http *h, const struct http_request *req, struct http_response *ret,
		 struct err *e)
{
	int64_t start = clock_mono_ms(), timeout = req->timeout_ms ? req->timeout_ms : TIMEOUT_MS;
	char *url = mem_strdup(req->url);
	struct http_response r;
	int more = 0;

	for (int hops = 0;; hops++) {
		int64_t left = start + timeout - clock_mono_ms();

		response_init(&r, req);
		more = exchange(h, req, url, left > 0 ? left : 1, &r, e);
		if (more == 0)
			more = next_url(h, req, &r, &url, hops, e);
		if (more <= 0)
			break;
		http_response_release(&r);
	}
	free(url);
	if (more < 0) {
		http_response_release(&r);
		return more;
	}
	copy_type(&r);
	r.elapsed_ms = clock_mono_ms() - start;
	*ret = r;
	return 0;
}

void http_response_release(struct http_response *r)
{
	buf_release(&r->body);
	buf_release(&r->headers);
}

bool http_header(const struct http_response *r, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);

	for (const char *line = buf_text(&r->headers); *line;) {
		size_t len = strcspn(line, "\r\n");

		if (len > n && line[n] == ':' && strncasecmp(line, name, n) == 0) {
			const char *v = line + n + 1, *end = line + len;

			while (v < end && (*v == ' ' || *v == '\t'))
				v++;
			while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
				end--;
			snprintf(out, size, "%.*s", (int)(end - v), v);
			return true;
		}
		line += len;
		line += strspn(line, "\r\n");
	}
	return false;
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
