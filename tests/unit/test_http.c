/* SPDX-License-Identifier: MIT */
/* http against a server of canned bytes, so that every kind of bad ending can be made exactly. */
#include "common/net/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"

enum ending { KEEP, CLOSE, RESET, HOLD };

/* What the server sends for a path; the first that is a prefix of the request's is taken. */
struct canned {
	const char *path;
	const char *bytes;
	enum ending ending;
};

#define HEAD(fields) "HTTP/1.1 200 OK\r\n" fields "\r\n"
static const struct canned CANNED[] = {
	{ "/plain",
	  HEAD("Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n"
	       "X-RateLimit-Requests-Remaining:  17 \r\n") "{}",
	  KEEP },
	{ "/cut", HEAD("Content-Length: 1000\r\n") "half a bo", CLOSE },
	{ "/chunkcut", HEAD("Transfer-Encoding: chunked\r\n") "5\r\nhello\r\n40\r\nwor", CLOSE },
	{ "/reset", HEAD("Content-Length: 1000\r\n") "some", RESET },
	{ "/nothing", "", CLOSE },
	{ "/headcut", "HTTP/1.1 200 OK\r\nContent-Le", CLOSE },
	{ "/hang", "", HOLD },
	{ "/drip", HEAD("Content-Length: 1000\r\n") "first", HOLD },
	{ "/teapot",
	  "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow",
	  KEEP },
	{ "/length", HEAD("Content-Length: 5000000\r\n") "x", CLOSE },
	{ "/long", HEAD("Connection: close\r\n") "0123456789012345678901234567890123456789",
	  CLOSE },
	{ "/elsewhere",
	  "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:1/plain\r\nContent-Length: 0\r\n\r\n",
	  KEEP },
	{ "/hop", "HTTP/1.1 302 Found\r\nLocation: /plain\r\nContent-Length: 0\r\n\r\n", KEEP },
	{ "/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", KEEP },
	{ "/upgrade",
	  "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/plain\r\nContent-Length: 0\r\n\r\n",
	  KEEP },
	{ "/continued",
	  "HTTP/1.1 100 Continue\r\nX-Old: 1\r\n\r\n" HEAD(
		  "Content-Length: 2\r\nX-New: 2\r\n") "ok",
	  KEEP },
	{ "/untyped", HEAD("Content-Length: 0\r\n"), KEEP },
};

struct server {
	int fd;
	int connections;
	pthread_t thread;
	char head[8192];		/* the last request as it came */
	char url[64];
	char *gzip;
	size_t gzip_len;
};

static struct server the_server;
static struct http *http;

static void reset_on_close(int fd)
{
	struct linger l = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

static void send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

/* One request into s->head, body included; false when the client is gone. */
static bool read_request(struct server *s, int fd)
{
	size_t len = 0, want = 0;
	char *end = NULL, *field;

	while (len + 1 < sizeof s->head) {
		ssize_t n = recv(fd, s->head + len, sizeof s->head - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
		s->head[len] = '\0';
		end = strstr(s->head, "\r\n\r\n");
		if (!end)
			continue;
		field = strcasestr(s->head, "Content-Length: ");
		want = field && field < end ? strtoul(field + 16, NULL, 10) : 0;
		if (len >= (size_t)(end + 4 - s->head) + want)
			return true;
	}
	return false;
}

static bool answer(struct server *s, int fd)
{
	char path[64] = "", byte;

	sscanf(s->head, "%*s %63s", path);
	if (strncmp(path, "/gzip", 5) == 0) {
		char head[128];
		size_t n = strcmp(path, "/gzipcut") == 0 ? s->gzip_len / 2 : s->gzip_len;

		snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
			 "Content-Length: %zu\r\n\r\n", s->gzip_len);
		send_all(fd, head, strlen(head));
		send_all(fd, s->gzip, n);
		return n == s->gzip_len;
	}
	for (size_t i = 0; i < COUNT(CANNED); i++) {
		if (strncmp(path, CANNED[i].path, strlen(CANNED[i].path)) != 0)
			continue;
		send_all(fd, CANNED[i].bytes, strlen(CANNED[i].bytes));
		if (CANNED[i].ending == HOLD)
			while (recv(fd, &byte, 1, 0) > 0)
				;
		if (CANNED[i].ending == RESET)
			reset_on_close(fd);
		return CANNED[i].ending == KEEP;
	}
	return false;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		s->connections++;
		while (read_request(s, fd) && answer(s, fd))
			;
		close(fd);
	}
	return NULL;
}

static void make_gzip(struct server *s)
{
	size_t n = 100000;
	char *text = mem_alloc(n);
	z_stream z = { 0 };

	memset(text, 'a', n);
	s->gzip = mem_alloc(n);
	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (Bytef *)text;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)s->gzip;
	z.avail_out = (uInt)n;
	deflate(&z, Z_FINISH);
	s->gzip_len = z.total_out;
	deflateEnd(&z);
	free(text);
}

static int start(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	struct server *s = &the_server;

	(void)state;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	getsockname(s->fd, (struct sockaddr *)&a, &len);
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", ntohs(a.sin_port));
	make_gzip(s);
	pthread_create(&s->thread, NULL, serve, s);
	return http_open(&http, "jobfleet-test/1", NULL);
}

static int stop(void **state)
{
	(void)state;
	http_close(http);
	shutdown(the_server.fd, SHUT_RDWR);
	pthread_join(the_server.thread, NULL);
	close(the_server.fd);
	free(the_server.gzip);
	return 0;
}

/* Asks for path with what req says beside it. */
static int ask(const char *path, struct http_request req, struct http_response *r, struct err *e)
{
	char *url = mem_printf("%s%s", the_server.url, path);
	int ret;

	req.url = url;
	ret = http_perform(http, &req, r, e);
	free(url);
	return ret;
}

static void gives_status_type_headers_and_body(void **state)
{
	struct http_response r;
	char value[32];

	(void)state;
	assert_int_equal(ask("/plain?x=1", (struct http_request){ 0 }, &r, NULL), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.content_type, "application/json");
	assert_string_equal(buf_text(&r.body), "{}");
	assert_true(r.complete);
	assert_true(http_header(&r, "x-ratelimit-requests-remaining", value, sizeof value));
	assert_string_equal(value, "17");
	assert_false(http_header(&r, "x-ratelimit", value, sizeof value));
	http_response_release(&r);
	assert_int_equal(ask("/untyped", (struct http_request){ 0 }, &r, NULL), 0);
	assert_string_equal(r.content_type, "");
	assert_int_equal(r.body.len, 0);
	http_response_release(&r);
}

static void an_http_error_status_is_an_answer(void **state)
{
	struct http_response r;
	char value[8];

	(void)state;
	assert_int_equal(ask("/teapot", (struct http_request){ 0 }, &r, NULL), 0);
	assert_int_equal(r.status, 429);
	assert_string_equal(buf_text(&r.body), "slow");
	assert_true(http_header(&r, "Retry-After", value, sizeof value));
	assert_string_equal(value, "7");
	http_response_release(&r);
}

static void a_connection_is_used_again(void **state)
{
	struct http_response r;
	int before;

	(void)state;
	assert_int_equal(ask("/plain", (struct http_request){ 0 }, &r, NULL), 0);
	http_response_release(&r);
	before = the_server.connections;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ask("/plain", (struct http_request){ 0 }, &r, NULL), 0);
		http_response_release(&r);
	}
	assert_int_equal(the_server.connections, before);
}

static void sends_method_headers_and_body(void **state)
{
	const char *const headers[] = { "X-Api-Key: k1", "Content-Type: application/json", NULL };
	struct http_response r;

	(void)state;
	assert_int_equal(ask("/plain", (struct http_request){ .method = "POST", .headers = headers,
			 .body = "{\"a\":1}", .body_len = 7 }, &r, NULL), 0);
	http_response_release(&r);
	assert_ptr_equal(strstr(the_server.head, "POST /plain HTTP/1.1\r\n"), the_server.head);
	assert_non_null(strstr(the_server.head, "X-Api-Key: k1\r\n"));
	assert_non_null(strstr(the_server.head, "User-Agent: jobfleet-test/1\r\n"));
	assert_null(strstr(the_server.head, "Expect:"));
	assert_non_null(strstr(the_server.head, "\r\n\r\n{\"a\":1}"));
	assert_int_equal(ask("/plain", (struct http_request){ 0 }, &r, NULL), 0);
	http_response_release(&r);
	assert_ptr_equal(strstr(the_server.head, "GET /plain HTTP/1.1\r\n"), the_server.head);
	assert_null(strstr(the_server.head, "X-Api-Key"));
}

static void what_came_of_a_cut_off_body_is_kept(void **state)
{
	static const struct { const char *path, *body; } cases[] = {
		{ "/cut", "half a bo" }, { "/chunkcut", "hellowor" }, { "/reset", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_response r;

		assert_int_equal(ask(cases[i].path, (struct http_request){ 0 }, &r, NULL), 0);
		assert_int_equal(r.status, 200);
		assert_false(r.complete);
		if (cases[i].body)
			assert_string_equal(buf_text(&r.body), cases[i].body);
		http_response_release(&r);
	}
}

static void without_a_whole_head_there_is_no_answer(void **state)
{
	static const char *const paths[] = { "/nothing", "/headcut" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct http_response r;
		struct err e = { 0 };

		assert_int_equal(ask(paths[i], (struct http_request){ 0 }, &r, &e), -ERR_NET);
		assert_true(err_is_transient(e.code));
	}
}

static void a_compressed_body_is_unpacked_within_the_limit(void **state)
{
	struct http_response r;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ask("/gzip", (struct http_request){ 0 }, &r, NULL), 0);
	assert_int_equal(r.body.len, 100000);
	assert_int_equal(buf_text(&r.body)[99999], 'a');
	http_response_release(&r);
	assert_int_equal(ask("/gzip", (struct http_request){ .max_bytes = 99999 }, &r, &e),
			 -ERR_TOO_BIG);
	assert_int_equal(ask("/gzipcut", (struct http_request){ 0 }, &r, NULL), 0);
	assert_false(r.complete);
	http_response_release(&r);
}

static void a_body_over_its_limit_is_refused(void **state)
{
	struct http_response r;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ask("/length", (struct http_request){ .max_bytes = 1000 }, &r, &e),
			 -ERR_TOO_BIG);
	assert_int_equal(ask("/long", (struct http_request){ .max_bytes = 39 }, &r, &e),
			 -ERR_TOO_BIG);
	assert_non_null(strstr(e.msg, "39 bytes"));
	assert_int_equal(ask("/long", (struct http_request){ .max_bytes = 40 }, &r, &e), 0);
	http_response_release(&r);
}

static void a_silent_or_dripping_server_costs_no_more_than_the_deadline(void **state)
{
	static const char *const paths[] = { "/hang?key=s3cret", "/drip?key=s3cret" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		int64_t start = clock_mono_ms();
		struct http_response r;
		struct err e = { 0 };

		assert_int_equal(ask(paths[i], (struct http_request){ .timeout_ms = 300 }, &r, &e),
				 -ERR_TIMEOUT);
		assert_in_range(clock_mono_ms() - start, 250, 2000);
		assert_null(strstr(e.msg, "s3cret"));
	}
}

static bool after_some_asking(void *ctx)
{
	return ++*(int *)ctx > 2;
}

static void a_request_can_be_cancelled(void **state)
{
	int64_t start = clock_mono_ms();
	struct http_response r;
	struct err e = { 0 };
	int asked = 0;

	(void)state;
	http_set_cancel(http, after_some_asking, &asked);
	assert_int_equal(ask("/hang", (struct http_request){ 0 }, &r, &e), -ERR_CANCELLED);
	http_set_cancel(http, NULL, NULL);
	assert_in_range(clock_mono_ms() - start, 0, 5000);
	assert_int_equal(ask("/plain", (struct http_request){ 0 }, &r, &e), 0);
	http_response_release(&r);
}

static void redirects_are_followed_only_when_asked_and_on_the_same_host(void **state)
{
	struct http_request follow = { .follow_same_host = true };
	struct http_response r;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ask("/hop", (struct http_request){ 0 }, &r, &e), 0);
	assert_int_equal(r.status, 302);
	http_response_release(&r);
	assert_int_equal(ask("/hop", follow, &r, &e), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(buf_text(&r.body), "{}");
	http_response_release(&r);
	assert_int_equal(ask("/elsewhere", follow, &r, &e), -ERR_REFUSED);
	assert_int_equal(ask("/upgrade", follow, &r, &e), -ERR_REFUSED);
	assert_int_equal(ask("/loop", follow, &r, &e), -ERR_REFUSED);
	assert_non_null(strstr(e.msg, "more than 3 redirects"));
}

static void headers_of_an_interim_answer_are_dropped(void **state)
{
	struct http_response r;
	char value[8];

	(void)state;
	assert_int_equal(ask("/continued", (struct http_request){ 0 }, &r, NULL), 0);
	assert_false(http_header(&r, "X-Old", value, sizeof value));
	assert_true(http_header(&r, "X-New", value, sizeof value));
	http_response_release(&r);
}

static void urls_that_may_not_be_asked_are_refused_without_their_secrets(void **state)
{
	static const struct { const char *url; enum err_code code; } cases[] = {
		{ "http://example.com/x?api_key=s3cret", ERR_REFUSED },
		{ "http://u:s3cret@10.0.0.1/", ERR_REFUSED },
		{ "http://127.0.0.1.example.com/?k=s3cret", ERR_REFUSED },
		{ "ftp://127.0.0.1/?k=s3cret", ERR_REFUSED },
		{ "file:///etc/passwd?s3cret", ERR_REFUSED },
		{ "no url s3cret", ERR_INVALID },
		{ "", ERR_INVALID },
		{ "http://127.0.0.1:1/p?k=s3cret", ERR_NET },
		{ "https://u:s3cret@127.0.0.1:1/p?k=s3cret", ERR_NET },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_request req = { .url = cases[i].url };
		struct http_response r;
		struct err e = { 0 };

		assert_int_equal(http_perform(http, &req, &r, &e), -(int)cases[i].code);
		assert_null(strstr(e.msg, "s3cret"));
	}
}

static void a_header_with_a_line_break_is_refused(void **state)
{
	const char *const headers[] = { "X-Key: a\r\nX-Evil: b", NULL };
	struct http_response r;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ask("/plain", (struct http_request){ .headers = headers }, &r, &e),
			 -ERR_INVALID);
}

static void queries_and_parts_of_paths_are_percent_encoded(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_puts(&b, "https://h/search");
	assert_int_equal(http_put_query(&b, "query", "C++ & C# in Zürich"), 0);
	assert_int_equal(http_put_query(&b, "empty", ""), 0);
	assert_string_equal(buf_text(&b),
			    "https://h/search?query=C%2B%2B%20%26%20C%23%20in%20Z%C3%BCrich&empty=");
	assert_int_equal(http_put_path(&b, "a/b ?"), 0);
	assert_non_null(strstr(buf_text(&b), "&empty=/a%2Fb%20%3F"));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_status_type_headers_and_body),
		cmocka_unit_test(an_http_error_status_is_an_answer),
		cmocka_unit_test(a_connection_is_used_again),
		cmocka_unit_test(sends_method_headers_and_body),
		cmocka_unit_test(what_came_of_a_cut_off_body_is_kept),
		cmocka_unit_test(without_a_whole_head_there_is_no_answer),
		cmocka_unit_test(a_compressed_body_is_unpacked_within_the_limit),
		cmocka_unit_test(a_body_over_its_limit_is_refused),
		cmocka_unit_test(a_silent_or_dripping_server_costs_no_more_than_the_deadline),
		cmocka_unit_test(a_request_can_be_cancelled),
		cmocka_unit_test(redirects_are_followed_only_when_asked_and_on_the_same_host),
		cmocka_unit_test(headers_of_an_interim_answer_are_dropped),
		cmocka_unit_test(urls_that_may_not_be_asked_are_refused_without_their_secrets),
		cmocka_unit_test(a_header_with_a_line_break_is_refused),
		cmocka_unit_test(queries_and_parts_of_paths_are_percent_encoded),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, start, stop);
}
