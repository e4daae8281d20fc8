/* SPDX-License-Identifier: MIT */
/* http with several requests under way at once, against a server that answers only when so many of
 * them are there: one after the other would never be answered. */
#include "common/net/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

enum { PARTY = 5, REQUEST_MAX = 2048 };

/* Takes `party` connections with a request each, then answers the last one first. */
struct server {
	int fd, party;
	char url[64];
	pthread_t thread;
};

static void read_request(int fd, char *path)
{
	char head[REQUEST_MAX];
	size_t len = 0;

	head[0] = '\0';
	while (len + 1 < sizeof head && !strstr(head, "\r\n\r\n")) {
		ssize_t n = recv(fd, head + len, sizeof head - 1 - len, 0);

		if (n <= 0)
			return;
		len += (size_t)n;
		head[len] = '\0';
	}
	sscanf(head, "%*s %63s", path);
}

static void answer(int fd, const char *path)
{
	char text[256];

	snprintf(text, sizeof text,
		 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		 strlen(path), path);
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;		/* the client has given up, as some tests want */
}

static void *serve(void *arg)
{
	struct server *s = arg;
	char paths[PARTY][64] = { "" };
	int fds[PARTY], n = 0;

	while (n < s->party && (fds[n] = accept(s->fd, NULL, NULL)) >= 0) {
		read_request(fds[n], paths[n]);
		n++;
	}
	while (n-- > 0) {
		answer(fds[n], paths[n]);
		close(fds[n]);
	}
	return NULL;
}

static void open_server(struct server *s, int party)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;

	s->party = party;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	getsockname(s->fd, (struct sockaddr *)&a, &len);
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", ntohs(a.sin_port));
	pthread_create(&s->thread, NULL, serve, s);
}

static void close_server(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static struct http *open_http(void)
{
	struct http *http;

	assert_int_equal(http_open(&http, "jobfleet-test/1", NULL), 0);
	return http;
}

static void begin(struct http *http, struct http_call *call, char *url, const struct server *s,
		  const char *path)
{
	snprintf(url, 128, "%s%s", s->url, path);
	call->request.url = url;
	http_begin(http, call);
}

static void calls_are_under_way_together_and_come_back_as_they_end(void **state)
{
	struct http *http = open_http();
	struct http_call calls[PARTY] = { 0 }, *done;
	char urls[PARTY][128], path[16];
	bool seen[PARTY] = { false };
	struct server s;
	int n = 0;

	(void)state;
	open_server(&s, PARTY);
	for (int i = 0; i < PARTY; i++) {
		snprintf(path, sizeof path, "/%d", i);
		begin(http, &calls[i], urls[i], &s, path);
	}
	while ((done = http_next(http))) {
		ptrdiff_t which = done - calls;

		assert_in_range(which, 0, PARTY - 1);
		assert_false(seen[which]);
		seen[which] = true;
		assert_int_equal(done->code, 0);
		assert_int_equal(buf_text(&done->response.body)[1] - '0', which);
		http_response_release(&done->response);
		n++;
	}
	assert_int_equal(n, PARTY);
	assert_null(http_next(http));
	http_close(http);
	close_server(&s);
}

static void a_silent_call_costs_its_own_time_out_and_no_other(void **state)
{
	struct http *http = open_http();
	struct http_call silent = { .request.timeout_ms = 300 }, good = { 0 }, bad = { 0 };
	struct server quiet, talks;
	char urls[2][128];

	(void)state;
	open_server(&quiet, 2);		/* a second request never comes */
	open_server(&talks, 1);
	begin(http, &silent, urls[0], &quiet, "/?key=s3cret");
	bad.request.url = "http://example.com/?key=s3cret";
	http_begin(http, &bad);
	begin(http, &good, urls[1], &talks, "/good");
	while (http_next(http))
		;
	assert_int_equal(bad.code, -ERR_REFUSED);
	assert_int_equal(good.code, 0);
	assert_int_equal(silent.code, -ERR_TIMEOUT);
	http_response_release(&good.response);
	assert_null(strstr(silent.err.msg, "s3cret"));
	assert_null(strstr(bad.err.msg, "s3cret"));
	http_close(http);
	close_server(&quiet);
	close_server(&talks);
}

static void a_call_with_a_delay_is_sent_after_it_and_holds_nobody_up(void **state)
{
	struct http *http = open_http();
	struct http_call late = { .delay_ms = 100, .request.timeout_ms = 60000 }, soon = { 0 };
	int64_t start = clock_mono_ms();
	struct server a, b;
	char urls[2][128];

	(void)state;
	open_server(&a, 1);
	open_server(&b, 1);
	begin(http, &late, urls[0], &a, "/late");
	assert_ptr_equal(http_next(http), &late);
	assert_true(clock_mono_ms() - start >= 100);
	assert_int_equal(late.code, 0);
	http_response_release(&late.response);
	late.delay_ms = 60000;
	begin(http, &late, urls[0], &a, "/late");
	begin(http, &soon, urls[1], &b, "/soon");
	assert_ptr_equal(http_next(http), &soon);
	assert_int_equal(soon.code, 0);
	http_response_release(&soon.response);
	http_close(http);
	close_server(&a);
	close_server(&b);
}

static void a_call_may_follow_from_an_answer(void **state)
{
	struct http *http = open_http();
	struct http_call first = { 0 }, held = { .request.timeout_ms = 60000 }, second = { 0 };
	struct server a, b;
	char urls[3][128];

	(void)state;
	open_server(&a, 1);
	open_server(&b, 2);		/* answers `held` only once `second` has come too */
	begin(http, &first, urls[0], &a, "/first");
	begin(http, &held, urls[1], &b, "/held");
	assert_ptr_equal(http_next(http), &first);
	begin(http, &second, urls[2], &b, "/second");
	assert_non_null(http_next(http));
	assert_non_null(http_next(http));
	assert_int_equal(held.code, 0);
	assert_int_equal(second.code, 0);
	http_response_release(&first.response);
	http_response_release(&held.response);
	http_response_release(&second.response);
	http_close(http);
	close_server(&a);
	close_server(&b);
}

static bool at_the_third_look(void *ctx)
{
	return ++*(int *)ctx > 2;
}

static void a_cancel_or_an_abort_ends_all_of_them(void **state)
{
	struct http *http = open_http();
	struct http_call calls[3] = { 0 };
	struct server s;
	char urls[3][128];
	int looks = 0;

	(void)state;
	open_server(&s, PARTY);		/* never complete */
	calls[2].delay_ms = 60000;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			begin(http, &calls[i], urls[i], &s, "/");
		if (round == 0)
			http_set_cancel(http, at_the_third_look, &looks);
		else
			http_abort(http);
		for (int i = 0; i < 3; i++)
			assert_int_equal(http_next(http)->code, -ERR_CANCELLED);
		assert_null(http_next(http));
		http_set_cancel(http, NULL, NULL);
	}
	for (int i = 0; i < 2; i++)
		begin(http, &calls[i], urls[i], &s, "/");
	http_close(http);		/* what is under way then is dropped */
	for (int i = 0; i < 2; i++)
		http_response_release(&calls[i].response);
	close_server(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_under_way_together_and_come_back_as_they_end),
		cmocka_unit_test(a_silent_call_costs_its_own_time_out_and_no_other),
		cmocka_unit_test(a_call_with_a_delay_is_sent_after_it_and_holds_nobody_up),
		cmocka_unit_test(a_call_may_follow_from_an_answer),
		cmocka_unit_test(a_cancel_or_an_abort_ends_all_of_them),
	};

	alarm(60);
	return cmocka_run_group_tests_name("http, many at once", tests, NULL, NULL);
}
