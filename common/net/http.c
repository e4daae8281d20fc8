/* SPDX-License-Identifier: MIT */
#include "common/net/http.h"

#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>

#include "common/base/board.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/net/http_private.h"

enum {
	TIMEOUT_MS = 30000,
	CONNECT_MS = 10000,
	CANCEL_POLL_MS = 100,
	HEADER_BYTES = 64 * 1024,
	REDIRECTS = 3,
};
static const int64_t BODY_BYTES = 64 * 1024 * 1024;

struct http {
	CURLM *multi;			/* holds the connections, so whichever handle asks reuses them */
	struct exchange *live;		/* begun and not given back yet, in the order they began */
	struct exchange *spare;		/* handles of calls that are over */
	char *user_agent;
	bool (*cancelled)(void *ctx);
	void *cancel_ctx;
};

enum stage { WAITING, RUNNING, DONE };

/* One call: what the callbacks of libcurl fill. */
struct exchange {
	struct exchange *next;
	CURL *easy;
	struct http_call *call;
	struct curl_slist *headers;
	char *url, *shown;
	int64_t begin_ms, end_ms;
	enum stage stage;
	int hops;
	bool head_done;			/* the last response's header block is whole */
	bool too_big;
	char why[CURL_ERROR_SIZE];
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
	h->user_agent = mem_strdup(user_agent);
	*ret = h;
	return 0;
}

static void free_all(struct http *h, struct exchange *x)
{
	while (x) {
		struct exchange *next = x->next;

		if (x->stage == RUNNING)
			curl_multi_remove_handle(h->multi, x->easy);
		curl_easy_cleanup(x->easy);
		curl_slist_free_all(x->headers);
		free(x->url);
		free(x->shown);
		free(x);
		x = next;
	}
}

void http_close(struct http *h)
{
	if (!h)
		return;
	free_all(h, h->live);
	free_all(h, h->spare);
	curl_multi_cleanup(h->multi);
	free(h->user_agent);
	free(h);
}

void http_set_cancel(struct http *h, bool (*cancelled)(void *ctx), void *ctx)
{
	h->cancelled = cancelled;
	h->cancel_ctx = ctx;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;

	if (buf_append(&x->call->response.body, data, size * n) == 0)
		return size * n;
	x->too_big = true;
	return CURL_WRITEFUNC_ERROR;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	struct buf *headers = &x->call->response.headers;
	size_t len = size * n;

	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {	/* also after a 100 Continue */
		buf_clear(headers);
		x->head_done = false;
		return len;
	}
	x->head_done = len == 2 && data[0] == '\r';
	if (x->head_done || buf_append(headers, data, len) == 0)
		return len;
	x->too_big = true;
	return 0;
}

/* With what is the same for every request. */
static struct exchange *new_exchange(const struct http *h)
{
	struct exchange *x = mem_zalloc(sizeof *x);
	CURL *c = x->easy = mem_check(curl_easy_init());

	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->why);
	http_set_text(c, CURLOPT_USERAGENT, h->user_agent);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	http_set_text(c, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	return x;
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
		http_set_text(c, CURLOPT_CUSTOMREQUEST, method);
	}
}

static void response_init(struct http_response *r, const struct http_request *req)
{
	*r = (struct http_response){ 0 };
	buf_init(&r->body, (size_t)(req->max_bytes ? req->max_bytes : BODY_BYTES));
	buf_init(&r->headers, HEADER_BYTES);
}

/* Sets the handle up for one exchange with x->url. */
static void prepare(struct exchange *x, bool loopback)
{
	int64_t left = x->end_ms - clock_mono_ms();
	long ms = left > 0 ? (long)left : 1;
	CURL *c = x->easy;

	x->why[0] = '\0';
	x->head_done = x->too_big = false;
	set_method(c, &x->call->request);
	http_set_text(c, CURLOPT_URL, x->url);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, x->call->request.once ? 1L : 0L);
	http_set_text(c, CURLOPT_PROXY, loopback ? "" : NULL);	/* NULL: the environment's */
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->headers);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)x->call->response.body.max);
}

static void count_call(const struct http_call *call, int code)
{
	const char *account = call->request.account;
	bool failed = code < 0 || call->response.status >= 500;

	if (!account || code == -ERR_CANCELLED || code == -ERR_REFUSED)
		return;		/* it never went out */
	board_add(1, "source_calls", account, failed ? "failed" :
		  call->response.status == 429 ? "limited" : "answered", NULL);
	board_time(call->response.elapsed_ms * 1000, "source_seconds", account, NULL);
}

static void finish(struct exchange *x, int code)
{
	struct http_call *call = x->call;

	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(x->headers);
	x->headers = NULL;
	mem_replace(&x->url, NULL);
	mem_replace(&x->shown, NULL);
	if (code < 0)
		http_response_release(&call->response);
	call->response.elapsed_ms = clock_mono_ms() - x->begin_ms;
	count_call(call, code);
	call->code = code;
	x->stage = DONE;
}

/* Sends the request to x->url; the call is over at once when that may not be asked. */
static void start(struct http *h, struct exchange *x)
{
	struct http_call *call = x->call;
	bool loopback = false;
	char *shown = NULL;
	int r = http_check_url(x->url, &shown, &loopback, &call->err);

	if (r == 0) {
		mem_replace(&x->shown, shown);
		if (!x->headers)
			r = put_headers(&call->request, &x->headers, &call->err);
	}
	if (r < 0) {
		finish(x, r);
		return;
	}
	prepare(x, loopback);
	x->stage = RUNNING;
	mem_check(curl_multi_add_handle(h->multi, x->easy) == CURLM_OUT_OF_MEMORY ? NULL : x);
}

/* The peer (or a proxy) ended the body early, or its compression is broken at the end. */
static bool is_cut_off(CURLcode c)
{
	return c == CURLE_PARTIAL_FILE || c == CURLE_RECV_ERROR || c == CURLE_HTTP2_STREAM ||
	       c == CURLE_HTTP2 || c == CURLE_BAD_CONTENT_ENCODING || c == CURLE_GOT_NOTHING;
}

static int verdict(const struct exchange *x, CURLcode c)
{
	const struct http_request *req = &x->call->request;
	const char *why = x->why[0] ? x->why : curl_easy_strerror(c), *shown = x->shown;
	const char *method = req->method ? req->method : "GET";
	struct err *e = &x->call->err;

	if (c == CURLE_OK && x->head_done)
		return 0;
	if (c == CURLE_OK)	/* libcurl takes a close inside the head for the end of the body */
		return err_set(e, ERR_NET, "%s %s: the answer ended inside its header", method,
			       shown);
	if (x->too_big || c == CURLE_FILESIZE_EXCEEDED)
		return err_set(e, ERR_TOO_BIG,
			       "%s %s: the answer is larger than its limit of %zu bytes", method,
			       shown, x->call->response.body.max);
	if (c == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, ERR_TIMEOUT, "%s %s: no whole answer in time", method, shown);
	if (is_cut_off(c) && x->head_done)
		return 0;
	return err_set(e, ERR_NET, "%s %s: %s", method, shown, why);
}

/* 1: x->url was replaced by where the answer points; 0: it stands as it is. */
static int next_url(struct exchange *x)
{
	const struct http_request *req = &x->call->request;
	struct http_response *r = &x->call->response;
	struct err *e = &x->call->err;
	char *to = NULL;

	if (!req->follow_same_host || r->status < 300 || r->status > 399 ||
	    (req->method && strcmp(req->method, "GET") != 0))
		return 0;
	if (curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to)
		return 0;
	if (!http_same_origin(x->url, to))
		return err_set(e, ERR_REFUSED, "answered %d with a redirect to another host",
			       r->status);
	if (x->hops++ == REDIRECTS)
		return err_set(e, ERR_REFUSED, "more than %d redirects", REDIRECTS);
	mem_replace(&x->url, mem_strdup(to));
	return 1;
}

static void copy_type(struct http_response *r)
{
	char value[sizeof r->content_type];

	http_hide_secrets(r);
	if (!http_header(r, "Content-Type", value, sizeof value))
		return;
	value[strcspn(value, "; \t")] = '\0';
	for (size_t i = 0; value[i]; i++)
		r->content_type[i] = (char)tolower((unsigned char)value[i]);
}

/* One exchange has ended; a redirect that is followed begins the next one. */
static void end_exchange(struct http *h, struct exchange *x, CURLcode c)
{
	struct http_response *r = &x->call->response;
	long status = 0;
	int more;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(h->multi, x->easy);
	r->status = (int)status;
	r->complete = c == CURLE_OK;
	more = verdict(x, c);
	if (more == 0)
		more = next_url(x);
	if (more > 0) {
		http_response_release(r);
		response_init(r, &x->call->request);
		start(h, x);
		return;
	}
	if (more == 0)
		copy_type(r);
	finish(x, more);
}

void http_begin(struct http *h, struct http_call *call)
{
	const struct http_request *req = &call->request;
	struct exchange *x = h->spare, **end = &h->live;

	if (x)
		h->spare = x->next;
	else
		x = new_exchange(h);
	call->code = 0;
	err_clear(&call->err);
	response_init(&call->response, req);
	x->next = NULL;
	x->call = call;
	x->stage = WAITING;
	x->hops = 0;
	x->url = mem_strdup(req->url);
	x->begin_ms = clock_mono_ms() + call->delay_ms;
	x->end_ms = x->begin_ms + (req->timeout_ms ? req->timeout_ms : TIMEOUT_MS);
	while (*end)
		end = &(*end)->next;
	*end = x;
}

static void end_all(struct http *h, enum err_code code, const char *why)
{
	for (struct exchange *x = h->live; x; x = x->next) {
		if (x->stage == RUNNING)
			curl_multi_remove_handle(h->multi, x->easy);
		if (x->stage != DONE)
			finish(x, err_set(&x->call->err, code, "%s: %s",
					  x->shown ? x->shown : "a request", why));
	}
}

void http_abort(struct http *h)
{
	end_all(h, ERR_CANCELLED, "cancelled");
}

/* Starts what is due; how long until the next one is, at most as long as a cancel may wait. */
static int start_due(struct http *h)
{
	int64_t now = clock_mono_ms(), wait = CANCEL_POLL_MS;

	for (struct exchange *x = h->live; x; x = x->next) {
		if (x->stage == WAITING && x->begin_ms <= now)
			start(h, x);
		else if (x->stage == WAITING && x->begin_ms - now < wait)
			wait = x->begin_ms - now;
	}
	return (int)wait;
}

/* The first call that is over, taken out of the list. */
static struct http_call *take_done(struct http *h)
{
	for (struct exchange **p = &h->live; *p; p = &(*p)->next) {
		struct exchange *x = *p;

		if (x->stage != DONE)
			continue;
		*p = x->next;
		x->next = h->spare;
		h->spare = x;
		return x->call;
	}
	return NULL;
}

/* Lets libcurl work once; whether a call has ended. */
static bool turn(struct http *h)
{
	bool ended = false;
	int running, left;
	CURLMsg *m;

	if (curl_multi_perform(h->multi, &running) != CURLM_OK) {
		end_all(h, ERR_NET, "libcurl failed");
		return true;
	}
	while ((m = curl_multi_info_read(h->multi, &left))) {
		struct exchange *x = NULL;
		CURLcode c = m->data.result;	/* m is gone once its handle is removed */

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
		end_exchange(h, x, c);
		ended = true;
	}
	return ended;
}

struct http_call *http_next(struct http *h)
{
	struct http_call *done;

	while (h->live) {
		int wait = start_due(h);

		if (h->cancelled && h->cancelled(h->cancel_ctx))
			http_abort(h);
		if ((done = take_done(h)) != NULL)
			return done;
		if (!turn(h))
			curl_multi_poll(h->multi, NULL, 0, wait, NULL);
	}
	return NULL;
}

int http_perform(struct http *h, const struct http_request *req, struct http_response *ret,
		 struct err *e)
{
	struct http_call call = { .request = *req };

	assert(!h->live);	/* another's call could be given back here */
	http_begin(h, &call);
	while (http_next(h) != &call)
		;
	if (call.code == 0)
		*ret = call.response;
	else if (e)
		*e = call.err;
	return call.code;
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
