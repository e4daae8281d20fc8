/* SPDX-License-Identifier: MIT */
/* The server: one process, one poll, libmicrohttpd as the reader and writer of HTTP. */
#include <microhttpd.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/listen.h"
#include "workers/dispatcher/httpd_private.h"

enum {
	FRESH_MS = 1000,
	BIND_AGAIN_MS = 2000,
	COMPLAIN_MS = 60000,
	SLEEP_MS = 500,
	IDLE_S = 10,			/* without a byte */
	MEMORY = HTTPD_HEADER + 4096,	/* of a connection; the answer's head is made there, too */
	WAITING_MAX = HTTPD_CONNECTIONS,
};

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"

struct server {
	const struct httpd_child *child;
	struct MHD_Daemon *daemon;
	struct {
		struct MHD_Connection *of;
		int fd;
		int64_t since_ms;
	} open[HTTPD_CONNECTIONS];
	struct question {
		uint32_t number;	/* of the last one asked */
		bool asked, there;	/* no answer to it yet; text is an answer */
		int64_t asked_ms, got_ms;
		struct MHD_Connection *waiting[WAITING_MAX];
		int nwaiting;
	} questions[LOOK_KINDS];
	int64_t bind_ms, complain_ms;
};

/* What a connection waits for, between its first call and its answer. */
struct wait {
	int kind;
	bool late;
};

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *c, int status, const char *type,
			      const void *text, size_t len)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	done = MHD_queue_response(c, (unsigned)status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result answer_text(struct MHD_Connection *c, int status, const char *text)
{
	return answer(c, status, TEXT, text, strlen(text));
}

static enum MHD_Result answer_live(struct server *s, struct MHD_Connection *c)
{
	int64_t age = clock_mono_ms() - atomic_load(&s->child->window->beat_ms);
	bool live = age < HTTPD_LIVE_MS;
	char text[512];
	int n = snprintf(text, sizeof text,
			 "{\"status\": \"%s\", \"reason\": \"the loop turned %lld ms ago\"}\n",
			 live ? "ok" : "failed", (long long)age);

	return answer(c, live ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, JSON, text, (size_t)n);
}

static enum MHD_Result answer_look(struct server *s, struct MHD_Connection *c, int kind)
{
	const struct look *l = &s->child->window->looks[kind];

	return answer(c, l->status, kind == LOOK_METRICS ? OPENMETRICS : JSON, l->text, l->len);
}

/* ---- questions to the lookout ---- */

/* One that is lost (a full socket, a lookout that died) is asked again when its time is over. */
static void ask(struct server *s, int kind)
{
	struct question *q = &s->questions[kind];
	struct look_note note = { (uint32_t)kind, ++q->number };

	q->asked = true;
	q->there = false;
	q->asked_ms = clock_mono_ms();
	send(s->child->notes, &note, sizeof note, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void wake(struct question *q)
{
	while (q->nwaiting > 0)
		MHD_resume_connection(q->waiting[--q->nwaiting]);
}

static void hear(struct server *s)
{
	struct look_note note;

	while (recv(s->child->notes, &note, sizeof note, MSG_DONTWAIT) == sizeof note) {
		struct question *q = note.kind < LOOK_KINDS ? &s->questions[note.kind] : NULL;

		if (!q || note.number != q->number)
			continue;
		q->asked = false;
		q->there = true;
		q->got_ms = clock_mono_ms();
		wake(q);
	}
}

static enum MHD_Result look(struct server *s, struct MHD_Connection *c, struct wait *w)
{
	struct question *q = &s->questions[w->kind];
	int64_t now = clock_mono_ms();

	if (q->there && (w->late || now - q->got_ms < FRESH_MS))
		return answer_look(s, c, w->kind);
	if (w->late)
		return answer_text(c, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "the figures do not come: a service does not answer\n");
	if (q->nwaiting == WAITING_MAX)
		return MHD_NO;
	if (!q->asked)
		ask(s, w->kind);
	w->late = true;
	q->waiting[q->nwaiting++] = c;
	MHD_suspend_connection(c);
	return MHD_YES;
}

static void give_up_waiting(struct server *s)
{
	for (int i = 0; i < LOOK_KINDS; i++) {
		struct question *q = &s->questions[i];

		if (q->asked && clock_mono_ms() - q->asked_ms >= HTTPD_LOOK_MS) {
			q->asked = false;
			wake(q);
		}
	}
}

/* ---- requests ---- */

static const struct route {
	const char *path;
	int kind;			/* LOOK_KINDS: the server answers by itself */
} ROUTES[] = {
	{ "/metrics", LOOK_METRICS }, { "/health/ready", LOOK_READY }, { "/health/live", LOOK_KINDS },
};

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_len, void **ret_state)
{
	struct server *s = ctx;
	struct wait *w = *ret_state;

	(void)version;
	(void)upload;
	if (*upload_len > 0)
		return MHD_NO;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (w)
		return look(s, c, w);
	for (size_t i = 0; i < COUNT(ROUTES); i++) {
		if (strcmp(url, ROUTES[i].path) != 0)
			continue;
		if (ROUTES[i].kind == LOOK_KINDS)
			return answer_live(s, c);
		w = *ret_state = mem_zalloc(sizeof *w);
		w->kind = ROUTES[i].kind;
		return look(s, c, w);
	}
	return answer_text(c, strcmp(url, "/") == 0 ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND,
			   "/metrics\n/health/live\n/health/ready\n");
}

static void on_answered(void *ctx, struct MHD_Connection *c, void **state,
			enum MHD_RequestTerminationCode how)
{
	(void)ctx;
	(void)c;
	(void)how;
	free(*state);
	*state = NULL;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **state,
			  enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct server *s = ctx;

	(void)state;
	for (int i = 0; i < HTTPD_CONNECTIONS; i++) {
		if (what == MHD_CONNECTION_NOTIFY_STARTED && !s->open[i].of) {
			s->open[i].of = c;
			s->open[i].fd = fd ? fd->connect_fd : -1;
			s->open[i].since_ms = clock_mono_ms();
			return;
		}
		if (what == MHD_CONNECTION_NOTIFY_CLOSED && s->open[i].of == c)
			s->open[i].of = NULL;
	}
}

/* Who sends a byte now and then never idles, so each connection has an end of its own. */
static void cut_slow(struct server *s)
{
	for (int i = 0; i < HTTPD_CONNECTIONS; i++)
		if (s->open[i].of && s->open[i].fd >= 0 &&
		    clock_mono_ms() - s->open[i].since_ms >= HTTPD_CONNECTION_MS)
			shutdown(s->open[i].fd, SHUT_RDWR);
}

/* ---- life ---- */

static void complain(struct server *s, const struct err *e)
{
	if (clock_mono_ms() < s->complain_ms)
		return;
	s->complain_ms = clock_mono_ms() + COMPLAIN_MS;
	log_error("no /metrics and no /health here, trying again reason=\"%s\"%s", e->msg,
		  e->code == ERR_CONFLICT ? "; another dispatcher of this host has the address?" :
		  "");
}

static void open_daemon(struct server *s)
{
	const char *where = s->child->conf->fleet.http_listen;
	char shown[LISTEN_SHOWN];
	struct err e = { 0 };
	int fd = listen_open(where, shown, &e);

	s->bind_ms = clock_mono_ms() + BIND_AGAIN_MS;
	if (fd < 0) {
		complain(s, &e);
		return;
	}
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, s,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)HTTPD_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_NOTIFY_COMPLETED,
		on_answered, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
	if (s->daemon) {
		log_info("answering /metrics and /health at %s", shown);
		return;
	}
	close(fd);
	err_set(&e, ERR_IO, "libmicrohttpd does not start at %s", where);
	complain(s, &e);
}

static int daemon_fd(struct server *s)
{
	const union MHD_DaemonInfo *info =
		s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;

	return info ? info->epoll_fd : -1;
}

static int sleep_ms(struct server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (s->daemon && MHD_get_timeout(s->daemon, &ms) == MHD_YES && ms < SLEEP_MS)
		return (int)ms;
	return SLEEP_MS;
}

int httpd_serve(const struct httpd_child *child)
{
	const char *where = child->conf->fleet.http_listen;
	struct server s = { .child = child };
	bool off = !*where || strcmp(where, "off") == 0;

	for (;;) {
		struct pollfd p[] = { { .fd = child->parent, .events = POLLIN },
				      { .fd = child->notes, .events = POLLIN },
				      { .fd = daemon_fd(&s), .events = POLLIN } };

		poll(p, COUNT(p), off ? -1 : sleep_ms(&s));
		if (p[0].revents)
			break;		/* nobody ever writes: it is the end of file */
		hear(&s);
		give_up_waiting(&s);
		if (!off && !s.daemon && clock_mono_ms() >= s.bind_ms)
			open_daemon(&s);
		if (!s.daemon)
			continue;
		cut_slow(&s);
		MHD_run(s.daemon);
	}
	return 0;	/* the process ends; no answer is worth waiting for */
}
